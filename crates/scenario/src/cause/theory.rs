//! What NATs, firewalls and servers allow, by the RFCs alone.

use std::net::IpAddr;

use diagnosis::{Cause, Code, Evidence};
use nat_oracle::{
    Dependence, Families, Firewall, Gateway, Hairpinning, Machines, Nat, Offer, Path, Prediction, Servers,
    Site, Situation, predict,
};
use timeline::{Name, VirtualTime};

use super::{descriptions, scene::Scene};
use crate::plan::{self, IceServerKind};

/// By the plan, no pair of candidates can work, whatever happens.
pub(super) fn no_way(scene: &Scene<'_>) -> Option<Cause> {
    let sides = scene.sides()?;
    if !descriptions::are_set(scene) || sides.iter().any(|side| scene.ice_connected(side).is_some()) {
        return None;
    }
    let places = Places::of(scene, sides)?;
    let at = sides.iter().filter_map(|side| checking_since(scene, side)).max().unwrap_or_default();
    if !places.share_a_family() {
        let sentence = format!(
            "No candidate pair can work: {} and {} have no address family in common, {} has IPv4 only, the other IPv6",
            sides[0],
            sides[1],
            if places.sites[0].families == Families::Ipv4 { sides[0] } else { sides[1] },
        );
        return Some(Cause::new(Code::NoWorkingPair, at, sentence).about(sides));
    }
    let offer = offer(scene, sides);
    let predicted = places.predict(offer);
    if predicted.path != Path::None {
        return None;
    }
    let evidence = predicted.because.iter().map(|step| Evidence::general(at, step.clone()));
    if let Some((side, what)) = places.blocked(sides, offer) {
        let sentence = format!("The firewall of {side} {what}, so no candidate pair can work");
        return Some(Cause::new(Code::UdpBlocked, at, sentence).about([side]).shown_by(evidence));
    }
    let sentence = format!("No candidate pair can work: {}", places.why(sides, offer));
    Some(Cause::new(Code::NoWorkingPair, at, sentence).about(sides).shown_by(evidence))
}

/// When `side` began to check pairs.
pub(super) fn checking_since(scene: &Scene<'_>, side: &Name) -> Option<VirtualTime> {
    scene.first(side, &[timeline::State::Ice(timeline::IceState::Checking)])
}

/// Whether a pair can work with servers that do this.
pub(super) fn works_with(scene: &Scene<'_>, offer: Offer) -> Option<bool> {
    Some(Places::of(scene, scene.sides()?)?.predict(offer).path != Path::None)
}

/// What the servers that the two were given do for at least one of them.
pub(super) fn offer(scene: &Scene<'_>, sides: [&Name; 2]) -> Offer {
    let kinds = sides.into_iter().flat_map(|side| scene.servers(side)).map(|server| match server.kind {
        IceServerKind::Stun => Offer::Stun,
        IceServerKind::Turn => Offer::StunAndTurn,
    });
    kinds.max().unwrap_or(Offer::Nothing)
}

/// Where the two are, in the words of the oracle.
struct Places {
    sites: [Site; 2],
    shared: usize,
    server_families: Families,
    port: u16,
}

impl Places {
    /// `None` where a firewall is of a kind that the oracle does not know.
    fn of(scene: &Scene<'_>, sides: [&Name; 2]) -> Option<Self> {
        let chains = sides.map(|side| chain(scene, side));
        let sites = [site(scene, sides[0], &chains[0])?, site(scene, sides[1], &chains[1])?];
        let outermost = chains[0].iter().rev().zip(chains[1].iter().rev());
        let shared = outermost.take_while(|(one, other)| one.name == other.name).count();
        let servers = || sides.into_iter().flat_map(|side| scene.servers(side));
        let addresses: Vec<IpAddr> = servers().flat_map(|server| server.addresses.iter().copied()).collect();
        Some(Self {
            sites,
            shared,
            server_families: families(&addresses).unwrap_or(Families::Ipv4),
            port: servers().next().map_or(Servers::PORT, |server| server.port),
        })
    }

