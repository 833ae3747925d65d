//! Where the peers of the grid are, in the words of a scenario file and in those of the oracle.

use std::fmt::Write;

use nat_oracle::{Dependence, Families, Firewall, Gateway, Nat, Site, Situation};

use super::Part;

/// Two peers and what stands between them.
#[derive(Clone)]
pub(super) struct Pair {
    pub(super) part: Part,
    pub(super) caller: String,
    pub(super) callee: String,
    pub(super) situation: Situation,
    pub(super) server_families: Families,
    /// The peers' tables, and the gateways that they share.
    tables: String,
}

/// A place of one peer.
#[derive(Clone)]
struct Place {
    name: String,
    /// The keys of the peer's table.
    keys: String,
    site: Site,
}

impl Place {
    fn new(name: &str, keys: &str, site: Site) -> Self {
        Self { name: name.to_owned(), keys: keys.to_owned(), site }
    }
}

/// All pairs of the grid.
pub(super) fn pairs() -> Vec<Pair> {
    let (nats, places) = (nats(), places());
    let all = |part, places: &[Place]| -> Vec<Pair> {
        let against = |caller| places.iter().map(move |callee| apart(part, caller, callee));
        places.iter().flat_map(against).collect()
    };
    [all(Part::Nats, &nats), all(Part::Places, &places), others()].concat()
}

/// The nine NATs, by mapping and then by filtering.
fn nats() -> Vec<Place> {
    let place = |nat: Nat| {
        let (mapping, filtering) = (word(nat.mapping), word(nat.filtering));
        // Whoever maps by destination mostly draws its ports.
        let ports = if nat.mapping == Dependence::EndpointIndependent { "preserved" } else { "random" };
        let keys = format!(
            "nat = {{ mapping = \"{mapping}\", filtering = \"{filtering}\", ports = \"{ports}\" }}\n"
        );
        Place::new(&format!("{mapping}/{filtering}"), &keys, Site::behind([Gateway::nat(nat)]))
    };
    Nat::all().map(place).collect()
}

const fn word(dependence: Dependence) -> &'static str {
    match dependence {
        Dependence::EndpointIndependent => "endpoint-independent",
        Dependence::AddressDependent => "address-dependent",
        Dependence::AddressAndPortDependent => "address-and-port-dependent",
    }
}

/// A public host, usual and carrier-grade NATs, and firewalls.
fn places() -> Vec<Place> {
    let behind = |nats: &[Nat]| Site::behind(nats.iter().copied().map(Gateway::nat));
    let firewall = |firewall| Site::behind([Gateway::firewall(firewall)]);
    let carrier =
        |outer: &str| format!("gateways = [{{ nat = \"port-restricted-cone\" }}, {{ nat = \"{outer}\" }}]\n");
    vec![
        Place::new("public", "", Site::public()),
        Place::new(
            "port-restricted-cone",
            "nat = \"port-restricted-cone\"\n",
            behind(&[Nat::PORT_RESTRICTED_CONE]),
        ),
        Place::new("symmetric", "nat = \"symmetric\"\n", behind(&[Nat::SYMMETRIC])),
        Place::new(
            "carrier-full-cone",
            &carrier("full-cone"),
            behind(&[Nat::PORT_RESTRICTED_CONE, Nat::FULL_CONE]),
        ),
        Place::new(
            "carrier-symmetric",
            &carrier("symmetric"),
            behind(&[Nat::PORT_RESTRICTED_CONE, Nat::SYMMETRIC]),
        ),
        Place::new("stateful-firewall", "firewall = \"stateful\"\n", firewall(Firewall::Stateful)),
        Place::new("udp-blocked", "firewall = \"udp-blocked\"\n", firewall(Firewall::UdpBlocked)),
        Place::new("web-only", "firewall = \"web-only\"\n", firewall(Firewall::WebOnly)),
        Place::new(
            "udp-only-to-3478",
            "firewall = { udp-only-to = 3478 }\n",
            firewall(Firewall::UdpOnlyTo(3478)),
        ),
    ]
}

fn apart(part: Part, caller: &Place, callee: &Place) -> Pair {
    Pair {
        part,
        caller: caller.name.clone(),
        callee: callee.name.clone(),
        situation: Situation::apart(caller.site.clone(), callee.site.clone(), nat_oracle::Servers::NONE),
        server_families: Families::Ipv4,
        tables: format!("[peers.caller]\n{}\n[peers.callee]\n{}", caller.keys, callee.keys),
    }
}

/// IPv6 with firewalls, and peers that share a gateway.
fn others() -> Vec<Pair> {
    [ipv6(), same_home(), same_carrier()].concat()
}

