//! Networks within networks, and what a packet meets on its way out and on its way in.

use std::collections::BTreeSet;

use crate::{
    Dependence, Families, Firewall, Gateway, Hairpinning, Nat, Situation,
    endpoint::{Address, Base, Endpoint, Family, GatewayIndex, MappedFor, Mapping, Party},
};

/// A network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Realm {
    Public,
    /// What is inside a gateway.
    Inside(GatewayIndex),
}

/// All gateways of a situation, each once.
#[derive(Debug)]
pub(crate) struct Terrain {
    /// The shared ones first, from the outside inwards; then the caller's, then the callee's.
    gateways: Vec<(Gateway, Realm)>,
    /// In which network each party is.
    homes: [Realm; 2],
    server_port: u16,
}

/// A packet between two networks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Crossing {
    pub(crate) gateway: GatewayIndex,
    /// Its source before,
    pub(crate) inside: Endpoint,
    /// and after.
    pub(crate) outside: Endpoint,
    pub(crate) to: Endpoint,
}

/// What gateways and TURN servers remember: all that was ever sent.
#[derive(Debug, Default)]
pub(crate) struct Openings {
    pub(crate) crossings: BTreeSet<Crossing>,
    /// For whom each relayed endpoint has a permission (RFC 8656 §9: by address, not by port).
    pub(crate) permissions: BTreeSet<(Endpoint, Address)>,
}

/// Why a packet does not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// The firewall lets no such UDP out.
    Forbidden(GatewayIndex),
    /// It would have to turn round in a NAT that does not hairpin.
    NoHairpinning(GatewayIndex),
    /// Its destination is a private address elsewhere.
    NoRoute,
    /// The NAT's filter keeps it out.
    Filtered(GatewayIndex, Dependence),
    /// The firewall has not seen anything that it would be the answer to.
    Unsolicited(GatewayIndex),
    /// The TURN server has no permission for its sender.
    NoPermission,
}

/// A packet that got out as far as its destination is in sight.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    realm: Realm,
    pub(crate) from: Endpoint,
    to: Endpoint,
}

/// What an address leads to from some network.
enum Hop {
    Arrived,
    Into(GatewayIndex),
}

impl Terrain {
    pub(crate) fn new(situation: &Situation) -> Self {
        let mut gateways = Vec::new();
        let mut enter = |realm: Realm, way_in: &[Gateway]| {
            way_in.iter().rev().fold(realm, |outer, &gateway| {
                gateways.push((gateway, outer));
                Realm::Inside(gateways.len() - 1)
            })
        };
        let split = |gateways: &[Gateway]| gateways.len() - situation.shared;
        let (caller, callee) = (&situation.caller.gateways, &situation.callee.gateways);
        let common = enter(Realm::Public, &caller[split(caller)..]);
        let homes = [caller, callee].map(|own| enter(common, &own[..split(own)]));
        Self { gateways, homes, server_port: situation.servers.port }
    }

    /// What happens to a packet from `base` until its destination is in sight: what it leaves behind in
    /// gateways, and how far it comes.
    pub(crate) fn outward(&self, base: Base, to: &Endpoint) -> (Vec<Crossing>, Result<Parcel, Obstacle>) {
        let realm = match base {
            Base::Host(party, _) => self.home(party),
            Base::Relay(..) => Realm::Public,
        };
        let mut parcel = Parcel { realm, from: base.endpoint(), to: to.clone() };
        let mut crossings = Vec::new();
        while let Realm::Inside(index) = parcel.realm
            && self.hop(parcel.realm, to.address()).is_none()
        {
            match self.leave(index, &parcel) {
                Ok(crossing) => {
                    parcel.from = crossing.outside.clone();
                    crossings.push(crossing);
                }
                Err(obstacle) => return (crossings, Err(obstacle)),
            }
            parcel.realm = self.gateways[index].1;
        }
        (crossings, Ok(parcel))
    }

    /// What happens to a packet once its destination is in sight: which endpoint it reaches in the end.
    pub(crate) fn inward(&self, openings: &Openings, parcel: &Parcel) -> Result<Endpoint, Obstacle> {
        let Parcel { mut realm, from, mut to } = parcel.clone();
        loop {
            match self.hop(realm, to.address()).ok_or(Obstacle::NoRoute)? {
                Hop::Arrived => break,
                Hop::Into(index) => {
                    to = self.enter(index, openings, &from, to)?;
                    realm = Realm::Inside(index);
                }
            }
        }
        let is_relayed = matches!(to, Endpoint::Relayed(..));
        if is_relayed && !openings.permissions.contains(&(to.clone(), from.address())) {
            return Err(Obstacle::NoPermission);
        }
        Ok(to)
    }

