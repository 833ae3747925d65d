//! The server from outside: by the RFCs, by a real client, by force.

mod codes;
mod determinism;
mod expiry;
mod families;
mod hairpin;
mod harness;
mod hostile;
mod model;
mod moods;
mod real_client;
mod relaying;
mod retransmission;
mod settings;
mod stream;
mod stun;
mod time_limited;
