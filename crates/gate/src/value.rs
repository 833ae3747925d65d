//! What a run yields for one metric: a number, or an outcome for each of many seeds.

mod distribution;

use serde::{Deserialize, Serialize};

pub use distribution::{Distribution, DistributionError, MIN_SEEDS, Summary};

/// What was measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// One number, in the metric's unit.
    Single(u64),
    /// An outcome for each of a fixed set of seeds.
    BySeed(Distribution),
}

impl Value {
    /// The figure of it that a table shows: the number, or the p95, `None` where every seed failed.
    pub fn figure(&self) -> Option<u64> {
        match self {
            Self::Single(number) => Some(*number),
            Self::BySeed(distribution) => distribution.summary().p95,
        }
    }

    /// What stands for it in a history: the number, or the summary and a hash of all outcomes.
    pub(crate) fn recorded(&self) -> Recorded {
        match self {
            Self::Single(number) => Recorded::Single(*number),
            Self::BySeed(distribution) => Recorded::BySeed(distribution.summary()),
        }
    }
}

/// What stands for a [`Value`] in the history of a baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recorded {
    /// The number itself.
    Single(u64),
    /// The summary of a distribution.
    BySeed(Summary),
}
