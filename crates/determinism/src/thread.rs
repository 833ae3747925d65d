//! What a simulation thread keeps: its random stream, its clock, its bound sockets.
//!
//! Every access survives the destruction of thread-locals, since the hooks are called to the very end
//! of a thread: what cannot be reached counts as "not simulating".

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    net::SocketAddr,
    time::Duration,
};

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use crate::{Settings, escape};

thread_local! {
    static ACTIVE: Cell<bool> = const { Cell::new(false) };
    static SYSTEM_CLOCKS: Cell<bool> = const { Cell::new(false) };
    static EPOCH: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    static VIRTUAL_NOW: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    static DRAWS: Cell<u64> = const { Cell::new(0) };
    static STREAM: RefCell<Option<ChaCha8Rng>> = const { RefCell::new(None) };
    static BOUND: RefCell<Bound> = const { RefCell::new(Bound::new()) };
}

/// What the monotonic clock shows at virtual time zero: far enough from zero that code may subtract
/// hours from an `Instant`.
const MONOTONIC_BASE: Duration = Duration::from_secs(1_000_000);

/// Keeps the thread of a stream of its own apart from the streams of the crypto providers.
const STREAM_TAG: u64 = u64::from_le_bytes(*b"callsim\0");

/// The hooks act on this thread for as long as this lives.
pub(crate) struct Active(());

impl Active {
    pub(crate) fn begin(settings: Settings) -> Self {
        STREAM.set(Some(stream(settings.seed, STREAM_TAG)));
        EPOCH.set(Duration::from_secs(settings.epoch_s));
        VIRTUAL_NOW.set(Duration::ZERO);
        SYSTEM_CLOCKS.set(false);
        DRAWS.set(0);
        BOUND.set(Bound::new());
        escape::reset();
        ACTIVE.set(true);
        Self(())
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        ACTIVE.set(false);
        STREAM.set(None);
    }
}

/// The random stream number `number` of `seed`.
pub(crate) fn stream(seed: u64, number: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&number.to_le_bytes());
    ChaCha8Rng::from_seed(key)
}

pub(crate) fn is_active() -> bool {
    ACTIVE.try_with(Cell::get).unwrap_or(false)
}

pub(crate) fn use_system_clocks() {
    if is_active() {
        SYSTEM_CLOCKS.set(true);
    }
}

/// Whether this thread's clocks are those of its simulation.
pub(crate) fn has_virtual_clocks() -> bool {
    is_active() && !SYSTEM_CLOCKS.try_with(Cell::get).unwrap_or(true)
}

pub(crate) fn set_virtual_now(elapsed: Duration) {
    if is_active() {
        VIRTUAL_NOW.set(elapsed);
    }
}

pub(crate) fn virtual_now() -> Duration {
    if is_active() { VIRTUAL_NOW.get() } else { Duration::ZERO }
}

pub(crate) fn draws() -> u64 {
    DRAWS.try_with(Cell::get).unwrap_or(0)
}

/// Fills `bytes` from the stream; `false` where this thread does not simulate.
pub(crate) fn fill_random(bytes: &mut [u8]) -> bool {
    if !is_active() {
        return false;
    }
    let filled = STREAM.try_with(|stream| match stream.try_borrow_mut().as_deref_mut() {
        Ok(Some(stream)) => {
            stream.fill_bytes(bytes);
            true
        }
        _ => false,
    });
    let filled = filled.unwrap_or(false);
    if filled {
        DRAWS.set(DRAWS.get() + 1);
    }
    filled
}

/// The wall clock: time since 1970. `None` where this thread goes by the system's.
pub(crate) fn realtime() -> Option<Duration> {
    has_virtual_clocks().then(|| EPOCH.get() + VIRTUAL_NOW.get())
}

/// The monotonic clock. `None` where this thread goes by the system's.
pub(crate) fn monotonic() -> Option<Duration> {
    has_virtual_clocks().then(|| MONOTONIC_BASE + VIRTUAL_NOW.get())
}

/// Notes that `fd` has the name `address`, with an ephemeral port for port 0; `false` where this
/// thread does not simulate.
pub(crate) fn bind(fd: i32, address: SocketAddr) -> bool {
    is_active() && with_bound(|bound| bound.insert(fd, address)).is_some()
}

/// The name of `fd`, if it was bound on this thread.
pub(crate) fn bound(fd: i32) -> Option<SocketAddr> {
    if !is_active() {
        return None;
    }
    with_bound(|bound| bound.names.get(&fd).copied()).flatten()
}

pub(crate) fn take_bound(fd: i32) -> Option<SocketAddr> {
    with_bound(|bound| bound.names.remove(&fd)).flatten()
}

fn with_bound<R>(f: impl FnOnce(&mut Bound) -> R) -> Option<R> {
    BOUND.try_with(|bound| bound.try_borrow_mut().ok().map(|mut bound| f(&mut bound))).ok().flatten()
}

/// Sockets by file descriptor. A descriptor that was closed without [`take_bound`] keeps its name until
/// its number is bound again.
struct Bound {
    names: BTreeMap<i32, SocketAddr>,
    next_port: u16,
}

/// The dynamic port range of RFC 6335 §6, 49152 to 65535.
const FIRST_EPHEMERAL_PORT: u16 = 49152;

impl Bound {
    const fn new() -> Self {
        Self { names: BTreeMap::new(), next_port: FIRST_EPHEMERAL_PORT }
    }

    fn insert(&mut self, fd: i32, mut address: SocketAddr) {
        self.names.remove(&fd);
        if address.port() == 0 {
            address.set_port(self.ephemeral_port());
        }
        self.names.insert(fd, address);
    }

    /// The next port that no socket of this thread has; after 16 384 of them in use, one of those.
    fn ephemeral_port(&mut self) -> u16 {
        let mut port = self.next_port;
        for _ in FIRST_EPHEMERAL_PORT..=u16::MAX {
            port = self.next_port;
            self.next_port = port.checked_add(1).unwrap_or(FIRST_EPHEMERAL_PORT);
            if self.names.values().all(|name| name.port() != port) {
                break;
            }
        }
        port
    }
}
