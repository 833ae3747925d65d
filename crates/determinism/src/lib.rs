//! What makes one operating-system thread deterministic.
//!
//! Code that runs inside [`on_simulation_thread`] sees a seeded stream instead of the system's
//! randomness, virtual time instead of the system's clocks, and socket names that exist only in the
//! simulation. It needs no cooperation: the C library's own functions (`getrandom`, `clock_gettime`,
//! `bind`, …) are replaced for the whole process and act only while the calling thread simulates.
//! [`crypto`] adds a provider whose keys and signatures come from the seed. What would reach past the
//! simulation (a real socket, a thread, the system's resolver, …) is refused and recorded: an [`Escape`].
//! [`standard_output_is_closed`] is here because nothing but `unsafe` code can find it out.
//!
//! Invariants:
//! - An ordinary thread never notices: every hook passes straight on to the C library.
//! - Two simulation threads share nothing; one seed gives the same bytes on either.
//! - A simulation thread is always a fresh one, because the standard library and `rand` keep their
//!   random keys per thread.
//!
//! The hooks need Linux with glibc on x86-64 or AArch64; [`supported`] says so elsewhere.
//!
//! Deliberately absent: any knowledge of networks or of WebRTC beyond its crypto trait. This is the
//! only crate with `unsafe` code.

pub mod crypto;
#[cfg_attr(
    not(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64"))),
    allow(dead_code, reason = "without hooks nothing escapes")
)]
mod escape;
mod hooks;
#[cfg_attr(
    not(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64"))),
    allow(dead_code, reason = "without hooks nobody asks for a host's interfaces")
)]
mod interfaces;
#[cfg_attr(
    not(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64"))),
    allow(dead_code, reason = "without hooks nobody asks for a thread's clock and randomness")
)]
mod thread;

use std::{fmt, io, net::SocketAddr, time::Duration};

pub use escape::{Escape, EscapeKind, Escapes, exempt, has_escaped, set_escapes, take_escapes};
pub use hooks::{standard_output_is_closed, supported};
pub use interfaces::{Interfaces, on_host, with_interfaces};

/// What one simulation depends on. Neither value has a default: both belong to the recipe of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where all randomness of the thread comes from.
    pub seed: u64,
    /// What the wall clock shows at virtual time zero: seconds since 1970-01-01T00:00:00Z.
    pub epoch_s: u64,
}

/// The hooks cannot work here; the text is one sentence for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsupported(&'static str);

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Unsupported {}

/// The stack of a simulation thread, in bytes: that of a main thread, since a whole call runs on it.
const STACK_BYTES: usize = 8 << 20;

/// Runs `f` on a fresh thread under the hooks and returns what it returned.
///
/// # Errors
/// A panic inside `f` comes back as its payload. Where the platform is not [`supported`], or no thread
/// can be started, `f` does not run and the payload is a `String` that says why.
pub fn on_simulation_thread<T: Send>(
    settings: Settings,
    f: impl FnOnce() -> T + Send,
) -> std::thread::Result<T> {
    if let Err(unsupported) = supported() {
        return Err(Box::new(unsupported.to_string()));
    }
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name("simulation".to_owned()).stack_size(STACK_BYTES);
        let simulation = move || {
            let _active = thread::Active::begin(settings);
            f()
        };
        let running = exempt(|| builder.spawn_scoped(scope, simulation));
        match running {
            Ok(handle) => handle.join(),
            Err(error) => Err(Box::new(spawn_failure(&error)) as Box<_>),
        }
    })
}

fn spawn_failure(error: &io::Error) -> String {
    format!("no thread for the simulation: {error}")
}

/// Whether the calling thread is inside [`on_simulation_thread`].
pub fn is_simulation_thread() -> bool {
    thread::is_active()
}

/// Moves this thread's clocks to `elapsed` after the beginning of its simulation.
///
/// Without effect on ordinary threads. Whoever owns virtual time calls it whenever time moves.
pub fn set_virtual_now(elapsed: Duration) {
    thread::set_virtual_now(elapsed);
}

/// Gives this thread the system's clocks back until it ends; its randomness and its sockets stay
/// simulated. For a simulation that runs in real time.
///
/// Without effect on ordinary threads. An `Instant` that the thread took earlier cannot be compared with
/// later ones: to be called before anything reads a clock.
pub fn use_system_clocks() {
    thread::use_system_clocks();
}

/// The time since the simulation of this thread began; zero on ordinary threads.
pub fn virtual_now() -> Duration {
    thread::virtual_now()
}

/// How often this thread has drawn from its seeded stream through the C library's functions.
///
/// Two runs that differ in this number have parted ways before their packets show it.
pub fn draws() -> u64 {
    thread::draws()
}

/// Takes the simulated address that was bound to the file descriptor `fd`, so that the descriptor
/// can be closed and its number used again.
///
/// `None` where nothing was bound on this thread.
pub fn take_bound(fd: i32) -> Option<SocketAddr> {
    thread::take_bound(fd)
}

#[cfg(all(
    test,
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod tests;
