//! What a shard keeps of one run: what its seed determines, and nothing else.

use std::time::Duration;

use scenario::{
    plan::{Outcome, Plan},
    suite::{Broken, Played, Run},
};

use crate::fingerprint;

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The scenario's name.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// How its first call came out; `None` where the run panicked.
    pub outcome: Option<Outcome>,
    /// From the dial until both sides were connected, in milliseconds.
    pub setup_ms: Option<u64>,
    /// The longest recovery of a connection, in milliseconds.
    pub recovery_ms: Option<u64>,
    /// The virtual time that it took, in milliseconds.
    pub elapsed_ms: u64,
    /// The digest of its packets; `None` where the run panicked.
    pub digest: Option<u128>,
    /// How many things did not hold.
    pub failures: u32,
    /// The first of them, its cause.
    pub finding: Option<Finding>,
}

/// The first thing that did not hold in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The check, or `panicked`.
    pub check: String,
    /// Why: the reason for which the call came out as it did.
    pub cause: String,
    /// The last transition before it: `caller connection: connecting → failed`. Empty where there is none.
    pub last_transition: String,
    /// The last step of the connection's handshakes before it: `callee dtls server-hello`. Empty where there is none.
    pub last_step: String,
    /// The virtual time at which it shows, in milliseconds.
    pub at_ms: u64,
    /// What was expected and what was found.
    pub message: String,
}

impl Row {
    /// What is kept of `run`, whose record was kept.
    ///
    /// # Errors
    /// A run that could not be played here: the machine's fault, which no seed determines.
    pub(crate) fn of(plan: &Plan, run: Run) -> Result<Self, Broken> {
        let scenario = plan.name().to_owned();
        match run.result {
            Ok(played) => Ok(Self::of_played(plan, run.seed, &played)),
            Err(Broken::Panicked(message)) => Ok(Self {
                scenario,
                seed: run.seed,
                outcome: None,
                setup_ms: None,
                recovery_ms: None,
                elapsed_ms: 0,
                digest: None,
                failures: 1,
                finding: Some(Finding::panicked(message)),
            }),
            Err(broken) => Err(broken),
        }
    }

    fn of_played(plan: &Plan, seed: u64, played: &Played) -> Self {
        let first = played.failures.first();
        Self {
            scenario: plan.name().to_owned(),
            seed,
            outcome: Some(played.outcome),
            setup_ms: played.setup.map(millis),
            recovery_ms: played.recovery.map(millis),
            elapsed_ms: played.elapsed.as_millis(),
            digest: Some(played.digest.value()),
            failures: u32::try_from(played.failures.len()).unwrap_or(u32::MAX),
            finding: first.map(|(failure, _)| Finding {
                check: failure.check.to_owned(),
                cause: fingerprint::cause(played),
                last_transition: fingerprint::last_transition(played.record.as_deref(), failure.at),
                last_step: fingerprint::last_step(played.record.as_deref(), failure.at),
                at_ms: failure.at.as_millis(),
                message: failure.message.clone(),
            }),
        }
    }
}

impl Finding {
    /// A panic says what it is by its first line.
    fn panicked(message: String) -> Self {
        let cause = message.lines().next().unwrap_or_default().to_owned();
        Self {
            check: "panicked".to_owned(),
            cause,
            last_transition: String::new(),
            last_step: String::new(),
            at_ms: 0,
            message,
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
