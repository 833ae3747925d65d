//! Many runs on many threads: every seed of every scenario that was asked for.
//!
//! Invariants:
//! - results stand in the order of scenarios and seeds, whatever order the runs finish in;
//! - a run that fails, cannot be played or panics stops no other;
//! - of a record only what reports need is kept, unless [`Keep`] asks for more: a timeline of one
//!   minute holds some ten thousand packets.

use std::{
    error::Error,
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use diagnosis::{Cause, Code};
use timeline::{Digest, VirtualTime};

use crate::{
    cause,
    checks::{self, Failure},
    metrics,
    plan::{Outcome, Plan},
    record::RunRecord,
    run::{Difference, Player, Programs, RunError},
};

/// What is to be run, and how.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Which seeds of each scenario.
    pub seeds: Seeds,
    /// On how many threads.
    pub jobs: NonZeroUsize,
    /// Which records to hand over.
    pub keep: Keep,
}

/// Which seeds of a scenario are played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seeds {
    /// As many as the scenario says, from 1 on.
    OfScenario,
    /// This many, from 1 on.
    Count(u32),
    /// This one.
    One(u64),
}

impl Seeds {
    fn of(self, plan: &Plan) -> Vec<u64> {
        match self {
            Self::OfScenario => (1..=u64::from(plan.seeds)).collect(),
            Self::Count(count) => (1..=u64::from(count)).collect(),
            Self::One(seed) => vec![seed],
        }
    }
}

/// Which runs keep their record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// None.
    Nothing,
    /// The first of each scenario.
    FirstSeed,
    /// All.
    Everything,
}

/// Asks a suite to stop: runs under way end, no other begins.
#[derive(Debug, Default)]
pub struct Cancel(AtomicBool);

impl Cancel {
    /// Nobody has asked yet.
    pub const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Asks. May be called from any thread and any number of times.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody has asked.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How far a suite is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Runs that are done.
    pub done: usize,
    /// Of those: runs in which something does not hold.
    pub failed: usize,
    /// Runs that were asked for.
    pub total: usize,
}

/// What a suite yielded.
#[derive(Debug)]
pub struct SuiteResult {
    /// The runs of each scenario, in the order of the plans; in each, in the order of the seeds.
    /// Where the suite was cancelled, the runs that took place.
    pub scenarios: Vec<Vec<Run>>,
    /// How many runs were asked for.
    pub asked: usize,
}

impl SuiteResult {
    /// How many runs took place.
    pub fn played(&self) -> usize {
        self.scenarios.iter().map(Vec::len).sum()
    }

    /// Whether it was cancelled before all runs took place.
    pub fn is_partial(&self) -> bool {
        self.played() < self.asked
    }
}

/// One run of one scenario.
#[derive(Debug)]
pub struct Run {
    /// Its seed.
    pub seed: u64,
    /// What it yielded.
    pub result: Result<Played, Broken>,
}

impl Run {
    /// Whether it was played and everything held.
    pub fn passed(&self) -> bool {
        self.result.as_ref().is_ok_and(|played| played.failures.is_empty())
    }
}

/// A run that was played to its end.
#[derive(Debug)]
pub struct Played {
    /// How its first call came out.
    pub outcome: Outcome,
    /// From the dial until both sides were connected.
    pub setup: Option<Duration>,
    /// The longest recovery of a connection ([`metrics::recoveries`]).
    pub recovery: Option<Duration>,
    /// The virtual time it took.
    pub elapsed: VirtualTime,
    /// The processor time it took, where that can be read.
    pub cpu: Option<Duration>,
    /// The digest of its packets.
    pub digest: Digest,
    /// What does not hold, each with the last lines of the transcript up to its moment; the first with the lines
    /// around the moment of the cause.
    pub failures: Vec<(Failure, Vec<String>)>,
    /// Why it does not hold; `None` where everything does.
    pub cause: Option<Box<Cause>>,
    /// Its record, where [`Keep`] asks for it.
    pub record: Option<Box<RunRecord>>,
}

/// A run that could not be played: the tool's fault, not the scenario's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Broken {
    /// The player panicked.
    #[error("panicked: {0}")]
    Panicked(String),
    /// It was played twice, and the two runs differ.
    #[error("{0}")]
    NotRepeatable(Difference),
    /// The player could not play it.
    #[error("not played: {0}")]
    NotPlayed(String),
}

impl Broken {
    /// The name under which reports list it, beside those of checks.
    pub const fn check(&self) -> &'static str {
        self.code().as_str()
    }

    /// What it is.
    pub const fn code(&self) -> Code {
        match self {
            Self::Panicked(_) => Code::Panicked,
            Self::NotRepeatable(_) => Code::NotRepeatable,
            Self::NotPlayed(_) => Code::NotPlayed,
        }
    }
}

impl From<RunError> for Broken {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Panicked { message, .. } => Self::Panicked(message),
            RunError::NotRepeatable { difference, .. } => Self::NotRepeatable(*difference),
            other => Self::NotPlayed(with_sources(&other)),
        }
    }
}

/// How many lines of the transcript a failure shows.
const TAIL_LINES: usize = 12;

