//! A peer on str0m, another WebRTC stack than callsim's own, in a callsim scenario: the call engine calls it through two
//! NATs, over the signalling server of the scenario.

mod app;
mod peer;
mod program;
mod report;
mod stun;

use callsim::{Plan, Player};

pub use self::program::Str0m;

/// The scenario: the engine calls the peer on str0m, and hangs up.
pub const SCENARIO: &str = include_str!("../scenario.toml");

/// A player of `plan` that has the program `str0m`.
pub fn player(plan: &Plan) -> Player<'_> {
    Player::new(plan).program("str0m", |place| Str0m::start(&place))
}
