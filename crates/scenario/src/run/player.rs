use std::{collections::BTreeMap, sync::Arc};

use cpu_time::ThreadTime;
use determinism::crypto::key_log;
use netsim::{End, Pace, World, WorldError};
use stage::{Place, Program, StageError};
use thiserror::Error;
use timeline::Name;

use super::{
    build,
    outside::Outside,
    programs::Programs,
    recorder::{Recorded, Recording},
    script::{self, SceneError},
    twice::Difference,
};
use crate::{
    plan::Plan,
    record::{Leftovers, RunRecord, WireRecord, WorldEnd},
};

/// Plays a plan: `Player::new(&plan).seed(7).play()`.
///
/// The same plan, seed and programs give the same record (its processor time aside) on every machine, in every process
/// and on any number of threads.
#[derive(Clone)]
#[must_use = "nothing is played before `seed` and `play`"]
pub struct Player<'p> {
    plan: &'p Plan,
    programs: Programs,
    pace: Pace,
    outside: Option<Arc<dyn Outside>>,
    relay_log: RelayLog,
    wire: WireLog,
}

/// A player that knows its seed.
#[derive(Clone)]
#[must_use = "nothing is played before `play`"]
pub struct SeededPlayer<'p> {
    player: Player<'p>,
    seed: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum RelayLog {
    Kept,
    Off,
}

/// Whether the bytes of packets are kept, and the keys to them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum WireLog {
    Kept,
    Off,
}

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
    /// What the plan asks for could not be set up in its world.
    #[error("the world of `{plan}` (seed {seed}): {source}")]
    Scene {
        /// The plan's name.
        plan: String,
        /// The seed.
        seed: u64,
        /// What went wrong.
        source: SceneError,
    },
    /// It was played twice, and the two runs differ.
    #[error("`{plan}` (seed {seed}) does not repeat itself: {difference}")]
    NotRepeatable {
        /// The plan's name.
        plan: String,
        /// The seed.
        seed: u64,
        /// The first thing that differs.
        difference: Box<Difference>,
    },
    /// Something in the world panicked: a bug of callsim, of a program in it, or of the stack under test.
    #[error("`{plan}` (seed {seed}) panicked: {message}")]
    Panicked {
        /// The plan's name.
        plan: String,
        /// The seed.
        seed: u64,
        /// The text of the panic.
        message: String,
    },
}

impl<'p> Player<'p> {
    /// Plays `plan` in virtual time, with the call engine at every peer.
    pub const fn new(plan: &'p Plan) -> Self {
        Self {
            plan,
            programs: Programs::new(),
            pace: Pace::Virtual,
            outside: None,
            relay_log: RelayLog::Off,
            wire: WireLog::Off,
        }
    }

    /// What is played.
    pub const fn plan(&self) -> &'p Plan {
        self.plan
    }

    /// Runs another program than the call engine: at the peer of this name, or at every peer whose scenario says
    /// `program = "NAME"`. `start` is called once for each such peer, on the world's thread.
    pub fn program<P: Program + 'static>(
        mut self,
        name: impl Into<Name>,
        start: impl Fn(Place) -> P + Send + Sync + 'static,
    ) -> Self {
        self.programs = self.programs.with(name, start);
        self
    }

    /// The same with programs that were put together before, for suites that play many plans.
    pub fn programs(mut self, programs: &Programs) -> Self {
        self.programs = programs.clone();
        self
    }

    /// Plays in real time: the same world with the machine's clock, to check virtual time against.
    ///
    /// It takes as long as the plan says, and no two runs are the same: the seed decides the network's draws and the
    /// programs' randomness, but when they are made depends on the machine. [`RunRecord::lateness`] shows how late the
    /// machine was with packets. Times of the record have fractions of a millisecond, and steps happen up to some
    /// milliseconds later than the plan says.
    pub fn real_time(mut self) -> Self {
        self.pace = Pace::RealTime;
        self
    }

    /// Plays in real time with programs outside of the world: those that are given as programs only stand for them, and
    /// the engine runs where `outside` says.
    pub fn outside(mut self, outside: Arc<dyn Outside>) -> Self {
        self.outside = Some(outside);
        self.real_time()
    }

    /// Keeps the relay's log in [`RunRecord::relay_log`]: what a relay with `serve --log` would have written of this
    /// call, times in virtual milliseconds.
    pub fn relay_log(mut self) -> Self {
        self.relay_log = RelayLog::Kept;
        self
    }

    /// Keeps the bytes of all packets, and the keys to them, in [`RunRecord::wire`]. It changes nothing else: the record
    /// and its digest are those of a run that keeps none.
    pub fn wire(mut self) -> Self {
        self.wire = WireLog::Kept;
        self
    }

    /// With this seed: where all randomness of the world and its programs comes from.
    pub fn seed(self, seed: u64) -> SeededPlayer<'p> {
        SeededPlayer { player: self, seed }
    }
}

