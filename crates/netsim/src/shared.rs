//! What all handles to one world have in common: its parts, each behind its lock, and its clock.

use std::{
    cell::Cell,
    fmt,
    net::SocketAddr,
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use determinism::Escapes;
use timeline::VirtualTime;
use tokio::time::Instant;

use crate::{
    End, WorldConfig,
    budget::{Budget, Ending},
    ids::HostIndex,
    kernel::{Kernel, Stack},
    network::Network,
    pace::{Pace, RealTime},
    timers::Timers,
};

thread_local! {
    /// The world that runs on this thread; zero for none.
    static RUNNING: Cell<u64> = const { Cell::new(0) };
}

/// Tells worlds of one process apart; says nothing about their content.
static NEXT_WORLD: AtomicU64 = AtomicU64::new(1);

/// One world.
///
/// The locks are there because handles may wander to other threads; a world itself uses one thread, so
/// they never wait. Wakers and TCP stacks are called with the network's lock released.
pub(crate) struct Shared {
    world: u64,
    network: Mutex<Network>,
    pub(crate) kernel: Kernel,
    budget: Mutex<Budget>,
    timers: Mutex<Timers>,
    start: OnceLock<Instant>,
    last_now: AtomicU64,
    /// Whether a TCP stack may have something to send.
    stacks_busy: AtomicBool,
    /// `None` where time is virtual.
    pub(crate) real_time: Option<RealTime>,
    pub(crate) user_timeout: Duration,
    escapes: Escapes,
    pub(crate) ending: Ending,
}

/// Marks the thread as running a world, for as long as it lives.
pub(crate) struct Running {
    world: u64,
}

impl Running {
    /// `None` where this thread runs a world already.
    pub(crate) fn begin() -> Option<Self> {
        if RUNNING.get() != 0 {
            return None;
        }
        let world = NEXT_WORLD.fetch_add(1, Ordering::Relaxed);
        RUNNING.set(world);
        Some(Self { world })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.set(0);
    }
}

impl Shared {
    pub(crate) fn new(config: WorldConfig, running: &Running) -> Self {
        let WorldConfig { settings, topology } = config;
        Self {
            world: running.world,
            network: Mutex::new(Network::new(&settings, topology)),
            kernel: Kernel::new(settings.hosts.len()),
            budget: Mutex::new(Budget::new(settings.event_budget)),
            timers: Mutex::new(Timers::default()),
            start: OnceLock::new(),
            last_now: AtomicU64::new(0),
            stacks_busy: AtomicBool::new(false),
            real_time: (settings.pace == Pace::RealTime).then(RealTime::default),
            user_timeout: settings.user_timeout,
            escapes: settings.escapes,
            ending: Ending::default(),
        }
    }

    /// The world's time begins, at what tokio's clock shows.
    pub(crate) fn start_clock(&self) {
        self.start.get_or_init(Instant::now);
    }

    /// Whether this is the world of the calling thread, and not over.
    pub(crate) fn is_running_here(&self) -> bool {
        RUNNING.try_with(Cell::get) == Ok(self.world)
    }

    /// The world's time. A paused clock does not advance while tasks run, so that it is read once a jump. After
    /// the world's end the last time that was seen; in real time, on other threads, the machine's.
    pub(crate) fn now(&self) -> VirtualTime {
        if self.real_time.is_some() {
            self.read_clock();
            if let Some(start) = self.start.get().filter(|_| !self.is_running_here()) {
                return VirtualTime::from(Instant::now().saturating_duration_since(*start));
            }
        }
        VirtualTime::from_nanos(self.last_now.load(Ordering::Relaxed))
    }

    /// Takes the time from tokio's clock. Also moves the clocks of the simulation thread.
    pub(crate) fn read_clock(&self) {
        if let Some(&start) = self.start.get().filter(|_| self.is_running_here()) {
            let elapsed = Instant::now().saturating_duration_since(start);
            determinism::set_virtual_now(elapsed);
            self.last_now.store(VirtualTime::from(elapsed).as_nanos(), Ordering::Relaxed);
        }
    }

    /// The instant on tokio's clock that is `at` in virtual time.
    pub(crate) fn instant_at(&self, at: VirtualTime) -> Instant {
        let start = *self.start.get_or_init(Instant::now);
        start.checked_add(at.elapsed()).unwrap_or(start)
    }

    /// Whether a program called the machine instead of the world, where that ends the world.
    pub(crate) fn has_escaped(&self) -> bool {
        self.escapes == Escapes::Fail && determinism::has_escaped()
    }

    pub(crate) fn network(&self) -> MutexGuard<'_, Network> {
        lock(&self.network)
    }

    pub(crate) fn budget(&self) -> MutexGuard<'_, Budget> {
        lock(&self.budget)
    }

    pub(crate) fn timers(&self) -> MutexGuard<'_, Timers> {
        lock(&self.timers)
    }

    /// The TCP stack of a host.
    pub(crate) fn stack(&self, host: HostIndex) -> Stack {
        self.kernel.stack(host)
    }

    /// Sends a datagram.
    pub(crate) fn udp_send(
        &self,
        host: HostIndex,
        bound: SocketAddr,
        boots: u64,
        to: SocketAddr,
        payload: &[u8],
    ) -> std::io::Result<()> {
        let now = self.now();
        let mut network = self.network();
        if !network.is_alive(host, boots) {
            return Err(std::io::ErrorKind::NotConnected.into());
        }
        network.udp_send(now, host, bound, to, payload)
    }

    /// A program called into a TCP stack, which may have something to send now.
    pub(crate) fn stack_was_called(&self) {
        self.stacks_busy.store(true, Ordering::Relaxed);
    }

    /// Whether a TCP stack may have something to send.
    pub(crate) fn has_busy_stacks(&self) -> bool {
        self.stacks_busy.load(Ordering::Relaxed)
    }

    /// The same; from now on none has.
    pub(crate) fn take_busy_stacks(&self) -> bool {
        self.stacks_busy.swap(false, Ordering::Relaxed)
    }

    /// Ends the world, if there is a reason to.
    pub(crate) fn end(&self, reason: Option<End>) {
        if let Some(reason) = reason {
            self.ending.end(reason);
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (now, tcp_flows) = (self.now(), self.network().tcp_flows());
        f.debug_struct("World").field("now", &now).field("tcp_flows", &tcp_flows).finish_non_exhaustive()
    }
}

/// A panic elsewhere is reported where it happened; the data behind the lock is still whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
