use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Parts per million in one percent.
const PER_PERCENT: f64 = 10_000.0;

/// A share, written in percent and kept in parts per million, so that it compares exactly.
///
/// From −100 % to 1000 %, in steps of 0.0001 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Percent(i32);

/// Why a number is not a [`Percent`].
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[error("{found} is not a percentage between -100 and 1000")]
pub struct PercentError {
    /// What was given.
    pub found: f64,
}

impl Percent {
    /// No change.
    pub const ZERO: Self = Self(0);

    /// From parts per million: 20 000 is 2 %. Clamped to the range.
    pub const fn from_ppm(ppm: i32) -> Self {
        match ppm {
            ..-1_000_000 => Self(-1_000_000),
            10_000_001.. => Self(10_000_000),
            _ => Self(ppm),
        }
    }

    /// In parts per million.
    pub const fn ppm(self) -> i32 {
        self.0
    }

    /// As a fraction: 2 % is 0.02.
    pub fn fraction(self) -> f64 {
        f64::from(self.0) / 1e6
    }

    /// The natural logarithm of the ratio that it changes something by: ln(1 + fraction).
    /// Minus infinity for −100 %.
    pub fn log_ratio(self) -> f64 {
        (1.0 + self.fraction()).ln()
    }
}

impl TryFrom<f64> for Percent {
    type Error = PercentError;

    fn try_from(percent: f64) -> Result<Self, PercentError> {
        if (-100.0..=1000.0).contains(&percent) {
            #[expect(clippy::cast_possible_truncation, reason = "in range, as just checked")]
            Ok(Self((percent * PER_PERCENT).round() as i32))
        } else {
            Err(PercentError { found: percent })
        }
    }
}

impl From<Percent> for f64 {
    fn from(percent: Percent) -> Self {
        f64::from(percent.0) / PER_PERCENT
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", f64::from(*self))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn survives_json(ppm in -1_000_000..=10_000_000i32) {
            let percent = Percent::from_ppm(ppm);
            let json = serde_json::to_string(&percent).unwrap();
            prop_assert_eq!(serde_json::from_str::<Percent>(&json).unwrap(), percent);
        }
    }

    #[test]
    fn beyond_the_range_is_refused() {
        assert_eq!(Percent::try_from(1000.0).unwrap().ppm(), 10_000_000);
        assert!(Percent::try_from(1000.1).is_err());
        assert!(Percent::try_from(-100.1).is_err());
        assert!(Percent::try_from(f64::NAN).is_err());
        assert_eq!(Percent::try_from(2.5).unwrap().to_string(), "2.5 %");
    }
}
