//! NATs and firewalls: `[gateways.NAME]` for those that several peers share, and `nat`, `firewall` or
//! `gateways` at a peer for its own.

use std::net::IpAddr;

use timeline::Name;

use super::{
    address::{self, Sites},
    error::{ProblemKind, Problems, Span},
    reader::{Key, Table, Value},
    values::{known_name, set, vocabulary},
};
use crate::plan::{
    DependenceWord, Firewall, FirewallKind, Gateway, Hairpinning, NatConfig, NatKind, PortRange, PortsWord,
    RefreshWord,
};

/// A gateway without a name, an inside and an outside address.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct GatewayRead {
    nat: Option<NatRead>,
    firewall: Option<Firewall>,
    public: Option<IpAddr>,
}

/// A NAT without its outside address.
#[derive(Clone, Debug, PartialEq)]
struct NatRead(NatConfig);

impl GatewayRead {
    /// Whether it translates.
    pub(super) fn translates(&self) -> bool {
        self.nat.is_some()
    }

    /// Gives it what it lacks; `public` is asked only where it translates and says no address itself.
    pub(super) fn placed(&self, name: Name, inside: Vec<Name>, public: impl FnOnce() -> IpAddr) -> Gateway {
        let nat = self.nat.as_ref().map(|NatRead(nat)| {
            let public = self.public.unwrap_or_else(public);
            NatConfig { public: vec![public], ..nat.clone() }
        });
        Gateway { name, inside, nat, firewall: self.firewall.clone() }
    }
}

/// The gateways between a peer and the core, nearest first, `None` where nothing is said of them.
pub(super) fn take_own(table: &mut Table<'_>, problems: &Problems) -> Option<Vec<GatewayRead>> {
    let said = table.peek("nat").or(table.peek("firewall")).or(table.peek("public"));
    let chain = table.take("gateways");
    if let (Some(said), Some(_)) = (said, chain) {
        let accepted = "gateways, or nat and firewall".to_owned();
        problems.add(ProblemKind::NotOne { what: "this peer", found: 2, accepted }, said.span());
    }
    let own = gateway(table, problems);
    match chain {
        None => said.map(|_| vec![own]),
        Some(chain) => {
            let chain = chain.list("a list of gateways, the nearest first", problems).into_iter();
            let one = |value: Value<'_>| {
                let mut table = value.table("a gateway", problems)?;
                let gateway = gateway(&mut table, problems);
                table.finish(problems);
                Some(gateway)
            };
            Some(chain.filter_map(one).collect())
        }
    }
}

fn gateway(table: &mut Table<'_>, problems: &Problems) -> GatewayRead {
    GatewayRead {
        nat: table.take("nat").and_then(|value| nat(value, problems)),
        firewall: table.take("firewall").and_then(|value| firewall(value, problems)),
        public: address::take_one(table, "public", problems).map(|(address, _)| address),
    }
}

/// `"symmetric"`, or `{ mapping = "endpoint-independent", filtering = "address-dependent", … }`.
fn nat(value: Value<'_>, problems: &Problems) -> Option<NatRead> {
    if value.is_string() {
        return value.word(&vocabulary!("NAT", NatKind), problems).map(|kind| NatRead(nat_of(kind)));
    }
    let mut table = value.table("nat", problems)?;
    let kind = table.word("kind", &vocabulary!("NAT", NatKind), problems);
    let mut nat = nat_of(kind.unwrap_or(NatKind::PortRestrictedCone));
    let dependence = vocabulary!("dependence", DependenceWord);
    set(&mut nat.mapping, table.word("mapping", &dependence, problems).map(Into::into));
    set(&mut nat.filtering, table.word("filtering", &dependence, problems).map(Into::into));
    set(
        &mut nat.ports,
        table.word("ports", &vocabulary!("port allocation", PortsWord), problems).map(Into::into),
    );
    set(
        &mut nat.refresh,
        table.word("refresh", &vocabulary!("refresh", RefreshWord), problems).map(Into::into),
    );
    let hairpinning = table.take("hairpinning").and_then(|value| value.boolean(problems));
    set(&mut nat.hairpinning, hairpinning.map(|on| if on { Hairpinning::On } else { Hairpinning::Off }));
    set(&mut nat.timeouts.udp, table.plain_duration("udp-timeout", problems));
    set(&mut nat.port_range, table.take("port-range").and_then(|value| port_range(value, problems)));
    table.finish(problems);
    Some(NatRead(nat))
}