/// A thread's stack; a world is built on it.
const STACK_BYTES: usize = 8 << 20;

/// Plays every seed of every plan with `play`, on the threads that `options` allow.
///
/// `progress` is called after each run, from any thread.
pub fn run<P, E>(
    plans: &[Plan],
    options: &Options,
    cancel: &Cancel,
    play: P,
    progress: impl Fn(Progress) + Sync,
) -> SuiteResult
where
    P: Fn(&Plan, u64) -> Result<RunRecord, E> + Sync,
    E: Into<Broken>,
{
    let jobs = jobs(plans, options);
    let results: Vec<Mutex<Option<Run>>> = jobs.iter().map(|_| Mutex::new(None)).collect();
    let (next, done, failed) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        while !cancel.is_cancelled() {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(index) else { break };
            let run = one(job, &play);
            let failed =
                failed.fetch_add(usize::from(!run.passed()), Ordering::Relaxed) + usize::from(!run.passed());
            *lock(&results[index]) = Some(run);
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            progress(Progress { done, failed, total: jobs.len() });
        }
    };
    thread::scope(|scope| {
        for _ in 1..options.jobs.get().min(jobs.len()) {
            let spawned = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
            if spawned.is_err() {
                // Fewer threads do the same work.
                break;
            }
        }
        work();
    });
    collect(plans.len(), &jobs, results)
}

/// Plays every seed of every plan twice with `programs`, and reports what does not repeat itself as
/// [`Broken::NotRepeatable`].
pub fn run_twice(
    plans: &[Plan],
    options: &Options,
    cancel: &Cancel,
    programs: &Programs,
    progress: impl Fn(Progress) + Sync,
) -> SuiteResult {
    let twice = |plan: &Plan, seed| Player::new(plan).programs(programs).seed(seed).play_twice();
    run(plans, options, cancel, twice, progress)
}

/// One run to be done.
struct Job<'a> {
    scenario: usize,
    plan: &'a Plan,
    seed: u64,
    keep: bool,
}

fn jobs<'a>(plans: &'a [Plan], options: &Options) -> Vec<Job<'a>> {
    let of_plan = |(scenario, plan): (usize, &'a Plan)| {
        let seeds = options.seeds.of(plan).into_iter().enumerate();
        seeds.map(move |(index, seed)| {
            let keep = match options.keep {
                Keep::Nothing => false,
                Keep::FirstSeed => index == 0,
                Keep::Everything => true,
            };
            Job { scenario, plan, seed, keep }
        })
    };
    plans.iter().enumerate().flat_map(of_plan).collect()
}

/// Plays one seed of one plan with `play` on this thread, judges it, and keeps its record.
pub fn one_kept<P, E>(plan: &Plan, seed: u64, play: &P) -> Run
where
    P: Fn(&Plan, u64) -> Result<RunRecord, E>,
    E: Into<Broken>,
{
    one(&Job { scenario: 0, plan, seed, keep: true }, play)
}

fn one<P, E>(job: &Job<'_>, play: &P) -> Run
where
    P: Fn(&Plan, u64) -> Result<RunRecord, E>,
    E: Into<Broken>,
{
    // A record is judged in here as well: a panic of a check is no better than one of the player.
    let attempt =
        catch_unwind(AssertUnwindSafe(|| play(job.plan, job.seed).map(|record| judge(job, record))));
    let result = match attempt {
        Ok(Ok(played)) => Ok(played),
        Ok(Err(error)) => Err(error.into()),
        Err(payload) => Err(Broken::Panicked(stage::panic_message(payload.as_ref()))),
    };
    Run { seed: job.seed, result }
}

fn judge(job: &Job<'_>, record: RunRecord) -> Played {
    let failures = checks::check(job.plan, &record);
    let cause = cause::cause(job.plan, &record, &failures).map(Box::new);
    let lines = |(index, failure): (usize, &Failure)| match &cause {
        Some(cause) if index == 0 => cause::excerpt(&record.timeline, cause),
        _ => cause::tail(&record.timeline, failure.at, TAIL_LINES),
    };
    let shown: Vec<Vec<String>> = failures.iter().enumerate().map(lines).collect();
    Played {
        outcome: metrics::outcome(job.plan, &record),
        setup: metrics::setup(job.plan, &record),
        recovery: metrics::longest_recovery(&record),
        elapsed: record.elapsed,
        cpu: record.cpu,
        digest: record.digest.clone(),
        failures: failures.into_iter().zip(shown).collect(),
        cause,
        record: job.keep.then(|| Box::new(record)),
    }
}

fn with_sources(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

fn collect(scenarios: usize, jobs: &[Job<'_>], results: Vec<Mutex<Option<Run>>>) -> SuiteResult {
    let mut by_scenario: Vec<Vec<Run>> = (0..scenarios).map(|_| Vec::new()).collect();
    for (job, result) in jobs.iter().zip(results) {
        by_scenario[job.scenario].extend(lock(&result).take());
    }
    SuiteResult { scenarios: by_scenario, asked: jobs.len() }
}

/// Nothing can go wrong while one of these locks is held.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
