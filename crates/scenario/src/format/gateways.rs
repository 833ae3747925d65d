//! NATs and firewalls: `[gateways.NAME]` for those that several peers share, and `nat`, `firewall` or
//! `gateways` at a peer for its own.

use std::net::IpAddr;

use timeline::Name;

use super::{
    address::{self, Sites},
    error::{ProblemKind, Span},
    reader::{Key, Reading, Table, Value},
    values::{known_name, set},
};
use crate::plan::{Firewall, FirewallKind, Gateway, Hairpinning, NatConfig, NatKind, PortRange};

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
pub(super) fn take_own(table: &Table<'_>) -> Option<Vec<GatewayRead>> {
    let (own, said) = gateway(table);
    let doc = "The gateways between it and the network, the nearest first: two make a carrier-grade NAT.";
    let chain = table.take("gateways", doc);
    if let (Some(said), Some(_)) = (said, chain) {
        let accepted = "gateways, or nat and firewall".to_owned();
        said.problem::<()>(ProblemKind::NotOne { what: "this peer", found: 2, accepted });
    }
    match chain {
        None => said.map(|_| vec![own]),
        Some(chain) => {
            let chain = chain.list("a list of gateways, the nearest first", 0..).into_iter();
            let one = |value: Value<'_>| {
                let table = value.table("a gateway")?;
                let (gateway, _) = gateway(&table);
                table.finish();
                Some(gateway)
            };
            Some(chain.filter_map(one).collect())
        }
    }
}

/// What `table` says of a gateway, and the first place where it does.
fn gateway<'d>(table: &Table<'d>) -> (GatewayRead, Option<Value<'d>>) {
    let translates = table.take("nat", "How it translates IPv4. Default: it does not.");
    let filters =
        table.take("firewall", "What it lets through. Default: everything that the NAT lets through.");
    let address_doc = "The NAT's outside address. Default: 203.0.113.N, behind another NAT 100.64.0.N.";
    let public = table.take("public", address_doc);
    let read = GatewayRead {
        nat: translates.and_then(|value| value.named("nat", nat)),
        firewall: filters.and_then(|value| value.named("firewall", firewall)),
        public: public.and_then(address::one),
    };
    (read, translates.or(filters).or(public))
}

/// `"symmetric"`, or `{ mapping = "endpoint-independent", filtering = "address-dependent", … }`.
fn nat(value: Value<'_>) -> Option<NatRead> {
    value.string_or(|value| value.word("NAT").map(|kind| NatRead(nat_of(kind))), nat_table)
}

fn nat_table(value: Value<'_>) -> Option<NatRead> {
    let table = value.table("nat")?;
    let mut kind = NatKind::PortRestrictedCone;
    table.set_word("kind", "What it is like where nothing else is said.", "NAT", &mut kind);
    let mut nat = nat_of(kind);
    let dependence = |value: Value<'_>| value.word("dependence");
    let mapping_doc = "When an inside endpoint keeps its outside endpoint (§4.1).";
    set(&mut nat.mapping, table.get("mapping", mapping_doc, dependence));
    set(&mut nat.filtering, table.get("filtering", "Who is let in (§5).", dependence));
    let ports_doc = "How outside ports are chosen (§4.2). Default: preserved; of a symmetric NAT: random.";
    set(&mut nat.ports, table.get("ports", ports_doc, |value| value.word("port allocation")));
    table.set_word("refresh", "What keeps a UDP mapping alive (§4.3).", "refresh", &mut nat.refresh);
    let mut hairpinning = nat.hairpinning == Hairpinning::On;
    let hairpinning_doc = "Whether inside endpoints reach each other through their mappings (§6).";
    table.set("hairpinning", hairpinning_doc, &mut hairpinning, Value::boolean);
    nat.hairpinning = if hairpinning { Hairpinning::On } else { Hairpinning::Off };
    let timeout_doc = "After how much silence a UDP mapping is forgotten.";
    table.set("udp-timeout", timeout_doc, &mut nat.timeouts.udp, Value::duration);
    let range_doc = "The first and the last outside port. Default: [1024, 65535].";
    set(&mut nat.port_range, table.get("port-range", range_doc, port_range));
    table.finish();
    Some(NatRead(nat))
}