/// `"web-only"`, or `{ udp-only-to = 3478 }`.
fn firewall(value: Value<'_>, problems: &Problems) -> Option<Firewall> {
    if value.is_string() {
        return value.word(&vocabulary!("firewall", FirewallKind), problems).map(|kind| match kind {
            FirewallKind::Stateful => Firewall::stateful(),
            FirewallKind::UdpBlocked => Firewall::udp_blocked(),
            FirewallKind::WebOnly => Firewall::web_only(),
        });
    }
    let mut table = value.table("firewall", problems)?;
    let port = table.require("udp-only-to", problems);
    let port = port.and_then(|value| value.integer(1..=u64::from(u16::MAX), problems));
    table.finish(problems);
    Some(Firewall::udp_only_to(u16::try_from(port?).ok()?))
}

/// `[49152, 65535]`.
pub(super) fn port_range(value: Value<'_>, problems: &Problems) -> Option<PortRange> {
    let accepted = "the first and the last port, [49152, 65535]";
    let port = |value: Value<'_>| {
        value.integer(1..=u64::from(u16::MAX), problems).and_then(|port| u16::try_from(port).ok())
    };
    let [first, last] = *value.list(accepted, problems).as_slice() else {
        value.wrong_type(accepted, problems);
        return None;
    };
    let range = PortRange { first: port(first)?, last: port(last)? };
    if range.first > range.last {
        problems.add(ProblemKind::EmptyRange, value.span());
        return None;
    }
    Some(range)
}

/// A NAT of this kind without its outside address.
fn nat_of(kind: NatKind) -> NatConfig {
    let nowhere = IpAddr::from([0, 0, 0, 0]);
    match kind {
        NatKind::FullCone => NatConfig::full_cone(nowhere),
        NatKind::RestrictedCone => NatConfig::restricted_cone(nowhere),
        NatKind::PortRestrictedCone => NatConfig::port_restricted_cone(nowhere),
        NatKind::Symmetric => NatConfig::symmetric(nowhere),
    }
}

/// A gateway of `[gateways]`.
pub(super) struct SharedGateway {
    pub(super) name: Name,
    at: Span,
    read: GatewayRead,
    inside: Vec<(Name, Span)>,
}

/// `[gateways.NAME]`: its name, what it does, and who is inside, not yet checked.
pub(super) fn read_shared(value: Option<Value<'_>>, problems: &Problems) -> Vec<SharedGateway> {
    let Some(table) = value.and_then(|value| value.table("[gateways]", problems)) else { return Vec::new() };
    table.rest().iter().filter_map(|key| shared(key, problems)).collect()
}

fn shared(key: &Key<'_>, problems: &Problems) -> Option<SharedGateway> {
    address::check_name(key, problems);
    let mut table = key.value.table(format!("[gateways.{}]", key.name), problems)?;
    let read = gateway(&mut table, problems);
    let inside = table.require("inside", problems);
    table.finish(problems);
    let inside = inside?.list("a list of peers and gateways", problems).into_iter();
    let inside = inside.filter_map(|value| {
        Some((Name::from(value.string("the name of a peer or a gateway", problems)?), value.span()))
    });
    Some(SharedGateway { name: key.name.into(), at: key.span.clone(), read, inside: inside.collect() })
}

/// Gives the shared gateways their outside addresses and puts them among the `sites`' gateways.
pub(super) fn place_shared(shared: &[SharedGateway], peers: &[Name], sites: &mut Sites, problems: &Problems) {
    let names: Vec<Name> = peers.iter().chain(shared.iter().map(|gateway| &gateway.name)).cloned().collect();
    for gateway in shared {
        for (name, at) in &gateway.inside {
            known_name("peer or gateway", name.as_str(), &names, || at.clone(), problems);
            if let Some(other) = sites.gateway_of(name).filter(|other| **other != gateway.name) {
                let reason = format!("`{name}` is already behind `{other}`");
                problems.add(ProblemKind::Impossible { reason }, at.clone());
            }
        }
        let is_nested = shared.iter().any(|outer| outer.inside.iter().any(|(name, _)| *name == gateway.name));
        if is_behind_itself(&gateway.name, shared) {
            let reason = format!("`{}` is behind itself", gateway.name);
            problems.add(ProblemKind::Impossible { reason }, gateway.at.clone());
        }
        let inside = gateway.inside.iter().map(|(name, _)| name.clone()).collect();
        sites.add_gateway(&gateway.read, gateway.name.clone(), inside, is_nested);
    }
}

fn is_behind_itself(name: &Name, shared: &[SharedGateway]) -> bool {
    let mut place = name;
    for _ in 0..shared.len() {
        let Some(outer) = shared.iter().find(|outer| outer.inside.iter().any(|(inside, _)| inside == place))
        else {
            return false;
        };
        place = &outer.name;
        if place == name {
            return true;
        }
    }
    false
}
