//! Whether the harness finds what it claims to find: each guard of the engine is taken away in the
//! scenario that is about it, and one of the checks that the scenario names must fail.
//!
//! Invariants:
//! - every guard has a row, whether a scenario is about it or not;
//! - what is out of reach is said with its reason, and never counted as caught;
//! - a run that could not be played catches nothing.

use std::collections::BTreeSet;

use call_engine::Guards;
use serde::Serialize;

use crate::{
    plan::Plan,
    suite::{Run, SuiteResult},
};

/// Guards that no call can need, and why: none at present. The engine's own tests show what they are good for.
const OUT_OF_REACH: &[(&str, &str)] = &[];

/// What became of all guards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GuardsOff {
    /// The version of this object.
    pub schema: u32,
    /// `guards-off`.
    pub command: &'static str,
    /// Whether every guard was caught that can be.
    pub passed: bool,
    /// In the order of the guards' numbers, then of the scenarios.
    pub rows: Vec<GuardRow>,
}

/// A guard that was off in one scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GuardRow {
    /// Its name.
    pub guard: &'static str,
    /// The scenario that is about it, `None` where none of those played is.
    pub scenario: Option<String>,
    /// Whether at least one run failed a check that the scenario names.
    pub caught: bool,
    /// Why no scenario can be about it.
    pub out_of_reach: Option<&'static str>,
    /// The named checks that failed, in alphabetical order.
    pub by: BTreeSet<&'static str>,
    /// How many runs were played.
    pub runs: usize,
    /// In how many of them a named check failed.
    pub caught_runs: usize,
    /// How many runs could not be played.
    pub broken_runs: usize,
}

/// Whether guards that no scenario is about are missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// Every guard needs a scenario.
    EveryGuard,
    /// Only those that were played count.
    Played,
}

impl GuardsOff {
    /// Judges `result`, the runs of `plans` with their guards off ([`Plan::guard_off`]).
    pub fn new(plans: &[Plan], result: &SuiteResult, coverage: Coverage) -> Self {
        let mut rows = Vec::new();
        for guard in Guards::NAMES {
            let before = rows.len();
            let played = plans.iter().zip(&result.scenarios);
            rows.extend(played.filter_map(|(plan, runs)| row(guard, plan, runs)));
            if rows.len() == before && coverage == Coverage::EveryGuard {
                rows.push(GuardRow::without_scenario(guard));
            }
        }
        let passed = rows.iter().all(|row| row.caught || row.out_of_reach.is_some());
        Self { schema: 1, command: "guards-off", passed, rows }
    }

    /// How many rows are caught.
    pub fn caught(&self) -> usize {
        self.rows.iter().filter(|row| row.caught).count()
    }

    /// How many rows are out of reach.
    pub fn out_of_reach(&self) -> usize {
        self.rows.iter().filter(|row| row.out_of_reach.is_some()).count()
    }

    /// The object as JSON, with a line break at its end.
    ///
    /// # Errors
    /// None that this type can cause; the signature is that of `serde_json`.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

impl GuardRow {
    fn without_scenario(guard: &'static str) -> Self {
        let reason = OUT_OF_REACH.iter().find(|(name, _)| *name == guard);
        let out_of_reach = reason.map(|(_, reason)| *reason);
        let by = BTreeSet::new();
        Self {
            guard,
            scenario: None,
            caught: false,
            out_of_reach,
            by,
            runs: 0,
            caught_runs: 0,
            broken_runs: 0,
        }
    }
}

fn row(guard: &'static str, plan: &Plan, runs: &[Run]) -> Option<GuardRow> {
    let about = plan.guard.as_ref().filter(|about| about.off == guard)?;
    let mut row = GuardRow::without_scenario(guard);
    row.scenario = Some(plan.name.clone());
    row.out_of_reach = None;
    row.runs = runs.len();
    for run in runs {
        let Ok(played) = &run.result else {
            row.broken_runs += 1;
            continue;
        };
        let failed = played.failures.iter().map(|(failure, _)| failure.check);
        let named: Vec<_> = failed.filter(|check| about.fails.iter().any(|named| named == check)).collect();
        row.caught_runs += usize::from(!named.is_empty());
        row.by.extend(named);
    }
    row.caught = row.caught_runs > 0;
    Some(row)
}

#[cfg(test)]
mod tests;