    /// RFC 4787 §4.1: the source that a packet has outside.
    fn leave(&self, index: GatewayIndex, parcel: &Parcel) -> Result<Crossing, Obstacle> {
        let Parcel { from, to, .. } = parcel;
        let gateway = &self.gateways[index].0;
        if gateway.firewall.is_some_and(|firewall| !self.lets_out(firewall, to)) {
            return Err(Obstacle::Forbidden(index));
        }
        let outside = match self.translation(index, to.address().family()) {
            None => from.clone(),
            Some(nat) if to.address() == Address::Outside(index) && nat.hairpinning == Hairpinning::Off => {
                return Err(Obstacle::NoHairpinning(index));
            }
            Some(nat) => {
                let remote = match nat.mapping {
                    Dependence::EndpointIndependent => MappedFor::All,
                    Dependence::AddressDependent => MappedFor::Address(to.address()),
                    Dependence::AddressAndPortDependent => MappedFor::Endpoint(to.clone()),
                };
                Endpoint::Mapped(Box::new(Mapping { gateway: index, inside: from.clone(), remote }))
            }
        };
        Ok(Crossing { gateway: index, inside: from.clone(), outside, to: to.clone() })
    }

    fn lets_out(&self, firewall: Firewall, to: &Endpoint) -> bool {
        match firewall {
            Firewall::Stateful => true,
            Firewall::UdpBlocked | Firewall::WebOnly => false,
            Firewall::UdpOnlyTo(port) => matches!(to, Endpoint::Server(..)) && port == self.server_port,
        }
    }

    /// RFC 4787 §5 and RFC 6092 §3.2.3: the destination that a packet has inside, if it is let in.
    fn enter(
        &self,
        index: GatewayIndex,
        openings: &Openings,
        from: &Endpoint,
        to: Endpoint,
    ) -> Result<Endpoint, Obstacle> {
        let sent = || openings.crossings.iter().filter(|crossing| crossing.gateway == index);
        let inside = match (self.translation(index, to.address().family()), &to) {
            (Some(nat), Endpoint::Mapped(mapping)) => {
                // Whoever knows the mapping knows it from something that was sent through it.
                let mut through = sent().filter(|crossing| crossing.outside == to);
                let is_open = through.any(|crossing| match nat.filtering {
                    Dependence::EndpointIndependent => true,
                    Dependence::AddressDependent => crossing.to.address() == from.address(),
                    Dependence::AddressAndPortDependent => crossing.to == *from,
                });
                if !is_open {
                    return Err(Obstacle::Filtered(index, nat.filtering));
                }
                mapping.inside.clone()
            }
            _ => to,
        };
        let is_answer = || sent().any(|crossing| crossing.inside == inside && crossing.to == *from);
        if self.gateways[index].0.firewall.is_some() && !is_answer() {
            return Err(Obstacle::Unsolicited(index));
        }
        Ok(inside)
    }

    fn translation(&self, index: GatewayIndex, family: Family) -> Option<Nat> {
        self.gateways[index].0.nat.filter(|_| family == Family::V4)
    }

    fn home(&self, party: Party) -> Realm {
        match party {
            Party::Caller => self.homes[0],
            Party::Callee => self.homes[1],
        }
    }

    /// What `address` leads to from `realm`; `None` if it is not in sight there. An address is in sight in its
    /// own network, and further out as far as no gateway translates it.
    fn hop(&self, realm: Realm, address: Address) -> Option<Hop> {
        let (mut known_in, mut hop) = match address {
            Address::Host(party, _) => (self.home(party), Hop::Arrived),
            Address::Outside(index) => (self.gateways[index].1, Hop::Into(index)),
            Address::Server(..) => (Realm::Public, Hop::Arrived),
        };
        while known_in != realm {
            let Realm::Inside(index) = known_in else { return None };
            if self.translation(index, address.family()).is_some() {
                return None;
            }
            hop = Hop::Into(index);
            known_in = self.gateways[index].1;
        }
        Some(hop)
    }
}

impl Families {
    pub(crate) fn has(self, family: Family) -> bool {
        match self {
            Self::Both => true,
            Self::Ipv4 => family == Family::V4,
            Self::Ipv6 => family == Family::V6,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Servers, Site, endpoint::Machine};

    #[test]
    fn a_relay_lets_in_every_port_of_an_address_that_it_sent_to_and_nobody_else() {
        let nat = Gateway::nat(Nat::SYMMETRIC);
        let situation = Situation::apart(Site::public(), Site::behind([nat]), Servers::STUN_AND_TURN);
        let terrain = Terrain::new(&situation);
        let relay = Base::Relay(Party::Caller, Machine::First);
        let callee = Base::Host(Party::Callee, Family::V4);
        let to_relay = terrain.outward(callee, &relay.endpoint()).1.unwrap();
        let mut openings = Openings::default();
        assert_eq!(terrain.inward(&openings, &to_relay), Err(Obstacle::NoPermission));
        let elsewhere =
            terrain.outward(callee, &Endpoint::Server(Machine::First, Family::V4)).1.unwrap().from;
        assert_ne!(elsewhere, to_relay.from);
        openings.permissions.insert((relay.endpoint(), elsewhere.address()));
        assert_eq!(terrain.inward(&openings, &to_relay), Ok(relay.endpoint()));
    }
}
