//! An app of somebody's own in callsim's scenarios: plain `webrtc` 0.21, signalling of its own, and at most 40 lines of
//! glue.
//!
//! [`app`] and [`server`] are the app as it ships. They know tokio and `webrtc`, and nothing of callsim but where
//! their TCP sockets come from, which is one line below. [`glue`] is what callsim asks for.

pub mod app;
pub mod glue;
pub mod server;
mod wire;

// As it ships: `use tokio::net;`.
use callsim::net;
use callsim::{Plan, format::FormatError};

/// `scenarios/cafe.toml`.
///
/// # Errors
/// Where the file is not a scenario.
pub fn cafe() -> Result<Plan, FormatError> {
    Plan::from_toml("own-app/cafe", include_str!("../scenarios/cafe.toml"))
}
