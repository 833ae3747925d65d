//! What is said about one metric.

use serde::{Deserialize, Serialize};

use crate::{statistics::Interval, verdict::Verdict};

/// A verdict with its grounds. Shares are fractions of the baseline and positive where it got worse.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The verdict.
    pub verdict: Verdict,
    /// What was expected, in the metric's unit; the p95 of a distribution.
    pub base: Option<u64>,
    /// What was measured.
    pub new: Option<u64>,
    /// By how much it got worse.
    pub change: Option<f64>,
    /// Where the true change lies, for what is statistical: the bootstrap interval at the level of one look
    /// on either side.
    pub interval: Option<Interval>,
    /// How much worse is tolerated.
    pub limit: Option<f64>,
    /// The grounds, in a sentence.
    pub message: String,
}

impl Finding {
    /// A verdict and its grounds, without figures.
    pub(crate) fn new(verdict: Verdict, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { verdict, base: None, new: None, change: None, interval: None, limit: None, message }
    }
}

/// By which share of `base` something got worse. `None` where the baseline is 0.
pub(crate) fn share(worsening: i128, base: u64) -> Option<f64> {
    (base > 0).then(|| worsening as f64 / base as f64)
}
