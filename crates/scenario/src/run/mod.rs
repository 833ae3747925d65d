//! Plays one plan with one seed in a world of its own, and keeps what it yields.

mod build;
mod ice_servers;
mod numbered;
mod outside;
mod player;
mod programs;
mod recorder;
mod script;
mod signalling;
mod twice;

use std::time::Duration;

pub use netsim::{Lateness, WorldError};

pub use self::{
    outside::{Connecting, Connection, Outside, OutsideFuture, Site},
    player::{Player, RunError, SeededPlayer},
    programs::Programs,
    script::SceneError,
    twice::Difference,
};

/// How long the script waits, after all calls have ended, for what is still on its way.
const SETTLE: Duration = Duration::from_secs(1);