/// Hosts with IPv6 addresses behind stateful firewalls, alone and beside IPv4 behind a symmetric NAT.
fn ipv6() -> Vec<Pair> {
    let stateful = Gateway::firewall(Firewall::Stateful);
    let only = |address: &str| {
        let keys = format!("address = \"{address}\"\nfirewall = \"stateful\"\n");
        Place::new("ipv6-stateful", &keys, Site::behind([stateful]).with_families(Families::Ipv6))
    };
    let both = |four: &str, six: &str| {
        let keys =
            format!("address = [\"{four}\", \"{six}\"]\nnat = \"symmetric\"\nfirewall = \"stateful\"\n");
        let gateway = Gateway { nat: Some(Nat::SYMMETRIC), firewall: Some(Firewall::Stateful) };
        Place::new("ipv6-and-symmetric", &keys, Site::behind([gateway]).with_families(Families::Both))
    };
    let public = Place::new("public", "", Site::public());
    let callers = [only("2001:db8:1::2"), both("192.168.10.2", "2001:db8:1::2"), public.clone()];
    let callees = [only("2001:db8:2::2"), both("192.168.20.2", "2001:db8:2::2"), public];
    let against = |caller| callees.iter().map(move |callee| apart(Part::Others, caller, callee));
    let all = callers
        .iter()
        .flat_map(against)
        .filter(|pair| (&*pair.caller, &*pair.callee) != ("public", "public"));
    all.map(|pair| Pair { server_families: Families::Both, ..pair }).collect()
}

/// Two peers behind one home router, which hairpins or does not: they see each other's own address.
fn same_home() -> Vec<Pair> {
    let pair = |nat: Nat, hairpinning: bool| {
        let name = if hairpinning { "same-home" } else { "same-home-without-hairpinning" };
        let site = Site::behind([Gateway::nat(nat)]);
        shared(
            name,
            &site,
            "",
            &format!("nat = {{ kind = \"port-restricted-cone\", hairpinning = {hairpinning} }}\n"),
        )
    };
    let nat = Nat::PORT_RESTRICTED_CONE;
    vec![pair(nat, true), pair(nat.without_hairpinning(), false)]
}

/// Two homes behind one carrier's NAT.
fn same_carrier() -> Vec<Pair> {
    let home = Nat::PORT_RESTRICTED_CONE;
    let pair = |kind: &str, nat: Nat, hairpinning: bool| {
        let suffix = if hairpinning { "" } else { "-without-hairpinning" };
        let site = Site::behind([Gateway::nat(home), Gateway::nat(nat)]);
        let name = format!("same-carrier-{kind}{suffix}");
        shared(&name, &site, "home", &format!("nat = {{ kind = \"{kind}\", hairpinning = {hairpinning} }}\n"))
    };
    let kinds = [("full-cone", Nat::FULL_CONE), ("symmetric", Nat::SYMMETRIC)];
    kinds
        .into_iter()
        .flat_map(|(kind, nat)| [pair(kind, nat, true), pair(kind, nat.without_hairpinning(), false)])
        .collect()
}

/// Two peers that share their outermost gateway, with a home router each where `homes` names one.
fn shared(name: &str, site: &Site, homes: &str, outermost: &str) -> Pair {
    let situation = Situation::sharing(site.clone(), site.clone(), 1, nat_oracle::Servers::NONE);
    let mut tables = String::new();
    let inside = if homes.is_empty() { "\"caller\", \"callee\"" } else { "\"caller-home\", \"callee-home\"" };
    for (peer, address) in [("caller", "192.168.10.2"), ("callee", "192.168.20.2")] {
        let _ = writeln!(tables, "[peers.{peer}]\naddress = \"{address}\"");
        if !homes.is_empty() {
            let nat = "nat = \"port-restricted-cone\"";
            let _ = writeln!(tables, "[gateways.{peer}-home]\ninside = [\"{peer}\"]\n{nat}");
        }
    }
    let _ = writeln!(tables, "[gateways.outermost]\ninside = [{inside}]\n{outermost}");
    Pair {
        part: Part::Others,
        caller: name.to_owned(),
        callee: name.to_owned(),
        situation: situation.expect("both have the same gateways"),
        server_families: Families::Ipv4,
        tables,
    }
}

impl Pair {
    /// The call. Nobody sends media, and whoever is to connect has done so some 3 s after the dial: nothing is
    /// lost, and `rtc-ice` waits at most 2 s before it nominates.
    pub(super) fn scenario(&self, turn: bool) -> String {
        let Self { caller, callee, tables, .. } = self;
        let (server, kind) = if turn { ("TURN", "turn") } else { ("STUN", "stun") };
        let [address, signaller] = match self.server_families {
            Families::Both => [("198.51.100.1", "2001:db8:f::1"), ("10.0.1.1", "2001:db8:f::2")]
                .map(|(four, six)| format!("address = [\"{four}\", \"{six}\"]\n")),
            _ => [String::new(), String::new()],
        };
        format!(
            r#"version = 1
summary = "NAT grid, with a {server} server: {caller} calls {callee}."

{tables}
[signaller]
{signaller}
[ice-servers.{kind}]
kind = "{kind}"
{address}
[[steps]]
at = "1s"
caller = {{ dial = "callee" }}

[[steps]]
at = "1s 10ms"
caller = "disable-audio"
callee = "disable-audio"

[[steps]]
at = "1s 10ms"
caller = "disable-video"
callee = "disable-video"

[[steps]]
at = "14s"
caller = "hang-up"

[expect]
"#
        )
    }
}