/// As [`Player::new`].
impl<'p> From<&'p Plan> for Player<'p> {
    fn from(plan: &'p Plan) -> Self {
        Self::new(plan)
    }
}

impl SeededPlayer<'_> {
    /// Plays on a fresh thread.
    ///
    /// # Errors
    /// [`RunError`]. A call that fails is not an error: the record shows it.
    pub fn play(&self) -> Result<RunRecord, RunError> {
        match stage::on_thread(self.seed, || self.on_this_thread()) {
            Ok(played) => played,
            Err(error) => Err(self.error(error)),
        }
    }

    /// Plays on the calling thread, which must be a fresh simulation thread with [`stage::thread_settings`] of the same
    /// seed, to measure a run without the start of its thread.
    ///
    /// # Errors
    /// As for [`SeededPlayer::play`], also where the thread is not a simulation thread.
    pub fn on_this_thread(&self) -> Result<RunRecord, RunError> {
        let started = ThreadTime::now();
        let (plan, seed) = (self.player.plan, self.seed);
        let recording = Recording::new(plan);
        if self.player.relay_log == RelayLog::Kept {
            recording.log_relay();
        }
        let is_kept = self.player.wire == WireLog::Kept;
        if is_kept {
            key_log::begin();
        }
        let outside = self.player.outside.as_ref();
        let config = build::world_config(self.player.pace, self.player.wire, outside, plan, seed)
            .map_err(|source| self.scene_error(source.into()))?;
        let programs = &self.player.programs;
        let script = |world| script::run(plan, seed, (programs, outside), world, recording.clone());
        let outcome = World::run(config, script).map_err(|error| self.error(error.into()))?;
        let leftovers = match outcome.value {
            Some(Ok(leftovers)) => leftovers,
            Some(Err(source)) => return Err(self.scene_error(source)),
            None => cut_short(plan, &outcome.leftovers.at_end),
        };
        let Recorded { mut timeline, peers, signalling, not_understood, relay_log } = recording.finish();
        timeline.packets = outcome.packets;
        let keys = if is_kept { key_log::take() } else { Vec::new() };
        let wire = outcome.wire.map(|wire| WireRecord { wire, keys });
        Ok(RunRecord {
            seed,
            end: match outcome.end {
                End::Finished => WorldEnd::Finished,
                End::Deadline => WorldEnd::Deadline,
                End::EventBudget => WorldEnd::EventBudget,
                End::Stalled => WorldEnd::Stalled,
                End::Escaped => WorldEnd::Escaped,
            },
            timeline,
            digest: outcome.digest,
            elapsed: outcome.elapsed,
            cpu: Some(started.elapsed()),
            peers,
            signalling,
            leftovers,
            escapes: outcome.escapes,
            not_understood,
            lateness: outcome.lateness,
            relay_log,
            wire,
        })
    }

    pub(super) fn not_repeatable(&self, difference: Difference) -> RunError {
        let (plan, seed) = (self.player.plan.name().to_owned(), self.seed);
        RunError::NotRepeatable { plan, seed, difference: Box::new(difference) }
    }

    fn scene_error(&self, source: SceneError) -> RunError {
        RunError::Scene { plan: self.player.plan.name().to_owned(), seed: self.seed, source }
    }

    fn error(&self, error: StageError) -> RunError {
        let (plan, seed) = (self.player.plan.name().to_owned(), self.seed);
        match error {
            StageError::Unsupported(unsupported) => RunError::Unsupported(unsupported),
            StageError::World(source) => RunError::World { plan, seed, source },
            StageError::Panicked(message) => RunError::Panicked { plan, seed, message },
        }
    }
}

/// What a world that was stopped before the end of its script still held: its sockets. Tasks and timers were taken
/// down with it.
fn cut_short(plan: &Plan, sockets: &BTreeMap<Name, usize>) -> BTreeMap<Name, Leftovers> {
    let of = |name: &Name| Leftovers {
        sockets: sockets.get(name).copied().unwrap_or_default(),
        ..Leftovers::default()
    };
    plan.peers.iter().map(|peer| (peer.name.clone(), of(&peer.name))).collect()
}
