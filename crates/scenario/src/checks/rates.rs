//! `rate`: how often outcomes occur over all runs of a scenario.

use std::collections::BTreeMap;

use timeline::VirtualTime;

use super::Failure;
use crate::plan::{Outcome, Plan, RateBand};

/// Below this number of runs a fraction says too little to be judged.
pub const MIN_RUNS_FOR_RATES: usize = 20;

/// What is said of a scenario's rates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RateVerdict {
    /// The scenario expects none.
    NotAsked,
    /// Fewer than [`MIN_RUNS_FOR_RATES`] runs were played.
    Skipped,
    /// They were judged, with what does not hold.
    Judged(Vec<Failure>),
}

/// Judges the rates that `plan` expects by the outcomes of all `runs` of a command.
pub fn rates(plan: &Plan, outcomes: &BTreeMap<Outcome, usize>, runs: usize) -> RateVerdict {
    rates_in(&plan.expect.rates, outcomes, runs)
}

/// The same of rates that are known without their plan.
pub fn rates_in(
    expected: &BTreeMap<Outcome, RateBand>,
    outcomes: &BTreeMap<Outcome, usize>,
    runs: usize,
) -> RateVerdict {
    if expected.is_empty() {
        return RateVerdict::NotAsked;
    }
    if runs < MIN_RUNS_FOR_RATES {
        return RateVerdict::Skipped;
    }
    let mut failures = Vec::new();
    for (outcome, band) in expected {
        let count = outcomes.get(outcome).copied().unwrap_or(0);
        if !band.contains(count as f64 / runs as f64) {
            let message = format!("expected {outcome} in {band} of the runs, found {count} of {runs}");
            failures.push(Failure { seed: None, check: "rate", at: VirtualTime::ZERO, message });
        }
    }
    RateVerdict::Judged(failures)
}
