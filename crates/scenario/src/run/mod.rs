//! Plays one plan with one seed in a world of its own, and keeps what it yields.

mod application;
mod build;
mod certificates;
mod ice_server;
mod numbered;
mod recorder;
mod room;
mod script;
mod signalling;
mod user;

use std::{any::Any, collections::BTreeMap, sync::Arc, time::Duration};

use cpu_time::ThreadTime;
use netsim::{End, Pace, World};
pub use netsim::{Lateness, WorldError};
use thiserror::Error;
use timeline::Name;

use crate::{
    plan::Plan,
    record::{Leftovers, RunRecord, WorldEnd},
};
use recorder::Recording;

/// What the wall clock of every world shows at its beginning: 2026-01-01 00:00:00 UTC, in seconds since
/// 1970. Certificates and SDP carry it, so that it is part of the promise that a seed gives its bytes.
const EPOCH_S: u64 = 1_767_225_600;

/// Why a run yields nothing.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// This platform cannot be made deterministic.
    #[error("{0}")]
    Unsupported(#[from] determinism::Unsupported),
    /// The world could not be built or driven.
    #[error("the world of `{plan}` (seed {seed}): {source}")]
    World {
        /// The plan's name.
        plan: String,
        /// The seed.
        seed: u64,
        /// What went wrong.
        source: WorldError,
    },
    /// Something in the world panicked: our bug, or one of the stack under test.
    #[error("`{plan}` (seed {seed}) panicked: {message}")]
    Panicked {
        /// The plan's name.
        plan: String,
        /// The seed.
        seed: u64,
        /// What the panic said.
        message: String,
    },
}

/// Plays `plan` with `seed`. The same two give the same record (its processor time aside) on every
/// machine, in every process and on any number of threads.
///
/// # Errors
///
/// [`RunError`]. A call that fails is no error: it is what the record shows.
pub fn play(plan: &Plan, seed: u64) -> Result<RunRecord, RunError> {
    play_at(Pace::Virtual, plan, seed, RelayLogged::No).map(|(record, ..)| record)
}

/// Plays `plan` with `seed` like [`play`], and writes the relay's log: what a relay with `cargo xtask serve --log`
/// would have written of this call, times in virtual milliseconds.
///
/// # Errors
///
/// As for [`play`].
pub fn play_logged(plan: &Plan, seed: u64) -> Result<(RunRecord, String), RunError> {
    play_at(Pace::Virtual, plan, seed, RelayLogged::Yes).map(|(record, _, log)| (record, log))
}

/// Whether the relay's log is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RelayLogged {
    Yes,
    No,
}

/// What a run yields, how late the machine was, and the relay's log.
type Played = (RunRecord, Lateness, String);

/// Plays `plan` in real time: the same world with the machine's clock, to check virtual time against.
///
/// It takes as long as the plan says, and no two runs are the same: `seed` decides the network's draws
/// and the programs' randomness, but when they are made depends on the machine. Says also how late the
/// machine was with packets. Times of the record have fractions of a millisecond, and steps happen up to
/// some milliseconds later than the plan says.
///
/// # Errors
///
/// As for [`play`].
pub fn play_in_real_time(plan: &Plan, seed: u64) -> Result<(RunRecord, Lateness), RunError> {
    play_at(Pace::RealTime, plan, seed, RelayLogged::No).map(|(record, lateness, _)| (record, lateness))
}

/// What the simulation thread of a run with `seed` depends on, for [`play_on_this_thread`].
pub const fn thread_settings(seed: u64) -> determinism::Settings {
    determinism::Settings { seed, epoch_s: EPOCH_S }
}

/// Plays `plan` on the calling thread, which must be a fresh simulation thread with [`thread_settings`]: for who
/// wants to measure a run without the start of its thread. Everybody else has [`play`], of which this is a part.
///
/// # Errors
///
/// [`WorldError`], also where the thread is no simulation thread.
pub fn play_on_this_thread(plan: &Plan, seed: u64) -> Result<RunRecord, WorldError> {
    play_here(Pace::Virtual, plan, seed, RelayLogged::No).map(|(record, ..)| record)
}

fn play_at(pace: Pace, plan: &Plan, seed: u64, logged: RelayLogged) -> Result<Played, RunError> {
    determinism::supported()?;
    let played =
        determinism::on_simulation_thread(thread_settings(seed), || play_here(pace, plan, seed, logged));
    match played {
        Ok(result) => result.map_err(|source| RunError::World { plan: plan.name.clone(), seed, source }),
        Err(panic) => {
            Err(RunError::Panicked { plan: plan.name.clone(), seed, message: panic_message(&*panic) })
        }
    }
}

fn play_here(pace: Pace, plan: &Plan, seed: u64, logged: RelayLogged) -> Result<Played, WorldError> {
    let started = ThreadTime::now();
    let recording = Recording::new(plan);
    if logged == RelayLogged::Yes {
        recording.log_relay();
    }
    let shared = recording.clone();
    let config = build::world_config(pace, plan, seed)?;
    let outcome = World::run(config, |world| script::run(Arc::new(plan.clone()), seed, world, shared))?;
    let end = match outcome.end {
        End::Finished => WorldEnd::Finished,
        End::Deadline => WorldEnd::Deadline,
        End::EventBudget => WorldEnd::EventBudget,
        End::Stalled => WorldEnd::Stalled,
        End::Escaped => WorldEnd::Escaped,
    };
    let leftovers = outcome.value.unwrap_or_else(|| cut_short(plan, &outcome.leftovers.at_end));
    let relay_log = recording.relay_log();
    let (mut timeline, peers, signalling) = recording.finish();
    timeline.packets = outcome.packets;
    let record = RunRecord {
        seed,
        end,
        timeline,
        digest: outcome.digest,
        elapsed: outcome.elapsed,
        cpu: Some(started.elapsed()),
        peers,
        signalling,
        leftovers,
        escapes: outcome.escapes,
    };
    Ok((record, outcome.lateness.unwrap_or_default(), relay_log))
}

/// What a world that was stopped before its script came to its end still held: its sockets. Tasks and
/// timers were taken down with it.
fn cut_short(plan: &Plan, sockets: &BTreeMap<Name, usize>) -> BTreeMap<Name, Leftovers> {
    let of = |name: &Name| Leftovers {
        sockets: sockets.get(name).copied().unwrap_or_default(),
        ..Leftovers::default()
    };
    plan.peers.iter().map(|peer| (peer.name.clone(), of(&peer.name))).collect()
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_owned())
}

/// How long the script waits, after all calls have ended, for what is still on its way.
const SETTLE: Duration = Duration::from_secs(1);
