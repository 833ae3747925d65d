//! A run in the forms of other tools: [`pcapng`] for Wireshark, [`perfetto`] for ui.perfetto.dev.
//!
//! Both are pure functions of what a run recorded. Nothing here plays, judges or writes a file.
//!
//! Invariants:
//! - Bytes of packets are what somebody sent: parsing them never panics, whatever they are.
//! - The plaintext of a capture is decrypted from the bytes on its wire, with the keys that it holds; nothing else goes
//!   in.
//!
//! Deliberately absent: SRTP and DTLS of cipher suites that `webrtc` does not negotiate with itself (they stay encrypted,
//! and a comment says so).

mod pcapng;
mod perfetto;
mod plain;

use std::net::IpAddr;

use timeline::Name;

pub use self::pcapng::pcapng;
pub use self::perfetto::perfetto;

/// The names of a world.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scene {
    /// Its hosts, each with the addresses that it has at first.
    pub hosts: Vec<(Name, Vec<IpAddr>)>,
    /// Its gateways in the order of its configuration, each with its outside addresses; none where it does not
    /// translate.
    pub gateways: Vec<(Name, Vec<IpAddr>)>,
}
