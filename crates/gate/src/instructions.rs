//! The instruction tier: what a simulated processor retired in the measured region.
//!
//! Nearly exact: with hash seeds, environment and randomness fixed, counts of the same binary repeat, and
//! what is left (addresses in hash tables, sizes of the environment) is measured by counting the same
//! thing several times. The tolerance is the larger of a fixed one and the fence of those counts.

pub mod callgrind;
mod valgrind;

use serde::{Deserialize, Serialize};

pub use valgrind::Valgrind;

use crate::{
    finding::{Finding, share},
    metric::{Metric, Percent},
    statistics::{median, upper_fence},
    verdict::Verdict,
};

/// What is known about a metric of the instruction tier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstructionEvidence {
    /// What is expected; `None` for a new metric.
    pub base: Option<u64>,
    /// What was counted; `None` for a metric that is no longer measured.
    pub measured: Option<Counts>,
    /// Why the expectation does not apply here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale: Option<String>,
}

/// What came of counting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Counts {
    /// Counts of the same thing, each in a process of its own.
    Counted(Vec<u64>),
    /// Valgrind is not there.
    ToolMissing,
    /// Valgrind failed; the reason.
    ToolFailed(String),
}

/// The limits of the tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstructionSettings {
    /// The smallest tolerance of a metric without a budget.
    pub tolerance_pct: Percent,
    /// A metric whose counts of the same thing reach a fence beyond this is unfit for the tier.
    pub unfit_pct: Percent,
}

impl InstructionSettings {
    /// 0.5 % and 2 %: std's hash maps alone move a count by 0.9 % where their seeds are not fixed.
    pub const DEFAULT: Self =
        Self { tolerance_pct: Percent::from_ppm(5_000), unfit_pct: Percent::from_ppm(20_000) };
}

/// Judges a metric.
pub(crate) fn judge(
    metric: &Metric,
    evidence: &InstructionEvidence,
    settings: &InstructionSettings,
) -> Finding {
    let counts = match &evidence.measured {
        None => {
            let message = "it is expected and was not measured: renamed, or lost?";
            return Finding { base: evidence.base, ..Finding::new(Verdict::Vanished, message) };
        }
        Some(Counts::ToolMissing) => {
            return Finding::new(
                Verdict::ToolMissing,
                "valgrind is not installed: `apt-get install valgrind`",
            );
        }
        Some(Counts::ToolFailed(reason)) => return Finding::new(Verdict::ToolFailed, reason),
        Some(Counts::Counted(counts)) => counts,
    };
    if counts.is_empty() || counts.contains(&0) {
        return Finding::new(Verdict::ToolFailed, "no instructions were counted: was the region entered?");
    }
    if let (Some(_), Some(reason)) = (evidence.base, &evidence.stale) {
        return Finding::new(Verdict::Stale, reason);
    }
    compare(metric, evidence.base, &Repeated::of(counts), settings)
}

/// Counts of the same thing.
struct Repeated {
    count: u64,
    times: usize,
    /// How far beyond the median counts of the same thing may lie, as a share of it.
    fence: f64,
}

impl Repeated {
    fn of(counts: &[u64]) -> Self {
        let floats: Vec<f64> = counts.iter().map(|count| *count as f64).collect();
        let middle = median(&floats).unwrap_or_default();
        let deviations: Vec<f64> = floats.iter().map(|count| (count - middle).abs() / middle).collect();
        let fence = upper_fence(&deviations).unwrap_or_default();
        Self { count: middle.round() as u64, times: counts.len(), fence }
    }
}

fn compare(metric: &Metric, base: Option<u64>, new: &Repeated, settings: &InstructionSettings) -> Finding {
    let &Repeated { count, times, fence } = new;
    let percent = fence * 100.0;
    if fence > settings.unfit_pct.fraction() {
        let message = format!(
            "{times} counts of the same thing spread to {percent:.2} %: something in it is not fixed (hash seeds, environment)"
        );
        return Finding { new: Some(count), ..Finding::new(Verdict::Unfit, message) };
    }
    let Some(base) = base else {
        let message = "nothing is expected of it yet: `gate accept` it";
        return Finding { new: Some(count), ..Finding::new(Verdict::New, message) };
    };
    let Some(change) = share(metric.better.worsening(base, count), base) else {
        return Finding::new(Verdict::Stale, "the baseline expects no instructions at all: accept it anew");
    };
    let budget = metric.budget.map_or(settings.tolerance_pct, |budget| budget.max_change());
    let limit = budget.fraction().max(fence);
    let verdict = match change {
        change if change > limit => Verdict::Regression,
        change if change < -limit => Verdict::Improved,
        _ => Verdict::Pass,
    };
    Finding {
        base: Some(base),
        new: Some(count),
        change: Some(change),
        limit: Some(limit),
        ..Finding::new(verdict, format!("{times} counts, fence {percent:.3} %"))
    }
}
