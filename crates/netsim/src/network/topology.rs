//! Who reaches whom without leaving a network, and what stands between networks.
//!
//! The core is one network, the inside of each gateway is another. In each, an address leads to a host, or to a
//! gateway whose inside it is part of: as one of its public addresses, or as it stands, where the gateway does
//! not translate. What leads nowhere goes up, through the network's own gateway.

use std::{collections::BTreeMap, net::IpAddr};

use timeline::Name;

use crate::{
    ConfigError, Gateway, HostSpec,
    gateway::{Nat, Pinholes},
    ids::HostIndex,
};

/// A gateway's place in its world.
pub(super) type GatewayIndex = usize;

/// A network: the core, or the inside of a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Realm(usize);

impl Realm {
    pub(super) const CORE: Self = Self(0);

    pub(super) const fn inside(gateway: GatewayIndex) -> Self {
        Self(gateway + 1)
    }

    /// The gateway whose inside it is.
    pub(super) const fn gateway(self) -> Option<GatewayIndex> {
        self.0.checked_sub(1)
    }
}

/// Where an address leads within a realm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hop {
    /// To a host.
    Host(HostIndex),
    /// To a gateway's own public address, behind which it translates.
    Translated(GatewayIndex),
    /// Through a gateway that does not translate it.
    Through(GatewayIndex),
}

/// A gateway at work.
#[derive(Clone, Debug)]
pub(super) struct GatewayState {
    pub(super) name: Name,
    pub(super) outer: Realm,
    pub(super) nat: Option<Nat>,
    pub(super) firewall: Option<Pinholes>,
}

/// All networks of a world.
#[derive(Clone, Debug)]
pub(crate) struct Topology {
    /// By realm.
    routes: Vec<BTreeMap<IpAddr, Hop>>,
    pub(super) gateways: Vec<GatewayState>,
    /// In which realm each host of the configuration starts.
    first_realms: BTreeMap<Name, Realm>,
}

impl Topology {
    /// The networks of a world, with every host's addresses in them, if it is possible.
    pub(crate) fn of(seed: u64, hosts: &[HostSpec], gateways: &[Gateway]) -> Result<Self, ConfigError> {
        let mut topology = Self::new(seed, hosts, gateways)?;
        for (index, spec) in gateways.iter().enumerate() {
            let outer = topology.gateways[index].outer;
            let public = spec.nat.as_ref().map_or(&[][..], |nat| &nat.public);
            topology.place(hosts, &spec.name, outer, public, Hop::Translated(index))?;
        }
        for (index, host) in hosts.iter().enumerate() {
            let realm = topology.first_realm(&host.name);
            topology.place(hosts, &host.name, realm, &host.addresses, Hop::Host(index))?;
        }
        Ok(topology)
    }

    /// The networks with nobody in them.
    fn new(seed: u64, hosts: &[HostSpec], gateways: &[Gateway]) -> Result<Self, ConfigError> {
        let parents = parents(hosts, gateways)?;
        let outer = |name: &Name| parents.get(name).map_or(Realm::CORE, |&gateway| Realm::inside(gateway));
        let state = |spec: &Gateway| GatewayState {
            name: spec.name.clone(),
            outer: outer(&spec.name),
            nat: spec.nat.as_ref().map(|nat| Nat::new(seed, &spec.name, nat)),
            firewall: spec.firewall.as_ref().map(Pinholes::new),
        };
        Ok(Self {
            routes: vec![BTreeMap::new(); gateways.len() + 1],
            gateways: gateways.iter().map(state).collect(),
            first_realms: hosts.iter().map(|host| (host.name.clone(), outer(&host.name))).collect(),
        })
    }

