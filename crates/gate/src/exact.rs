//! The virtual tier: numbers that are a pure function of the commit.
//!
//! Each metric is measured twice, in two processes. Where they differ there is a leak of ambient time,
//! randomness or order, and nothing else is said about the metric. A single number must be the expected
//! one, better or worse, unless a budget tolerates a change. A distribution over seeds is judged by its
//! p50, its p95 and its failures; which seeds changed is said by comparing outcome with outcome.

mod compare;

use serde::{Deserialize, Serialize};

use crate::{
    finding::Finding,
    metric::{Budget, Metric, Percent},
    value::Value,
    verdict::Verdict,
};

/// What is known about a metric of the virtual tier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VirtualEvidence {
    /// What is expected; `None` for a new metric.
    pub base: Option<Value>,
    /// What two runs yielded; `None` for a metric that is no longer measured.
    pub runs: Option<[VirtualRun; 2]>,
    /// Why the expectation does not apply here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale: Option<String>,
    /// Why the worker could not measure it; then there are no runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// What one run yielded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VirtualRun {
    /// The value.
    pub value: Value,
    /// A digest of everything that happened in the run, so that two runs with equal values that took
    /// different ways are told apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// Judges a metric.
pub(crate) fn judge(metric: &Metric, evidence: &VirtualEvidence) -> Finding {
    let VirtualEvidence { base, runs, stale, failed } = evidence;
    if let Some(reason) = failed {
        return Finding::new(Verdict::ToolFailed, reason);
    }
    let Some([first, second]) = runs else {
        let base = base.as_ref().and_then(Value::figure);
        let message = "it is expected and was not measured: renamed, or lost?";
        return Finding { base, ..Finding::new(Verdict::Vanished, message) };
    };
    if first != second {
        return Finding::new(Verdict::Nondeterministic, difference(first, second));
    }
    let Some(base) = base else {
        let message = "nothing is expected of it yet: `gate accept` it";
        return Finding { new: first.value.figure(), ..Finding::new(Verdict::New, message) };
    };
    if let Some(reason) = stale {
        return Finding::new(Verdict::Stale, reason);
    }
    let budget = metric.budget.unwrap_or(Budget::of(Percent::ZERO));
    compare::values(base, &first.value, &budget, metric.better)
}

fn difference(first: &VirtualRun, second: &VirtualRun) -> String {
    match (&first.value, &second.value) {
        (Value::Single(one), Value::Single(other)) if one != other => {
            format!("two runs of the same thing gave {one} and {other}")
        }
        (Value::BySeed(one), Value::BySeed(other)) if one.has_seeds_of(other) && one != other => {
            let changed = one.changed_seeds(other);
            format!("two runs of the same thing differ: {}", compare::seeds(&changed, one.outcomes().len()))
        }
        _ if first.value == second.value => {
            "two runs gave equal values with different digests: they took different ways".to_owned()
        }
        _ => "two runs of the same thing gave values of different kinds".to_owned(),
    }
}
