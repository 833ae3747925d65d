//! Who reaches whom without leaving a network, and what stands between networks.
//!
//! The core is one network, the inside of each gateway is another. In each, an address leads to a host, or to a
//! gateway whose inside it is part of: as one of its public addresses, or as it stands, where the gateway does
//! not translate. What leads nowhere goes up, through the network's own gateway.

use std::{collections::BTreeMap, net::IpAddr};

use timeline::Name;

use crate::{
    Gateway, HostSpec, InvalidConfig, WorldConfig,
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
#[derive(Debug)]
pub(super) struct GatewayState {
    pub(super) name: Name,
    pub(super) outer: Realm,
    pub(super) nat: Option<Nat>,
    pub(super) firewall: Option<Pinholes>,
}

/// All networks of a world.
#[derive(Debug)]
pub(crate) struct Topology {
    /// By realm.
    routes: Vec<BTreeMap<IpAddr, Hop>>,
    pub(super) gateways: Vec<GatewayState>,
    /// In which realm each host of the configuration starts.
    first_realms: BTreeMap<Name, Realm>,
}

impl Topology {
    /// The networks that `config` describes, with every host's addresses in them, if it is possible.
    pub(crate) fn of(config: &WorldConfig) -> Result<Self, InvalidConfig> {
        config.check()?;
        let mut topology = Self::of_gateways(config)?;
        for (index, host) in config.hosts.iter().enumerate() {
            topology.add_host(config, index, host)?;
        }
        Ok(topology)
    }

    /// The networks with nobody in them yet but gateways.
    fn of_gateways(config: &WorldConfig) -> Result<Self, InvalidConfig> {
        let parents = parents(config)?;
        let outer = |name: &Name| parents.get(name).map_or(Realm::CORE, |&gateway| Realm::inside(gateway));
        let state = |spec: &Gateway| GatewayState {
            name: spec.name.clone(),
            outer: outer(&spec.name),
            nat: spec.nat.as_ref().map(|nat| Nat::new(config.seed, &spec.name, nat)),
            firewall: spec.firewall.as_ref().map(Pinholes::new),
        };
        let mut topology = Self {
            routes: vec![BTreeMap::new(); config.gateways.len() + 1],
            gateways: config.gateways.iter().map(state).collect(),
            first_realms: config.hosts.iter().map(|host| (host.name.clone(), outer(&host.name))).collect(),
        };
        for (index, spec) in config.gateways.iter().enumerate() {
            for &address in spec.nat.iter().flat_map(|nat| &nat.public) {
                let taken = topology.add(topology.gateways[index].outer, address, Hop::Translated(index));
                taken.map_err(|hop| InvalidConfig::DuplicateAddress {
                    address,
                    first: topology.owner(config, hop),
                    second: spec.name.clone(),
                })?;
            }
        }
        Ok(topology)
    }

    /// Puts a host of the configuration where it starts.
    fn add_host(
        &mut self,
        config: &WorldConfig,
        index: HostIndex,
        host: &HostSpec,
    ) -> Result<(), InvalidConfig> {
        let realm = self.first_realm(&host.name);
        host.addresses.iter().try_for_each(|&address| {
            self.add(realm, address, Hop::Host(index)).map_err(|hop| InvalidConfig::DuplicateAddress {
                address,
                first: self.owner(config, hop),
                second: host.name.clone(),
            })
        })
    }

    fn owner(&self, config: &WorldConfig, hop: Hop) -> Name {
        match hop {
            Hop::Host(host) => config.hosts[host].name.clone(),
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
fn parents(config: &WorldConfig) -> Result<BTreeMap<Name, GatewayIndex>, InvalidConfig> {
    let mut parents = BTreeMap::new();
    for (index, gateway) in config.gateways.iter().enumerate() {
        for name in &gateway.inside {
            let is_known = config.hosts.iter().any(|host| host.name == *name)
                || config.gateways.iter().any(|gateway| gateway.name == *name);
            if !is_known {
                let gateway = gateway.name.clone();
                return Err(InvalidConfig::NobodyInside { gateway, name: name.clone() });
            }
            if parents.insert(name.clone(), index).is_some() {
                return Err(InvalidConfig::BehindTwoGateways { name: name.clone() });
            }
        }
    }
    for gateway in &config.gateways {
        let mut above = std::iter::successors(parents.get(&gateway.name), |&&index| {
            parents.get(&config.gateways[index].name)
        });
        if above.nth(config.gateways.len()).is_some() {
            return Err(InvalidConfig::GatewayBehindItself { gateway: gateway.name.clone() });
        }
    }
    Ok(parents)
}