    /// Makes the addresses of a host or gateway lead to it.
    fn place(
        &mut self,
        hosts: &[HostSpec],
        name: &Name,
        realm: Realm,
        addresses: &[IpAddr],
        hop: Hop,
    ) -> Result<(), ConfigError> {
        addresses.iter().try_for_each(|&address| {
            self.add(realm, address, hop).map_err(|taken| ConfigError::DuplicateAddress {
                address,
                first: self.owner(hosts, taken),
                second: name.clone(),
            })
        })
    }

    fn owner(&self, hosts: &[HostSpec], hop: Hop) -> Name {
        match hop {
            Hop::Host(host) => hosts[host].name.clone(),
            Hop::Translated(gateway) | Hop::Through(gateway) => self.gateways[gateway].name.clone(),
        }
    }

    /// Where a host starts.
    pub(super) fn first_realm(&self, host: &Name) -> Realm {
        self.first_realms.get(host).copied().unwrap_or(Realm::CORE)
    }

    pub(super) fn gateway(&self, name: &Name) -> Option<GatewayIndex> {
        self.gateways.iter().position(|gateway| gateway.name == *name)
    }

    /// Where `address` leads within `realm`.
    pub(super) fn hop(&self, realm: Realm, address: IpAddr) -> Option<Hop> {
        self.routes[realm.0].get(&address).copied()
    }

    /// Whether `address` leads to somebody in any realm.
    pub(super) fn exists(&self, address: IpAddr) -> bool {
        self.routes.iter().any(|routes| routes.contains_key(&address))
    }

    /// Makes `address` lead to `hop`, here and in the realms that see it through gateways which do not
    /// translate. Fails, changing nothing, where it leads elsewhere already.
    pub(super) fn add(&mut self, realm: Realm, address: IpAddr, hop: Hop) -> Result<(), Hop> {
        let places = self.visible_from(realm, address, hop);
        if let Some(taken) = places.iter().find_map(|&(realm, _)| self.hop(realm, address)) {
            return Err(taken);
        }
        for (realm, hop) in places {
            self.routes[realm.0].insert(address, hop);
        }
        Ok(())
    }

    /// Undoes [`Topology::add`].
    pub(super) fn remove(&mut self, realm: Realm, address: IpAddr, hop: Hop) {
        for (realm, hop) in self.visible_from(realm, address, hop) {
            if self.hop(realm, address) == Some(hop) {
                self.routes[realm.0].remove(&address);
            }
        }
    }

    /// The realms that know an address of `realm`, and where it leads there.
    fn visible_from(&self, realm: Realm, address: IpAddr, hop: Hop) -> Vec<(Realm, Hop)> {
        let mut places = vec![(realm, hop)];
        let mut realm = realm;
        while let Some(index) = realm.gateway() {
            let gateway = &self.gateways[index];
            if address.is_ipv4() && gateway.nat.is_some() {
                break;
            }
            realm = gateway.outer;
            places.push((realm, Hop::Through(index)));
        }
        places
    }
}

/// The gateway that each host and gateway is behind.
fn parents(hosts: &[HostSpec], gateways: &[Gateway]) -> Result<BTreeMap<Name, GatewayIndex>, ConfigError> {
    let mut parents = BTreeMap::new();
    for (index, gateway) in gateways.iter().enumerate() {
        for name in &gateway.inside {
            let is_known = hosts.iter().any(|host| host.name == *name)
                || gateways.iter().any(|gateway| gateway.name == *name);
            if !is_known {
                let gateway = gateway.name.clone();
                return Err(ConfigError::NobodyInside { gateway, name: name.clone() });
            }
            if parents.insert(name.clone(), index).is_some() {
                return Err(ConfigError::BehindTwoGateways { name: name.clone() });
            }
        }
    }
    for gateway in gateways {
        let mut above =
            std::iter::successors(parents.get(&gateway.name), |&&index| parents.get(&gateways[index].name));
        if above.nth(gateways.len()).is_some() {
            return Err(ConfigError::GatewayBehindItself { gateway: gateway.name.clone() });
        }
    }
    Ok(parents)
}
