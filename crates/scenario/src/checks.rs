//! Whether what must hold, holds: pure functions of a plan and the record of a run.
//!
//! Every check has a name in kebab case that reports use; a run that fails one yields a [`Failure`] for
//! each thing that is wrong. Nothing here stops at the first.

mod candidates;
mod counts;
mod data;
mod media;
mod outcome;
mod rates;
mod signalling;
mod states;

use timeline::VirtualTime;

pub use self::rates::{MIN_RUNS_FOR_RATES, RateVerdict, rates, rates_in};
use crate::{
    metrics::Milestones,
    plan::{AlwaysOn, Plan},
    record::RunRecord,
};

/// The names of the checks of single runs.
pub const NAMES: &[&str] = &[
    "outcome",
    "path",
    "end-reason",
    "final-state",
    "connected",
    "milestone",
    "media-both-ways",
    "media-none",
    "media-only",
    "data",
    "statistics",
    "offers",
    "recoveries",
    "recovery-time",
    "held-candidates",
    "candidate-ends",
    "ways",
    "reconnects",
    "never",
    "sequence",
    "steps-understood",
    "no-candidate-lost",
    "nothing-leaked",
    "ended-by-itself",
    "signalling-exactly-once",
];

/// Something that does not hold in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The run's seed; `None` for what concerns all runs together.
    pub seed: Option<u64>,
    /// The name of the check.
    pub check: &'static str,
    /// The virtual time at which it shows; the end of the run where no other moment is to blame.
    pub at: VirtualTime,
    /// What was expected and what was found.
    pub message: String,
}

/// Everything that does not hold in this run.
pub fn check(plan: &Plan, record: &RunRecord) -> Vec<Failure> {
    let mut findings = Findings { record, failures: Vec::new() };
    let milestones = Milestones::of(plan, record);
    outcome::check_steps(record, &mut findings);
    outcome::check(plan, record, &mut findings);
    outcome::check_path(plan, record, &mut findings);
    outcome::check_peers(plan, record, &mut findings);
    outcome::check_milestones(plan, &milestones, &mut findings);
    media::check(plan, record, &mut findings);
    data::check(plan, record, &mut findings);
    counts::check(plan, record, &mut findings);
    counts::check_recovery_time(plan, record, &mut findings);
    signalling::check_peers(plan, record, &mut findings);
    states::check_never(plan, record, &mut findings);
    states::check_sequences(plan, record, &mut findings);
    let waived = |check| plan.expect.waived.contains_key(&check);
    if !waived(AlwaysOn::NoCandidateLost) {
        candidates::check(plan, record, &mut findings);
    }
    if !waived(AlwaysOn::NothingLeaked) {
        counts::check_leftovers(record, &mut findings);
    }
    if !waived(AlwaysOn::EndedByItself) {
        outcome::check_end(record, &mut findings);
    }
    if !waived(AlwaysOn::SignallingExactlyOnce) {
        signalling::check(plan, record, &mut findings);
    }
    findings.failures
}

/// What the checks of one run found.
struct Findings<'a> {
    record: &'a RunRecord,
    failures: Vec<Failure>,
}

impl Findings<'_> {
    /// A failure that shows at the end of the run.
    fn add(&mut self, check: &'static str, message: String) {
        self.add_at(self.record.elapsed, check, message);
    }

    /// A failure that shows at a moment of the run.
    fn add_at(&mut self, at: VirtualTime, check: &'static str, message: String) {
        debug_assert!(NAMES.contains(&check), "{check} is not listed");
        self.failures.push(Failure { seed: Some(self.record.seed), check, at, message });
    }
}

/// `a`, `a or b`, `a, b or c`.
fn one_of<T: ToString>(items: &[T]) -> String {
    let words: Vec<String> = items.iter().map(ToString::to_string).collect();
    match words.as_slice() {
        [init @ .., last] if !init.is_empty() => format!("{} or {last}", init.join(", ")),
        words => words.concat(),
    }
}

#[cfg(test)]
mod tests;
