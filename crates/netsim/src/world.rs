use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::Arc,
    time::Duration,
};

use thiserror::Error;
use timeline::{Name, VirtualTime};
use tokio::runtime::Runtime;

use crate::{
    Access, ConfigError, Counts, End, Half, Handover, HandoverError, Host, Leftovers, LinkModel, LinkState,
    Outcome, Pace, Power, Schedule, Sleep, UnknownHost, WorldConfig,
    ids::HostIndex,
    pace::RealTime,
    pump::{self, Pump},
    shared::{Running, Shared},
};

/// A running world: a cheap handle to its network and its clock.
///
/// It may be kept and sent anywhere; on other threads, and after the world's end, it shows the last
/// state and its sockets answer with errors.
#[derive(Clone)]
pub struct World {
    shared: Arc<Shared>,
}

/// Why a world could not be built or run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WorldError {
    /// It would depend on the clock and the randomness of the machine.
    #[error("a world runs only on a simulation thread (determinism::on_simulation_thread)")]
    NotOnSimulationThread,
    /// Worlds cannot be nested.
    #[error("this thread runs a world already; give each its own thread")]
    Nested,
    /// The configuration describes no possible world: found when it is built, never by [`World::run`].
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The runtime could not be built.
    #[error("cannot build the runtime of a world")]
    Runtime(#[source] std::io::Error),
}

impl World {
    /// Runs a world to its end on this thread, with a runtime of its own, and `main` in it.
    ///
    /// Tasks that `main` spawns with `tokio::spawn` end with it. A panic in `main` comes through, except
    /// where the world ends with [`End::Escaped`]; one in a spawned task stays in its `JoinHandle`, as with
    /// tokio.
    ///
    /// # Errors
    /// Where this is no simulation thread, or runs a world already.
    pub fn run<T, F>(config: WorldConfig, main: impl FnOnce(Self) -> F) -> Result<Outcome<T>, WorldError>
    where
        F: Future<Output = T>,
    {
        if !determinism::is_simulation_thread() {
            return Err(WorldError::NotOnSimulationThread);
        }
        let (pace, deadline) = (config.settings.pace, config.settings.deadline);
        if pace == Pace::RealTime {
            determinism::use_system_clocks();
        }
        determinism::set_escapes(config.settings.escapes);
        let running = Running::begin().ok_or(WorldError::Nested)?;
        let shared = Arc::new(Shared::new(config, &running));
        // From here on, also in a panic, the runtime goes first, with all tasks and their sockets.
        let pump = Arc::new(Pump::new(&shared));
        let runtime = runtime(&pump, &shared, pace).map_err(WorldError::Runtime)?;
        let pumping = Pumping(&pump);
        let world = Self { shared: Arc::clone(&shared) };
        // `main` itself is called within the runtime, so that it may spawn tasks and make timers.
        let main = async { main(world).await };
        let (value, end) = run_out(&runtime, &shared, deadline, main);
        let elapsed = shared.now();
        let at_end = open_sockets(&shared);
        drop(pumping);
        drop(runtime);
        let leftovers = Leftovers { at_end, after_shutdown: open_sockets(&shared) };
        let counts = counts(&shared);
        let payloads = shared.network().take_payloads();
        let (packets, digest) = shared.network().take_log();
        let lateness = shared.real_time.as_ref().map(RealTime::lateness);
        // Also where it was not at rest any more, or in what its tasks did while they were dropped.
        let end = if shared.has_escaped() { End::Escaped } else { end };
        let escapes = determinism::take_escapes();
        Ok(Outcome { value, end, packets, payloads, digest, elapsed, counts, leftovers, lateness, escapes })
    }

    /// Virtual time since the world began. Whole milliseconds, except in a world in real time.
    pub fn now(&self) -> VirtualTime {
        self.shared.now()
    }

    /// The same moment as an `Instant`, for code that wants one.
    pub fn instant(&self) -> std::time::Instant {
        self.shared.instant_at(self.shared.now()).into_std()
    }

    /// The host called `name`.
    ///
    /// # Errors
    /// Where there is none.
    pub fn host(&self, name: &Name) -> Result<Host, UnknownHost> {
        let index = self.index(name)?;
        Ok(Host::new(&self.shared, index))
    }

    /// Gives one half of a host's link other properties, for every packet that has yet to enter it. Where the
    /// host has several attachments, here and below, the newest one is meant.
    ///
    /// # Errors
    /// Where there is no such host.
    pub fn set_link(&self, host: &Name, half: Half, model: LinkModel) -> Result<(), UnknownHost> {
        let host = self.index(host)?;
        self.shared.network().set_link(host, half, model);
        Ok(())
    }

    /// Changes a host's link, for every packet that has yet to enter a half of it.
    ///
    /// # Errors
    /// Where there is no such host.
    pub fn update_access(&self, host: &Name, change: impl FnOnce(&mut Access)) -> Result<(), UnknownHost> {
        let host = self.index(host)?;
        let mut access = self.shared.network().access(host);
        change(&mut access);
        self.shared.network().set_access(host, access);
        Ok(())
    }

    /// Takes both halves of a host's link down, or up again.
    ///
    /// # Errors
    /// Where there is no such host.
    pub fn set_link_state(&self, host: &Name, state: LinkState) -> Result<(), UnknownHost> {
        let is_up = state == LinkState::Up;
        self.update_access(host, |access| {
            access.up.up = is_up;
            access.down.up = is_up;
        })
    }