    fn share_a_family(&self) -> bool {
        let [one, other] = &self.sites;
        one.families == Families::Both || other.families == Families::Both || one.families == other.families
    }

    fn predict(&self, offer: Offer) -> Prediction {
        self.predict_at(self.sites.clone(), offer)
    }

    fn predict_at(&self, sites: [Site; 2], offer: Offer) -> Prediction {
        let servers =
            Servers { offer, machines: Machines::One, port: self.port, families: self.server_families };
        let [caller, callee] = sites;
        let apart = Situation::apart(caller.clone(), callee.clone(), servers);
        predict(&Situation::sharing(caller, callee, self.shared, servers).unwrap_or(apart))
    }

    /// The side whose firewall is to blame, and what that does.
    fn blocked<'n>(&self, sides: [&'n Name; 2], offer: Offer) -> Option<(&'n Name, String)> {
        let open = |index: usize| {
            let mut sites = self.sites.clone();
            sites[index].gateways.iter_mut().for_each(|gateway| gateway.firewall = None);
            sites
        };
        let strict = |site: &Site| {
            let mut firewalls = site.gateways.iter().filter_map(|gateway| gateway.firewall);
            firewalls.rfind(|firewall| *firewall != Firewall::Stateful)
        };
        (0..2).find_map(|index| {
            let firewall = strict(&self.sites[index])?;
            // Where both are to blame, opening one is not enough.
            let helps = self.predict_at(open(index), offer).path != Path::None
                || strict(&self.sites[1 - index]).is_some();
            let what = match firewall {
                Firewall::UdpBlocked => "lets no UDP out".to_owned(),
                Firewall::WebOnly => "lets nothing out but TCP to ports 80 and 443".to_owned(),
                Firewall::UdpOnlyTo(port) => {
                    format!("lets UDP out to port {port} only, where no TURN server of the two listens")
                }
                Firewall::Stateful => return None,
            };
            helps.then(|| (sides[index], what))
        })
    }

    /// What stands between the two, in a sentence.
    fn why(&self, sides: [&Name; 2], offer: Offer) -> String {
        let [caller, callee] = sides;
        let kinds = [0, 1].map(|index| in_words(&self.sites[index]));
        let who = match &kinds {
            [Some(one), Some(other)] if one == other => {
                format!("{caller} and {callee} are each behind {one}")
            }
            [Some(one), Some(other)] => {
                let other = match (one.strip_suffix(" NAT"), other.strip_suffix(" NAT")) {
                    (Some(_), Some(other)) => format!("{other} one"),
                    _ => other.clone(),
                };
                format!("{caller} is behind {one}, {callee} behind {other}")
            }
            [Some(one), None] => format!("{caller} is behind {one}, {callee} has a public address"),
            [None, Some(other)] => format!("{callee} is behind {other}, {caller} has a public address"),
            [None, None] => format!("{caller} and {callee} have public addresses"),
        };
        let hairpins = self.sites[0]
            .gateways
            .iter()
            .rev()
            .take(self.shared)
            .all(|gateway| gateway.nat.is_none_or(|nat| nat.hairpinning == Hairpinning::On));
        let shared =
            if self.shared > 0 && !hairpins { ", the NAT that they share does not hairpin" } else { "" };
        let servers = match offer {
            Offer::Nothing => "neither has a STUN or TURN server",
            Offer::Stun => "neither has a TURN server",
            Offer::StunAndTurn => "the TURN server does not help",
        };
        format!("{who}{shared}, and {servers}")
    }
}

/// The gateways between a peer and the core, nearest first.
fn chain<'a>(scene: &Scene<'a>, side: &Name) -> Vec<&'a plan::Gateway> {
    let mut chain = Vec::new();
    let mut place = side;
    for _ in &scene.plan.gateways {
        let Some(gateway) = scene.plan.gateways.iter().find(|gateway| gateway.inside.contains(place)) else {
            break;
        };
        chain.push(gateway);
        place = &gateway.name;
    }
    chain
}

