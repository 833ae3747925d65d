//! Baselines: what metrics are expected to be, and how they came to be expected.
//!
//! A file is sorted JSON with one metric a line, so that a diff reads as a review and two branches that
//! touch different metrics merge. It is read against the one at the merge base: whatever differs must be
//! covered by an entry of `accepted`, otherwise a change could rewrite what it is compared with
//! ([`Reference`]).
//!
//! Deliberately absent: files, git and clocks. Texts and dates come from the caller.

mod accept;
mod date;
mod error;
mod read;
mod reference;
mod write;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    metric::{Better, Budget, Metric, MetricId, Tier, Unit},
    value::{Recorded, Value},
};

pub use accept::{AcceptError, Acceptance};
pub use date::{Date, DateError};
pub use error::BaselineError;
pub(crate) use read::MAX_BASELINE_BYTES;
pub use reference::{Reference, ReferenceError};

/// The version of the format that is written.
pub(crate) const BASELINE_SCHEMA: u64 = 1;

/// What must be equal for numbers to be comparable: compiler, profile, resolution, format of scenarios.
pub type Fingerprint = BTreeMap<String, String>;

/// The expected values of one tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// The tier. Wall time has no baseline: it is never compared with a stored number.
    pub tier: Tier,
    /// Under which conditions the values were measured.
    pub fingerprint: Fingerprint,
    /// What is expected.
    pub metrics: BTreeMap<MetricId, Expected>,
    /// How it came to be expected; of one id, the oldest first.
    pub accepted: BTreeMap<MetricId, Vec<Accepted>>,
}

/// What one metric is expected to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The unit of the value.
    pub unit: Unit,
    /// Which way is better.
    pub better: Better,
    /// How much change is tolerated; `None` leaves it to the tier.
    pub budget: Option<Budget>,
    /// The value.
    pub value: Value,
}

/// One change of an expected value, and why it was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// What was expected before; `None` for a metric that was new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Recorded>,
    /// What is expected since; `None` for a metric that was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Recorded>,
    /// When.
    pub date: Date,
    /// Why.
    pub reason: String,
}

impl Baseline {
    /// A baseline without metrics.
    pub fn new(tier: Tier, fingerprint: Fingerprint) -> Self {
        Self { tier, fingerprint, metrics: BTreeMap::new(), accepted: BTreeMap::new() }
    }

    /// The metric as a worker would declare it; `None` for one that is not expected.
    pub fn metric(&self, id: &MetricId) -> Option<Metric> {
        let Expected { unit, better, budget, .. } = *self.metrics.get(id)?;
        Some(Metric { id: id.clone(), tier: self.tier, unit, better, budget })
    }
}