    /// Starts to change a host's link in the course of time, from now on. It ends what an earlier schedule
    /// has yet to do.
    ///
    /// # Errors
    /// Where there is no such host.
    pub fn schedule_access(&self, host: &Name, schedule: &Schedule) -> Result<(), UnknownHost> {
        let host = self.index(host)?;
        pump::change(&self.shared, |network, now, _| network.start_schedule(now, host, schedule));
        Ok(())
    }

    /// Moves a host to another attachment: other addresses, another link, another gateway. A later move ends
    /// what an earlier one has yet to do.
    ///
    /// # Errors
    /// Where there is no such host or gateway, or the host cannot have the addresses. Nothing has changed then.
    pub fn handover(&self, host: &Name, handover: &Handover) -> Result<(), HandoverError> {
        let host = self.index(host)?;
        pump::change(&self.shared, |network, now, effects| network.handover(now, host, handover, effects))
    }

    /// Switches a host off, or on again.
    ///
    /// Off, nothing leaves it and nothing reaches it: datagrams are gone, TCP segments are held by their
    /// senders. Its sockets answer `NotConnected` from then on, also when it is back; a listener, and the streams
    /// that it accepted, are to be dropped before its port can be bound again. A host that is back knows nothing: what its peers send on
    /// connections from before is answered with a reset, while a peer that has nothing to say learns nothing.
    /// The programs of a host are the caller's to end: its tasks go on.
    ///
    /// # Errors
    /// Where there is no such host.
    pub fn set_power(&self, host: &Name, power: Power) -> Result<(), UnknownHost> {
        let host = self.index(host)?;
        pump::change(&self.shared, |network, now, effects| network.set_power(now, host, power, effects));
        Ok(())
    }

    /// How many UDP sockets, TCP streams and listeners programs hold open on a host.
    ///
    /// # Errors
    /// Where there is no such host.
    pub fn open_sockets(&self, host: &Name) -> Result<usize, UnknownHost> {
        let host = self.index(host)?;
        Ok(self.shared.network().open_sockets(host))
    }

    /// How much has happened so far.
    pub fn counts(&self) -> Counts {
        counts(&self.shared)
    }

    /// A timer of `duration`, which the pump releases like a packet: one at a time, after everything
    /// that the one before it set going has come to rest.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        self.sleep_until(self.shared.now() + duration)
    }

    /// The same until the moment `at`. One that has passed is released at the next rest.
    pub fn sleep_until(&self, at: VirtualTime) -> Sleep {
        self.count_timer();
        Sleep::until(&self.shared, at)
    }

    /// Announces a timer, so that a loop of zero-length ones ends the world.
    fn count_timer(&self) {
        let now = self.shared.now();
        let end = self.shared.budget().spend_timer(now);
        self.shared.end(end);
    }

    fn index(&self, name: &Name) -> Result<HostIndex, UnknownHost> {
        self.shared.network().host(name)
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.fmt(f)
    }
}

/// One thread, a clock that is paused and jumps from timer to timer (unless time is real), and the two
/// moments that a world must know of: when nothing can run any more, and when time has moved.
fn runtime(pump: &Arc<Pump>, shared: &Shared, pace: Pace) -> std::io::Result<Runtime> {
    let (at_rest, at_work) = (Arc::clone(pump), Arc::clone(pump));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(pace == Pace::Virtual)
        .on_thread_park(move || at_rest.at_rest())
        .on_thread_unpark(move || at_work.at_work())
        .build()?;
    {
        let _context = runtime.enter();
        shared.start_clock();
        pump.start();
    }
    Ok(runtime)
}

/// The pump has the runtime's timers, and the runtime has the pump: one of them is to let go.
struct Pumping<'a>(&'a Pump);

impl Drop for Pumping<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Drives `main` to the end of the world. Where it panics when it is refused a call to the machine (as
/// `std::thread::spawn` does), that call is why the world ends.
fn run_out<T>(
    runtime: &Runtime,
    shared: &Arc<Shared>,
    deadline: Duration,
    main: impl Future<Output = T>,
) -> (Option<T>, End) {
    match catch_unwind(AssertUnwindSafe(|| runtime.block_on(live(shared, deadline, main)))) {
        Ok(lived) => lived,
        Err(_) if shared.has_escaped() => (None, End::Escaped),
        Err(panic) => resume_unwind(panic),
    }
}

/// Drives `main` until it returns or the world has to end.
async fn live<T>(
    shared: &Arc<Shared>,
    deadline: Duration,
    main: impl Future<Output = T>,
) -> (Option<T>, End) {
    let ringing = async {
        match &shared.real_time {
            Some(real_time) => real_time.ringing().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        end = shared.ending.ended() => (None, end),
        () = ringing => unreachable!("an alarm never rings for the last time"),
        finished = tokio::time::timeout(deadline, main) => match finished {
            Ok(value) => (Some(value), End::Finished),
            Err(_) => (None, End::Deadline),
        },
    }
}

fn open_sockets(shared: &Shared) -> BTreeMap<Name, usize> {
    let network = shared.network();
    let counts =
        network.host_names().enumerate().map(|(host, name)| (name.clone(), network.open_sockets(host)));
    counts.filter(|(_, open)| *open > 0).collect()
}

fn counts(shared: &Shared) -> Counts {
    let mut counts = shared.network().counts();
    let budget = shared.budget();
    (counts.events, counts.timers) = (budget.events, budget.timers);
    counts
}
