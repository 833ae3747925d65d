//! NAT44: mappings, and what they let in (RFC 4787, RFC 5382).

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

use timeline::{Name, Verdict, VirtualTime};

use super::{
    Glance,
    config::{Dependence, Hairpinning, NatConfig},
    ports::Ports,
    tracking::{Direction, Tracking},
};
use crate::Transport;

/// A NAT at work.
#[derive(Clone, Debug)]
pub(crate) struct Nat {
    config: NatConfig,
    ports: Ports,
    /// By outside endpoint. What has expired is removed when it is next in the way.
    mappings: BTreeMap<(Transport, SocketAddr), Mapping>,
    /// The outside endpoint of each inside endpoint, or of each of its remotes.
    outside: BTreeMap<InsideKey, SocketAddr>,
    /// Which public address an inside address is paired with (RFC 4787 REQ-2).
    pairs: BTreeMap<IpAddr, IpAddr>,
}

#[derive(Clone, Debug)]
struct Mapping {
    inside: InsideKey,
    tracking: Tracking,
}

/// What a mapping is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct InsideKey {
    transport: Transport,
    endpoint: SocketAddr,
    remote: Option<(IpAddr, Option<u16>)>,
}

impl Nat {
    pub(crate) fn new(seed: u64, gateway: &Name, config: &NatConfig) -> Self {
        Self {
            config: config.clone(),
            ports: Ports::new(seed, gateway, config.ports, config.port_range),
            mappings: BTreeMap::new(),
            outside: BTreeMap::new(),
            pairs: BTreeMap::new(),
        }
    }

    pub(crate) fn hairpins(&self) -> bool {
        self.config.hairpinning == Hairpinning::On
    }

    pub(crate) fn public(&self) -> &[IpAddr] {
        &self.config.public
    }

    /// A packet goes out: the source that it has outside.
    pub(crate) fn outbound(
        &mut self,
        glance: Glance,
        inside: SocketAddr,
        remote: SocketAddr,
    ) -> Result<SocketAddr, Verdict> {
        let key = self.key(glance.transport, inside, remote);
        let outside = match self.outside.get(&key) {
            Some(&outside) if self.is_alive(glance.at, glance.transport, outside) => outside,
            _ => self.map(glance.at, key).ok_or(Verdict::NatPortsExhausted)?,
        };
        self.passes(glance, outside, Direction::Out, remote);
        Ok(outside)
    }

    /// A packet for one of the public addresses comes in: the destination that it has inside.
    pub(crate) fn inbound(
        &mut self,
        glance: Glance,
        remote: SocketAddr,
        outside: SocketAddr,
    ) -> Result<SocketAddr, Verdict> {
        let mapping = self.mappings.get(&(glance.transport, outside));
        let mapping =
            mapping.filter(|mapping| mapping.tracking.is_alive(glance.at)).ok_or(Verdict::NatNoMapping)?;
        if !mapping.tracking.admits(remote, self.config.filtering) {
            return Err(Verdict::NatFiltered);
        }
        let inside = mapping.inside.endpoint;
        self.passes(glance, outside, Direction::In, remote);
        Ok(inside)
    }

    /// RFC 4787 §4.1.
    fn key(&self, transport: Transport, endpoint: SocketAddr, remote: SocketAddr) -> InsideKey {
        let remote = match self.config.mapping {
            Dependence::EndpointIndependent => None,
            Dependence::AddressDependent => Some((remote.ip(), None)),
            Dependence::AddressAndPortDependent => Some((remote.ip(), Some(remote.port()))),
        };
        InsideKey { transport, endpoint, remote }
    }

    /// Makes a mapping; `None` where no port is left.
    fn map(&mut self, at: VirtualTime, key: InsideKey) -> Option<SocketAddr> {
        let address = self.paired_address(key.endpoint.ip());
        let (mappings, transport) = (&self.mappings, key.transport);
        let is_free = |port| {
            let taken = mappings.get(&(transport, SocketAddr::new(address, port)));
            taken.is_none_or(|mapping| !mapping.tracking.is_alive(at))
        };
        let port = self.ports.choose(transport, address, key.endpoint.port(), is_free)?;
        let outside = SocketAddr::new(address, port);
        let mapping = Mapping { inside: key, tracking: Tracking::new() };
        if let Some(expired) = self.mappings.insert((transport, outside), mapping)
            && self.outside.get(&expired.inside) == Some(&outside)
        {
            self.outside.remove(&expired.inside);
        }
        self.outside.insert(key, outside);
        Some(outside)
    }

    fn paired_address(&mut self, inside: IpAddr) -> IpAddr {
        let next = self.config.public[self.pairs.len() % self.config.public.len()];
        *self.pairs.entry(inside).or_insert(next)
    }

    fn is_alive(&self, at: VirtualTime, transport: Transport, outside: SocketAddr) -> bool {
        self.mappings.get(&(transport, outside)).is_some_and(|mapping| mapping.tracking.is_alive(at))
    }

    fn passes(&mut self, glance: Glance, outside: SocketAddr, direction: Direction, remote: SocketAddr) {
        let NatConfig { timeouts, refresh, .. } = &self.config;
        if let Some(mapping) = self.mappings.get_mut(&(glance.transport, outside)) {
            mapping.tracking.passes(glance, direction, remote, timeouts, *refresh);
        }
    }
}

#[cfg(test)]
mod tests;