fn site(scene: &Scene<'_>, side: &Name, chain: &[&plan::Gateway]) -> Option<Site> {
    let gateways = chain.iter().map(|gateway| {
        let firewall = match &gateway.firewall {
            Some(firewall) => Some(firewall_of(firewall)?),
            None => None,
        };
        Some(Gateway { nat: gateway.nat.as_ref().map(nat), firewall })
    });
    let gateways: Vec<Gateway> = gateways.collect::<Option<_>>()?;
    let families = families(&scene.peer_plan(side)?.addresses)?;
    Some(Site::behind(gateways).with_families(families))
}

fn families(addresses: &[IpAddr]) -> Option<Families> {
    let (v4, v6) = (addresses.iter().any(IpAddr::is_ipv4), addresses.iter().any(IpAddr::is_ipv6));
    match (v4, v6) {
        (true, true) => Some(Families::Both),
        (true, false) => Some(Families::Ipv4),
        (false, true) => Some(Families::Ipv6),
        (false, false) => None,
    }
}

fn nat(nat: &plan::NatConfig) -> Nat {
    let depends = |dependence| match dependence {
        plan::Dependence::EndpointIndependent => Dependence::EndpointIndependent,
        plan::Dependence::AddressDependent => Dependence::AddressDependent,
        plan::Dependence::AddressAndPortDependent => Dependence::AddressAndPortDependent,
    };
    let found = Nat::new(depends(nat.mapping), depends(nat.filtering));
    match nat.hairpinning {
        plan::Hairpinning::On => found,
        plan::Hairpinning::Off => found.without_hairpinning(),
    }
}

/// `None` for rules that no scenario file can say.
fn firewall_of(firewall: &plan::Firewall) -> Option<Firewall> {
    if *firewall == plan::Firewall::stateful() {
        return Some(Firewall::Stateful);
    }
    if *firewall == plan::Firewall::udp_blocked() {
        return Some(Firewall::UdpBlocked);
    }
    if *firewall == plan::Firewall::web_only() {
        return Some(Firewall::WebOnly);
    }
    let port = firewall.rules.first()?.fits.ports.first;
    (*firewall == plan::Firewall::udp_only_to(port)).then_some(Firewall::UdpOnlyTo(port))
}

/// What a peer is behind: the NAT that is hardest to come through, or a firewall.
fn in_words(site: &Site) -> Option<String> {
    let nats = site.gateways.iter().filter_map(|gateway| gateway.nat);
    let hardest = nats.clone().max_by_key(|nat| (nat.mapping, nat.filtering));
    let Some(nat) = hardest else {
        return site
            .gateways
            .iter()
            .any(|gateway| gateway.firewall.is_some())
            .then(|| "a firewall".to_owned());
    };
    let kind = match (nat.mapping, nat.filtering) {
        (Dependence::EndpointIndependent, Dependence::EndpointIndependent) => "a full-cone NAT".to_owned(),
        (Dependence::EndpointIndependent, Dependence::AddressDependent) => "a restricted NAT".to_owned(),
        (Dependence::EndpointIndependent, Dependence::AddressAndPortDependent) => {
            "a port-restricted NAT".to_owned()
        }
        (Dependence::AddressAndPortDependent, Dependence::AddressAndPortDependent) => {
            "a symmetric NAT".to_owned()
        }
        (mapping, filtering) => {
            format!("an {}-mapping, {}-filtering NAT", depends(mapping), depends(filtering))
        }
    };
    Some(kind)
}

const fn depends(dependence: Dependence) -> &'static str {
    match dependence {
        Dependence::EndpointIndependent => "endpoint-independent",
        Dependence::AddressDependent => "address-dependent",
        Dependence::AddressAndPortDependent => "address-and-port-dependent",
    }
}
