use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Percent;

/// How much a metric may change before it counts.
///
/// A change counts when it is more than [`max_change`](Self::max_change) *and* at least
/// [`at_least`](Self::at_least): "p95 +2 % and 1 ms". In the other direction the same distance makes an
/// improvement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub struct Budget {
    max_change: Percent,
    at_least: u64,
    max_more_failures: u64,
}

impl Budget {
    /// A budget of `max_change` relative to the baseline; a negative one is taken as none at all.
    pub fn of(max_change: Percent) -> Self {
        Self { max_change: max_change.max(Percent::ZERO), at_least: 1, max_more_failures: 0 }
    }

    /// Changes of less than `at_least`, in the metric's unit, do not count. Exact tiers only.
    #[must_use]
    pub fn at_least(mut self, at_least: u64) -> Self {
        self.at_least = at_least.max(1);
        self
    }

    /// So many more seeds may fail. Distributions over seeds only.
    #[must_use]
    pub fn max_more_failures(mut self, failures: u64) -> Self {
        self.max_more_failures = failures;
        self
    }

    /// The largest relative change that does not count.
    pub(crate) fn max_change(&self) -> Percent {
        self.max_change
    }

    /// How many more seeds may fail.
    pub(crate) fn more_failures(&self) -> u64 {
        self.max_more_failures
    }

    /// Whether a change from `base` by `change` (in the metric's unit, either sign) counts.
    pub(crate) fn is_exceeded(&self, base: u64, change: i128) -> bool {
        let size = change.unsigned_abs();
        let allowed = u128::from(base) * u128::from(self.max_change.ppm().unsigned_abs());
        size >= u128::from(self.at_least) && size * 1_000_000 > allowed
    }
}

/// As it stands in files.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    max_change_pct: Percent,
    #[serde(default = "one", skip_serializing_if = "is_one")]
    at_least: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    max_more_failures: u64,
}

fn one() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_one(number: &u64) -> bool {
    *number == 1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[derive(Debug, Error)]
#[error("a budget must not be negative")]
struct NegativeBudget;

impl TryFrom<Fields> for Budget {
    type Error = NegativeBudget;

    fn try_from(fields: Fields) -> Result<Self, NegativeBudget> {
        if fields.max_change_pct < Percent::ZERO {
            return Err(NegativeBudget);
        }
        let budget = Self::of(fields.max_change_pct).at_least(fields.at_least);
        Ok(budget.max_more_failures(fields.max_more_failures))
    }
}

impl From<Budget> for Fields {
    fn from(budget: Budget) -> Self {
        let Budget { max_change, at_least, max_more_failures } = budget;
        Self { max_change_pct: max_change, at_least, max_more_failures }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_at_the_budget_is_within_and_one_more_is_not() {
        let budget = Budget::of(Percent::from_ppm(20_000));
        assert!(!budget.is_exceeded(1000, 20));
        assert!(budget.is_exceeded(1000, 21));
        assert!(!budget.is_exceeded(1000, -20));
        assert!(budget.is_exceeded(1000, -21));
    }

    #[test]
    fn both_the_share_and_the_size_must_be_exceeded() {
        let budget = Budget::of(Percent::from_ppm(20_000)).at_least(100);
        assert!(!budget.is_exceeded(1000, 99));
        assert!(budget.is_exceeded(1000, 100));
        assert!(!budget.is_exceeded(1_000_000, 20_000));
    }

    #[test]
    fn no_size_overflows() {
        let budget = Budget::of(Percent::from_ppm(10_000_000));
        assert!(!budget.is_exceeded(u64::MAX, i128::from(u64::MAX)));
    }

    #[test]
    fn a_negative_budget_is_refused() {
        let error = serde_json::from_str::<Budget>(r#"{"max_change_pct":-1}"#).unwrap_err();
        assert!(error.to_string().contains("must not be negative"), "{error}");
    }
}
