//! Calls between [`webrtc`] peers in a [turmoil](https://docs.rs/turmoil) simulation, beside the hosts of a
//! backend that is tested there, under its own `partition`, `hold`, `crash` and `bounce`.
//!
//! - [`simulate`] runs a simulation on a thread whose clock, randomness and socket names are simulated.
//! - [`TurmoilRuntime`] is `webrtc`'s runtime on one host of it.
//! - [`TurmoilListener`], [`connector`] and [`clock`] put a signalling server and its clients on turmoil's
//!   TCP.
//!
//! ```
//! use std::time::Duration;
//! use webrtc_turmoil::{Settings, TurmoilListener, TurmoilRuntime, connector, simulate};
//!
//! let settings = Settings { seed: 7, epoch_s: 1_767_225_600 };
//! let elapsed = simulate(
//!     settings,
//!     |builder| _ = builder.simulation_duration(Duration::from_secs(60)),
//!     |sim| {
//!         sim.host("backend", || async {
//!             let _listener = TurmoilListener::bind(8080).await?;
//!             std::future::pending().await
//!         });
//!         sim.client("caller", async {
//!             let runtime = TurmoilRuntime::new("caller")?;
//!             let _for_a_peer_connection = (runtime.udp_address(), connector("backend", 8080));
//!             Ok(())
//!         });
//!         sim.run_until(Duration::from_secs(3))?;
//!         sim.partition("caller", "backend");
//!         sim.run()?;
//!         Ok(sim.elapsed())
//!     },
//! );
//! assert!(elapsed.is_ok());
//! ```
//!
//! Invariants:
//! - Virtual time has one owner: [`Simulation::step`] moves turmoil's clocks and those of the thread
//!   together.
//! - No real socket carries a packet: what `webrtc` binds is taken over before it is used.
//!
//! Deliberately absent: what turmoil has not, above all NATs, rates, queues and the loss of single packets
//! (`docs/turmoil.md` in the repository compares the two worlds), and ICE over TCP.

mod runtime;
mod signalling;
mod simulation;
mod socket;

pub use determinism::Settings;
pub use runtime::TurmoilRuntime;
pub use signalling::{TurmoilListener, clock, connector};
pub use simulation::{Simulation, SimulationError, simulate};
