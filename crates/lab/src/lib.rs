//! A scenario's network for unmodified programs.
//!
//! Each host of a plan that programs run on becomes a network namespace with a TUN device (`namespace`). What is written
//! to a device enters a world of `netsim` that runs in real time (`border`, `packet`), and what reaches a host there
//! leaves it by its device. The script of the scenario is played by `scenario` as ever: steps, links, NATs, schedules,
//! STUN and TURN servers, the recording. The signalling server is the world's too; its namespace passes connections on.
//!
//! Invariants:
//! - Nothing outlives the lab: its processes are alone in a PID namespace (`enclosure`) whose first process dies with
//!   the one that was started, and the namespaces have no names: with the last process in them they are gone.
//! - What is not a packet of a host is never let in: sources are compared with the host's addresses by the world.
//!
//! Deliberately absent: IP fragments (they are dropped and counted), TCP to servers of the world other than the
//! signaller (TURN is spoken over UDP; a TURN server of another make runs in the namespace of its host), calls of
//! several and scripted calls of the API by callsim's own programs.
#![cfg(target_os = "linux")]

mod border;
mod commands;
mod enclosure;
mod engine;
mod error;
mod namespace;
mod packet;
mod play;

pub use commands::{Ended, Task};
pub use enclosure::{Enclosed, Rights, enclose};
pub use error::LabError;
pub use play::{Lab, Played, Priority};
