use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A day, written `2026-11-23` (RFC 3339 §5.6, `full-date`). The caller knows which day it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date(String);

/// A text that is no day.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{found}` is not a date: write it as 2026-11-23")]
pub struct DateError {
    /// What was given.
    pub found: String,
}

impl Date {
    /// Checks `text`: four digits, two from 01 to 12, two from 01 to the last day of that month.
    ///
    /// # Errors
    ///
    /// [`DateError`] for anything else.
    pub fn new(text: impl Into<String>) -> Result<Self, DateError> {
        let text = text.into();
        if is_date(&text) { Ok(Self(text)) } else { Err(DateError { found: text }) }
    }
}

fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shape = bytes.len() == 10 && bytes[4] == b'-' && bytes[7] == b'-';
    let number = |range: std::ops::Range<usize>| -> Option<u32> {
        let digits = text.get(range)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    match (shape, number(0..4), number(5..7), number(8..10)) {
        (true, Some(year), Some(month), Some(day)) => (1..=days_in(year, month)).contains(&day),
        _ => false,
    }
}

fn days_in(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        1..=12 => 31,
        _ => 0,
    }
}

impl TryFrom<String> for Date {
    type Error = DateError;

    fn try_from(text: String) -> Result<Self, DateError> {
        Self::new(text)
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.0
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: bool) {
        assert_eq!(Date::new(text).is_ok(), expect, "{text}");
    }

    #[test]
    fn days_of_the_calendar_and_no_others() {
        check("2026-11-23", true);
        check("2026-11-31", false);
        check("2024-02-29", true);
        check("2026-02-29", false);
        check("1900-02-29", false);
        check("2000-02-29", true);
        check("2026-13-01", false);
        check("2026-1-1", false);
        check("+026-01-01", false);
        check("2026-11-2é", false);
        check("", false);
    }
}
