//! What the network knows of one host.

use std::{collections::BTreeMap, net::IpAddr};

use timeline::Name;

use super::{half::HalfLink, processing::Processing, udp::Inbox};
use crate::{Half, HostSpec, draw::Place};

#[derive(Debug)]
pub(super) struct HostState {
    pub(super) name: Name,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) up: HalfLink,
    pub(super) down: HalfLink,
    pub(super) processing: Processing,
    /// The bound UDP sockets. The key has no flow label or scope, which do not tell sockets apart.
    pub(super) udp: BTreeMap<(IpAddr, u16), Inbox>,
    pub(super) next_port: u16,
    pub(super) open_sockets: usize,
}

/// The dynamic port range of RFC 6335 §6, 49152 to 65535.
pub(super) const FIRST_EPHEMERAL_PORT: u16 = 49152;

impl HostState {
    pub(super) fn new(seed: u64, spec: &HostSpec) -> Self {
        let half = |place, model| HalfLink::new(seed, &spec.name, place, model);
        Self {
            name: spec.name.clone(),
            addresses: spec.addresses.clone(),
            up: half(Place::Up, spec.access.up),
            down: half(Place::Down, spec.access.down),
            processing: Processing::new(seed, &spec.name, spec.processing),
            udp: BTreeMap::new(),
            next_port: FIRST_EPHEMERAL_PORT,
            open_sockets: 0,
        }
    }

    pub(super) fn half(&mut self, half: Half) -> &mut HalfLink {
        match half {
            Half::Up => &mut self.up,
            Half::Down => &mut self.down,
        }
    }

    /// Whether this host answers to `address`.
    pub(super) fn owns(&self, address: IpAddr) -> bool {
        address.is_loopback() || self.addresses.contains(&address)
    }
}
