//! Plays the calls: in virtual time on all cores, in real time a few at once.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use scenario::{
    plan::{Device, Plan},
    record::RunRecord,
    run::{Lateness, Player, RunError},
    suite::{self, Broken, Cancel, Keep, Options, Run, Seeds},
};

use super::call::call;
use crate::progress::Bar;

/// How many calls are played in real time at once. A call computes for some 20 ms in the course of 5 s or more, so
/// that a dozen of them leave two cores idle for more than nine tenths of the time.
pub(super) const JOBS: NonZeroUsize = NonZeroUsize::new(12).unwrap();

/// A call in which a packet was later than this is played again: something else had the processor.
///
/// Where nothing else runs, the latest packet is some 5 ms late: it had to wait while a program computed.
const DISTURBED: Duration = Duration::from_millis(10);
/// How often a call is played at most; the last time counts, disturbed or not.
const ATTEMPTS: usize = 4;

/// The calls at one delay.
pub(super) struct AtDelay {
    /// From any host to any other.
    pub(super) one_way: Duration,
    pub(super) in_virtual_time: Vec<Run>,
    pub(super) in_real_time: Vec<Run>,
    /// How late packets were in real time, over all runs.
    pub(super) lateness: Lateness,
    /// Calls that were played again because something else had the processor.
    pub(super) repeated: usize,
}

impl AtDelay {
    /// The first call that could not be played.
    pub(super) fn broken(&self) -> Option<&Broken> {
        self.in_virtual_time.iter().chain(&self.in_real_time).find_map(|run| run.result.as_ref().err())
    }
}

/// Plays `runs` calls at each delay, each in both times, in virtual time on `device`.
pub(super) fn play(delays: &[Duration], runs: u32, device: Device, jobs: NonZeroUsize) -> Vec<AtDelay> {
    let plans = |device| delays.iter().map(|delay| call(*delay, device)).collect::<Vec<_>>();
    let (modelled, real) = (plans(device), plans(Device::Instant));
    let options = |jobs| Options { seeds: Seeds::Count(runs), jobs, keep: Keep::Everything };
    let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let (bar, cancel) = (Bar::new(), Cancel::new());
    let in_virtual_time = suite::run(
        &modelled,
        &options(cores),
        &cancel,
        |plan, seed| Player::new(plan).seed(seed).play(),
        |_| {},
    );
    let (starts, tallies) = (Starts::spread(&real, jobs), Tallies::default());
    let play_one = |plan: &Plan, seed| play_undisturbed(plan, seed, &starts, &tallies);
    let in_real_time = suite::run(&real, &options(jobs), &cancel, play_one, |progress| bar.show(progress));
    bar.clear();
    let both = in_virtual_time.scenarios.into_iter().zip(in_real_time.scenarios);
    let played =
        delays.iter().zip(&real).zip(both).map(|((one_way, plan), (in_virtual_time, in_real_time))| {
            let (lateness, repeated) = tallies.of(plan);
            AtDelay { one_way: *one_way, in_virtual_time, in_real_time, lateness, repeated }
        });
    played.collect()
}

/// Plays one call in real time, and again where something else had the processor meanwhile.
fn play_undisturbed(
    plan: &Plan,
    seed: u64,
    starts: &Starts,
    tallies: &Tallies,
) -> Result<RunRecord, RunError> {
    let mut attempt = 1;
    loop {
        starts.wait();
        let record = Player::new(plan).real_time().seed(seed).play()?;
        let late = record.lateness.unwrap_or_default();
        if late.most <= DISTURBED || attempt >= ATTEMPTS {
            tallies.played(plan, late);
            return Ok(record);
        }
        tallies.repeats(plan);
        attempt += 1;
    }
}

/// Keeps the beginnings of calls apart: those that begin together compute at the same moments.
struct Starts {
    apart: Duration,
    next: Mutex<Instant>,
}

impl Starts {
    /// As far apart as the shortest of the plans allows without leaving one of so many places idle.
    fn spread(plans: &[Plan], jobs: NonZeroUsize) -> Self {
        let length = plans.iter().filter_map(|plan| plan.steps().last()).map(|last| last.at).min();
        let jobs = u32::try_from(jobs.get()).unwrap_or(u32::MAX);
        Self { apart: length.unwrap_or_default() / jobs, next: Mutex::new(now()) }
    }

    #[allow(clippy::disallowed_methods, reason = "calls in real time begin at real instants")]
    fn wait(&self) {
        let now = now();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let start = now.max(*next);
        *next = start + self.apart;
        drop(next);
        thread::sleep(start - now);
    }
}

#[allow(clippy::disallowed_methods, reason = "calls in real time begin at real instants")]
fn now() -> Instant {
    Instant::now()
}

/// How busy the machine was during the calls of each plan, by its name: how late packets were in those
/// that count, and how many do not count.
#[derive(Default)]
struct Tallies(Mutex<BTreeMap<String, (Lateness, usize)>>);

impl Tallies {
    fn played(&self, plan: &Plan, late: Lateness) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (sum, _) = all.entry(plan.name().to_owned()).or_default();
        *sum = Lateness {
            releases: sum.releases.saturating_add(late.releases),
            total: sum.total + late.total,
            most: sum.most.max(late.most),
            p50: sum.p50.max(late.p50),
            p99: sum.p99.max(late.p99),
        };
    }

    fn repeats(&self, plan: &Plan) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(plan.name().to_owned()).or_default().1 += 1;
    }

    fn of(&self, plan: &Plan) -> (Lateness, usize) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(plan.name()).copied().unwrap_or_default()
    }
}
