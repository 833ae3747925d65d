//! Messages, relay and transports, over streams in memory and in virtual time.

mod limits;
mod messages;
mod relay_rules;
mod rig;
mod transport;
mod wire;
