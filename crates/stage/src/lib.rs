//! What runs on the hosts of a simulated world, without the scenario format, the checks and the call engine:
//! [`WorldRuntime`] lets any `webrtc` peer connection live on a host, [`IceServer`] is a STUN and TURN server,
//! [`SignallingServer`] the signalling server, a [`Place`] has all that a [`Program`] needs on its host, a [`Reporter`]
//! writes down what happens, and [`run`] runs a world on a simulation thread of its own.
//!
//! Invariants:
//! - Everything that a runtime hands out is counted until it is given back ([`Gauges`]), so that a run can prove
//!   that nothing was left.
//! - Servers are those of `turn-service` and `signaller`, unchanged, on sockets of the world.
//!
//! Deliberately absent: scenario files, checks and reports, and any engine.

mod certificates;
mod command;
mod host;
mod ice_server;
pub mod net;
mod observed;
mod place;
mod program;
mod reporter;
mod runtime;
mod signalling;
mod staggered;
mod world;

pub use self::{
    certificates::{certificate, provider},
    command::{ApiCall, Command, LocalWord},
    ice_server::{IceServer, IceServerError, IceServerSettings, REALM, domain, ice_servers, names},
    observed::Observed,
    place::{Place, Surroundings},
    program::{BoxFuture, Program, Task, Unsupported},
    reporter::{Journal, Reporter},
    runtime::{Gauges, Leftovers, Names, WorldRuntime},
    signalling::{SignallingServer, SignallingSettings, connector},
    staggered::Staggered,
    world::{EPOCH_S, StageError, on_thread, panic_message, run, thread_settings},
};
