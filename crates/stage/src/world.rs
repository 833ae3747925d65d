//! The thread, the clock and the randomness of a world.

use std::{any::Any, future::Future};

use netsim::{Outcome, World, WorldConfig, WorldError};
use thiserror::Error;

/// What the wall clock of every world shows at its beginning: 2026-01-01 00:00:00 UTC, in seconds since 1970.
/// Certificates and SDP carry it, so it is part of the promise that one seed always gives the same bytes.
pub const EPOCH_S: u64 = 1_767_225_600;

/// Why a world yielded nothing.
#[derive(Debug, Error)]
pub enum StageError {
    /// This platform cannot be made deterministic.
    #[error("{0}")]
    Unsupported(#[from] determinism::Unsupported),
    /// The world could not be built or driven.
    #[error(transparent)]
    World(#[from] WorldError),
    /// Something in the world panicked: a bug of the program, of callsim, or of the stack under test.
    #[error("panicked: {0}")]
    Panicked(String),
}

/// What the simulation thread of a world with `seed` depends on.
pub const fn thread_settings(seed: u64) -> determinism::Settings {
    determinism::Settings { seed, epoch_s: EPOCH_S }
}

/// Runs `f` on a fresh simulation thread, where [`World::run`] works.
///
/// # Errors
/// [`StageError::Unsupported`] on platforms without the hooks, [`StageError::Panicked`] where `f` panics.
pub fn on_thread<T: Send>(seed: u64, f: impl FnOnce() -> T + Send) -> Result<T, StageError> {
    determinism::supported()?;
    determinism::on_simulation_thread(thread_settings(seed), f)
        .map_err(|panic| StageError::Panicked(panic_message(&*panic)))
}

/// Runs a world to its end on a thread of its own, and `main` in it. The seed is the configuration's.
///
/// ```
/// use std::time::Duration;
/// use netsim::{Access, HostSpec, LinkModel, ProcessingDelay, WorldConfig};
///
/// let alice = HostSpec {
///     name: "alice".into(),
///     addresses: vec!["10.0.0.1".parse().unwrap()],
///     access: Access::symmetric(LinkModel::with_delay(Duration::from_millis(10))),
///     processing: ProcessingDelay::LAPTOP,
/// };
/// let config = WorldConfig::builder(7).host(alice).deadline(Duration::from_secs(60)).build().unwrap();
/// let outcome = stage::run(config, |world| async move {
///     world.sleep(Duration::from_secs(30)).await;
///     world.now().as_millis()
/// });
/// assert_eq!(outcome.unwrap().value, Some(30_000));
/// ```
///
/// # Errors
/// [`StageError`]. A world that is cut short is not an error: [`Outcome::end`] shows it.
pub fn run<T, F>(config: WorldConfig, main: impl FnOnce(World) -> F + Send) -> Result<Outcome<T>, StageError>
where
    T: Send,
    F: Future<Output = T>,
{
    Ok(on_thread(config.seed(), || World::run(config, main))??)
}

/// The text of a panic.
pub fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_owned())
}
