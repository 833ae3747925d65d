//! Intervals of seeds: `1..1000000`, both ends included.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Seeds from `first` to `last`, both included; at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedRange {
    /// The first.
    pub first: u64,
    /// The last; not less than the first.
    pub last: u64,
}

/// A text that names no interval of seeds.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SeedRangeError {
    /// It has another form.
    #[error("`{0}` is no interval of seeds such as 1..1000000")]
    Form(String),
    /// Its end is before its beginning.
    #[error("no seed is in {first}..{last}: both ends belong to it, the smaller first")]
    Empty {
        /// Its beginning.
        first: u64,
        /// Its end.
        last: u64,
    },
    /// It has more seeds than can be counted.
    #[error("there are too many seeds in {0}")]
    TooMany(String),
}

impl SeedRange {
    /// How many.
    pub const fn count(self) -> u64 {
        self.last - self.first + 1
    }
}

impl FromStr for SeedRange {
    type Err = SeedRangeError;

    /// `A..B`, both included; `A` alone is one seed.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        let number =
            |part: &str| part.trim().parse::<u64>().map_err(|_| SeedRangeError::Form(text.to_owned()));
        let (first, last) = (number(first)?, number(last)?);
        match last.checked_sub(first) {
            None => Err(SeedRangeError::Empty { first, last }),
            // What columns of Parquet files and sums over scenarios hold.
            Some(_) if last > i64::MAX as u64 >> 16 => Err(SeedRangeError::TooMany(text.to_owned())),
            Some(_) => Ok(Self { first, last }),
        }
    }
}

impl fmt::Display for SeedRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.first, self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<(u64, u64), &str>) {
        let found = text.parse::<SeedRange>().map(|range| (range.first, range.last));
        assert_eq!(found.map_err(|error| error.to_string()), expect.map_err(str::to_owned));
    }

    #[test]
    fn both_ends_are_included() {
        check("1..1000000", Ok((1, 1_000_000)));
        check("7", Ok((7, 7)));
        check("7..7", Ok((7, 7)));
        assert_eq!("1..20".parse::<SeedRange>().unwrap().count(), 20);
        check("9..7", Err("no seed is in 9..7: both ends belong to it, the smaller first"));
        check("1..=20", Err("`1..=20` is no interval of seeds such as 1..1000000"));
        check("..", Err("`..` is no interval of seeds such as 1..1000000"));
        check("-1..3", Err("`-1..3` is no interval of seeds such as 1..1000000"));
        check("0..18446744073709551615", Err("there are too many seeds in 0..18446744073709551615"));
    }
}