/// `"web-only"`, or `{ udp-only-to = 3478 }`.
fn firewall(value: Value<'_>) -> Option<Firewall> {
    let kind = |value: Value<'_>| {
        Some(match value.word("firewall")? {
            FirewallKind::Stateful => Firewall::stateful(),
            FirewallKind::UdpBlocked => Firewall::udp_blocked(),
            FirewallKind::WebOnly => Firewall::web_only(),
        })
    };
    let only_to = |value: Value<'_>| {
        let table = value.table("firewall")?;
        let doc = "The only port to which UDP may go; its answers come back.";
        let port = table.need("udp-only-to", doc, port);
        table.finish();
        Some(Firewall::udp_only_to(port?))
    };
    value.string_or(kind, only_to)
}

/// A port.
pub(super) fn port(value: Value<'_>) -> Option<u16> {
    value.integer(1..=u64::from(u16::MAX))
}

/// `[49152, 65535]`.
pub(super) fn port_range(value: Value<'_>) -> Option<PortRange> {
    let accepted = "the first and the last port, [49152, 65535]";
    let ports: Vec<Option<u16>> = value.list(accepted, 2..=2).into_iter().map(port).collect();
    let [first, last] = *ports.as_slice() else { return value.wrong_type(accepted) };
    let range = PortRange { first: first?, last: last? };
    if range.first > range.last {
        return value.problem(ProblemKind::EmptyRange);
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
    pub(super) at: Span,
    read: GatewayRead,
    inside: Vec<(Name, Span)>,
}

/// `[gateways.NAME]`: its name, what it does, and who is inside, not yet checked.
pub(super) fn read_shared(value: Option<Value<'_>>) -> Vec<SharedGateway> {
    let Some(table) = value.and_then(|value| value.table("[gateways]")) else { return Vec::new() };
    table.names().iter().filter_map(shared).collect()
}

fn shared(key: &Key<'_>) -> Option<SharedGateway> {
    let table = key.value.table(format!("[gateways.{}]", key.name))?;
    let (read, _) = gateway(&table);
    let inside = table.require("inside", "The peers and gateways behind it.");
    table.finish();
    let inside = inside?.list("a list of peers and gateways", 0..).into_iter();
    let inside = inside.filter_map(|value| {
        Some((Name::from(value.string("the name of a peer or a gateway")?), value.span()))
    });
    Some(SharedGateway { name: key.name.into(), at: key.span.clone(), read, inside: inside.collect() })
}

/// Gives the shared gateways their outside addresses and puts them among the `sites`' gateways.
pub(super) fn place_shared(shared: &[SharedGateway], peers: &[Name], sites: &mut Sites, reading: &Reading) {
    let names: Vec<Name> = peers.iter().chain(shared.iter().map(|gateway| &gateway.name)).cloned().collect();
    for gateway in shared {
        for (name, at) in &gateway.inside {
            known_name("peer or gateway", name.as_str(), &names, || at.clone(), reading);
            if let Some(other) = sites.gateway_of(name).filter(|other| **other != gateway.name) {
                let reason = format!("`{name}` is already behind `{other}`");
                reading.add(ProblemKind::Impossible { reason }, at.clone());
            }
        }
        let is_nested = shared.iter().any(|outer| outer.inside.iter().any(|(name, _)| *name == gateway.name));
        if is_behind_itself(&gateway.name, shared) {
            let reason = format!("`{}` is behind itself", gateway.name);
            reading.add(ProblemKind::Impossible { reason }, gateway.at.clone());
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
