//! Messages, relay and transports, over streams in memory and in virtual time.

mod access;
mod acknowledged;
mod closing;
mod delivery;
mod documented;
mod endpoints;
mod fallback;
mod fuzzed;
mod http_rig;
mod limits;
mod loopback;
mod messages;
mod raw;
mod relay_rules;
mod rig;
mod transport;
mod wire;
