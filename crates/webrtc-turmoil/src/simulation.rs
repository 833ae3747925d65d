use std::{
    fmt,
    ops::{Deref, DerefMut},
    panic::resume_unwind,
    time::{Duration, UNIX_EPOCH},
};

use determinism::Settings;
use thiserror::Error;
use turmoil::{Builder, Sim};

/// Datagrams that may wait at a host. turmoil's own 64 are fewer than one video frame at times.
const UDP_CAPACITY: usize = 4096;

/// A simulation under way: turmoil's [`Sim`], of which [`Simulation::step`], [`Simulation::run_until`] and
/// [`Simulation::run`] take the place of its own `step` and `run`.
pub struct Simulation<'a>(Sim<'a>);

/// Why there is no result.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SimulationError {
    /// The platform has no hooks for clocks, randomness and sockets.
    #[error("{reason}")]
    Unsupported {
        /// Why, for people.
        reason: String,
    },
    /// Software of a client or host failed, the simulation took longer than turmoil's `simulation_duration`,
    /// or the closure that drives it returned an error.
    #[error("{at:?} into the simulation: {reason}")]
    Failed {
        /// The virtual time since its beginning.
        at: Duration,
        /// Why, for people.
        reason: String,
    },
}

/// Runs a turmoil simulation in which `webrtc` works: on a fresh thread whose clocks, randomness and socket
/// names are those of the simulation.
///
/// `configure` may change every option of the builder; seed and epoch are those of `settings` whatever it
/// says. `drive` adds clients and hosts, lets time pass and lets things go wrong; it returns what is to be
/// known.
///
/// # Errors
/// [`SimulationError`]. A panic of `drive` continues in the caller.
pub fn simulate<'a, T: Send>(
    settings: Settings,
    configure: impl FnOnce(&mut Builder) + Send,
    drive: impl FnOnce(&mut Simulation<'a>) -> turmoil::Result<T> + Send,
) -> Result<T, SimulationError> {
    if let Err(unsupported) = determinism::supported() {
        return Err(SimulationError::Unsupported { reason: unsupported.to_string() });
    }
    let simulated = determinism::on_simulation_thread(settings, || {
        let mut builder = Builder::new();
        builder.udp_capacity(UDP_CAPACITY);
        configure(&mut builder);
        builder.rng_seed(settings.seed).epoch(UNIX_EPOCH + Duration::from_secs(settings.epoch_s));
        let mut simulation = Simulation(builder.build());
        drive(&mut simulation)
            .map_err(|error| SimulationError::Failed { at: simulation.elapsed(), reason: error.to_string() })
    });
    simulated.unwrap_or_else(|panic| resume_unwind(panic))
}

impl Simulation<'_> {
    /// Lets one tick pass, as [`Sim::step`]; whether all clients have ended. Afterwards the clocks of the
    /// thread show the same time as turmoil's: within a tick `std::time::Instant::now` shows its beginning,
    /// while tokio's clock moves.
    ///
    /// # Errors
    /// Where software of a client or host failed, or `simulation_duration` is over.
    pub fn step(&mut self) -> turmoil::Result<bool> {
        let ended = self.0.step()?;
        determinism::set_virtual_now(self.0.elapsed());
        Ok(ended)
    }

    /// Lets time pass until `elapsed` after the beginning, or until all clients have ended; whether they
    /// have.
    ///
    /// # Errors
    /// As for [`Simulation::step`].
    pub fn run_until(&mut self, elapsed: Duration) -> turmoil::Result<bool> {
        while self.0.elapsed() < elapsed {
            if self.step()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Lets time pass until all clients have ended.
    ///
    /// # Errors
    /// As for [`Simulation::step`].
    pub fn run(&mut self) -> turmoil::Result<()> {
        while !self.step()? {}
        Ok(())
    }
}

impl<'a> Deref for Simulation<'a> {
    type Target = Sim<'a>;

    fn deref(&self) -> &Sim<'a> {
        &self.0
    }
}

impl<'a> DerefMut for Simulation<'a> {
    fn deref_mut(&mut self) -> &mut Sim<'a> {
        &mut self.0
    }
}

impl fmt::Debug for Simulation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Simulation(after {:?})", self.0.elapsed())
    }
}
