use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest metric id, in bytes.
pub(crate) const MAX_METRIC_ID_BYTES: usize = 200;

/// The name of a metric: `scenario/profile#quantity` by custom, for example
/// `happy/host-candidates#connected`.
///
/// One to [`MAX_METRIC_ID_BYTES`] characters out of `a–z A–Z 0–9 - _ . / # : + @ =`: none that a shell, a
/// glob, JSON or a GitHub annotation would read as something else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MetricId(String);

/// Why a text is not a metric id.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MetricIdError {
    /// It is empty.
    #[error("a metric id must not be empty")]
    Empty,
    /// It has more than [`MAX_METRIC_ID_BYTES`].
    #[error("a metric id has at most {MAX_METRIC_ID_BYTES} characters, this one has {found} bytes")]
    TooLong {
        /// Its length in bytes.
        found: usize,
    },
    /// It has a character that is not allowed.
    #[error("{found:?} at byte {offset} cannot stand in a metric id: letters, digits and -_./#:+@= can")]
    BadCharacter {
        /// The first such character.
        found: char,
        /// Where it begins, from 0.
        offset: usize,
    },
}

impl MetricId {
    /// Checks `text`.
    ///
    /// # Errors
    ///
    /// [`MetricIdError`] says what is wrong with it.
    pub fn new(text: impl Into<String>) -> Result<Self, MetricIdError> {
        let text = text.into();
        if text.is_empty() {
            return Err(MetricIdError::Empty);
        }
        if text.len() > MAX_METRIC_ID_BYTES {
            return Err(MetricIdError::TooLong { found: text.len() });
        }
        match text.char_indices().find(|(_, c)| !is_allowed(*c)) {
            Some((offset, found)) => Err(MetricIdError::BadCharacter { found, offset }),
            None => Ok(Self(text)),
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_./#:+@=".contains(c)
}

impl TryFrom<String> for MetricId {
    type Error = MetricIdError;

    fn try_from(text: String) -> Result<Self, MetricIdError> {
        Self::new(text)
    }
}

impl FromStr for MetricId {
    type Err = MetricIdError;

    fn from_str(text: &str) -> Result<Self, MetricIdError> {
        Self::new(text)
    }
}

impl From<MetricId> for String {
    fn from(id: MetricId) -> Self {
        id.0
    }
}

impl fmt::Display for MetricId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_at_the_limit_is_taken_and_one_byte_more_is_not() {
        let longest = "x".repeat(MAX_METRIC_ID_BYTES);
        assert_eq!(MetricId::new(longest.clone()).unwrap().as_str(), longest);
        let found = MAX_METRIC_ID_BYTES + 1;
        assert_eq!(MetricId::new(longest + "x"), Err(MetricIdError::TooLong { found }));
        assert_eq!(MetricId::new(""), Err(MetricIdError::Empty));
    }

    #[test]
    fn what_a_shell_or_a_glob_would_read_is_refused_by_place() {
        let refused = |text: &str| MetricId::new(text).unwrap_err();
        assert_eq!(refused("a b"), MetricIdError::BadCharacter { found: ' ', offset: 1 });
        assert_eq!(refused("ab*"), MetricIdError::BadCharacter { found: '*', offset: 2 });
        assert_eq!(refused("é"), MetricIdError::BadCharacter { found: 'é', offset: 0 });
        assert!(MetricId::new("happy/host-candidates#connected.p95").is_ok());
    }
}
