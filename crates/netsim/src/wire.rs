//! The bytes of packets, for a capture of a run. Kept where a world is asked for them; keeping them changes nothing.

use std::{collections::BTreeMap, net::SocketAddr};

use timeline::VirtualTime;

/// What was on the wire of a world. Packets are numbered as in [`crate::Outcome::packets`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wire {
    /// What each packet carried when its sender handed it over, without IP, UDP or TCP headers.
    pub payloads: Vec<Box<[u8]>>,
    /// What of it arrived, where a link had damaged it.
    pub damaged: BTreeMap<usize, Box<[u8]>>,
    /// Packets at gateways, in the order of time.
    pub passages: Vec<Passage>,
}

/// A packet at a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Its number.
    pub packet: usize,
    /// When.
    pub at: VirtualTime,
    /// The number of the gateway, in the order in which the world's configuration has them.
    pub gateway: usize,
    /// Which way it goes.
    pub bound: Bound,
    /// Source and destination as it came.
    pub came: (SocketAddr, SocketAddr),
    /// Source and destination as it went on; `None` where the gateway dropped it.
    pub went: Option<(SocketAddr, SocketAddr)>,
}

/// Which way a packet goes through a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// From its inside to its outside.
    Out,
    /// From its outside to its inside.
    In,
}
