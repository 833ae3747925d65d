//! The way through the core: up through the gateways of the sender, down through those of the receiver.

use std::net::{IpAddr, SocketAddr};

use timeline::{TcpFlags, Verdict, VirtualTime};

use super::{
    Network,
    topology::{GatewayState, Hop, Realm, Topology},
};
use crate::{
    Action, Bound, Passage, Transport,
    gateway::{Glance, Nat},
    ids::{HostIndex, RecordId},
};

/// A packet on its way through the core.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    /// Where its sender is.
    pub(super) realm: Realm,
    /// Its addresses: as the sender wrote them at first, as the receiver sees them in the end.
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
}

impl Network {
    /// Sends a packet through the core: the host that gets it, and with which addresses.
    pub(super) fn forward(
        &mut self,
        record: RecordId,
        at: VirtualTime,
        transport: Transport,
        flags: TcpFlags,
        way: Way,
    ) -> Result<(HostIndex, Way), Verdict> {
        // The usual case: both in one network.
        if let Some(Hop::Host(host)) = self.topology.hop(way.realm, way.to.ip()) {
            return Ok((host, way));
        }
        let glance = Glance { at, transport, flags };
        let mut way = way;
        while let Some(index) = self.topology.upwards(&way) {
            let came = (way.from, way.to);
            let passed = self.topology.gateways[index].outbound(glance, &mut way);
            self.pass(record, at, (index, Bound::Out), came, passed.map(|()| (way.from, way.to)))?;
        }
        loop {
            let index = match self.topology.hop(way.realm, way.to.ip()) {
                Some(Hop::Host(host)) => return Ok((host, way)),
                Some(Hop::Translated(gateway) | Hop::Through(gateway)) => gateway,
                None if self.topology.exists(way.to.ip()) => return Err(Verdict::Unroutable),
                None => return Err(Verdict::NoRoute),
            };
            let came = (way.from, way.to);
            let passed = self.topology.gateways[index].inbound(glance, &mut way);
            self.pass(record, at, (index, Bound::In), came, passed.map(|()| (way.from, way.to)))?;
            way.realm = Realm::inside(index);
        }
    }
}

impl Network {
    /// Notes what a gateway did to a packet.
    fn pass(
        &mut self,
        packet: RecordId,
        at: VirtualTime,
        (gateway, bound): (usize, Bound),
        came: (SocketAddr, SocketAddr),
        went: Result<(SocketAddr, SocketAddr), Verdict>,
    ) -> Result<(), Verdict> {
        self.log.pass(Passage { packet, at, gateway, bound, came, went: went.ok() });
        went.map(|_| ())
    }
}

impl Topology {
    /// The gateway that a packet leaves its realm through; `None` where its destination is in sight, or at
    /// the core.
    fn upwards(&self, way: &Way) -> Option<usize> {
        way.realm.gateway().filter(|_| self.hop(way.realm, way.to.ip()).is_none())
    }
}

impl GatewayState {
    /// A packet leaves the realm inside.
    fn outbound(&mut self, glance: Glance, way: &mut Way) -> Result<(), Verdict> {
        if let Some(firewall) = &mut self.firewall
            && firewall.outbound(glance, way.from, way.to) == Action::Drop
        {
            return Err(Verdict::FirewallBlocked);
        }
        if let Some(nat) = translates(&mut self.nat, way.to.ip()) {
            if nat.public().contains(&way.to.ip()) && !nat.hairpins() {
                return Err(Verdict::NatNoHairpin);
            }
            way.from = nat.outbound(glance, way.from, way.to)?;
        }
        way.realm = self.outer;
        Ok(())
    }

    /// A packet enters the realm inside.
    fn inbound(&mut self, glance: Glance, way: &mut Way) -> Result<(), Verdict> {
        if let Some(nat) = translates(&mut self.nat, way.to.ip()) {
            way.to = nat.inbound(glance, way.from, way.to)?;
        }
        if let Some(firewall) = &mut self.firewall
            && firewall.inbound(glance, way.from, way.to) == Action::Drop
        {
            return Err(Verdict::FirewallBlocked);
        }
        Ok(())
    }
}

/// The NAT, for an address that it has to do with.
fn translates(nat: &mut Option<Nat>, address: IpAddr) -> Option<&mut Nat> {
    nat.as_mut().filter(|_| address.is_ipv4())
}
