//! What is measured: ids, units, tiers, directions, budgets.

mod budget;
mod id;
mod percent;
mod words;

use serde::{Deserialize, Serialize};

pub use budget::Budget;
pub use id::{MetricId, MetricIdError};
pub use percent::{Percent, PercentError};
pub use words::{Better, Tier, Unit};

/// A metric as its worker declares it: what its numbers mean, and how much change is tolerated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// Its name, unique in the whole gate.
    pub id: MetricId,
    /// How its numbers arise, and so how they are judged.
    pub tier: Tier,
    /// What one is.
    pub unit: Unit,
    /// Which way is better.
    pub better: Better,
    /// How much worse it may get. `None` leaves it to the tier: virtual, not at all; instructions and
    /// wall, the limits of their settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
}
