//! Firewalls, two NATs in a row, one NAT for both, IPv6.

use nat_oracle::{
    Families,
    Firewall::{self, Stateful, UdpBlocked, UdpOnlyTo, WebOnly},
    Gateway, InvalidSituation, Nat, Path, Servers, Site, Situation, predict,
};

const CONE: Nat = Nat::PORT_RESTRICTED_CONE;
const CARRIER: Nat = Nat::FULL_CONE;

#[track_caller]
fn check(situation: Situation, stun: Path, turn: Path) {
    let found = [Servers::STUN, Servers::STUN_AND_TURN].map(|servers| {
        let there = predict(&situation.clone().with_servers(servers));
        let back = predict(&situation.clone().turned_round().with_servers(servers));
        assert_eq!(there.path, back.path, "{:#?}\n{:#?}", there.because, back.because);
        assert_eq!(there.turn_required, !stun.is_direct());
        there.path
    });
    assert_eq!(found, [stun, turn]);
}

#[track_caller]
fn check_apart(caller: Site, callee: Site, stun: Path, turn: Path) {
    check(Situation::apart(caller, callee, Servers::NONE), stun, turn);
}

#[track_caller]
fn check_sharing(caller: &[Gateway], callee: &[Gateway], shared: usize, stun: Path, turn: Path) {
    let [caller, callee] = [caller, callee].map(|gateways| Site::behind(gateways.to_vec()));
    check(Situation::sharing(caller, callee, shared, Servers::NONE).unwrap(), stun, turn);
}

fn behind(firewall: Firewall) -> Site {
    Site::behind([Gateway::firewall(firewall)])
}

#[test]
fn where_udp_is_blocked_turn_over_udp_does_not_help() {
    for firewall in [UdpBlocked, WebOnly] {
        check_apart(behind(firewall), Site::public(), Path::None, Path::None);
        check_apart(behind(firewall), behind(firewall), Path::None, Path::None);
        let nat_too = Site::behind([Gateway { nat: Some(CARRIER), firewall: Some(firewall) }]);
        check_apart(nat_too, Site::public(), Path::None, Path::None);
    }
}

#[test]
fn udp_to_the_servers_port_only_needs_a_relay() {
    let only = || behind(UdpOnlyTo(Servers::PORT));
    check_apart(only(), Site::public(), Path::None, Path::Relay);
    check_apart(only(), only(), Path::None, Path::Relay);
    check_apart(only(), Site::behind([Gateway::nat(Nat::SYMMETRIC)]), Path::None, Path::Relay);
    // Another port than the servers'.
    check_apart(behind(UdpOnlyTo(443)), Site::public(), Path::None, Path::None);
}

#[test]
fn two_stateful_firewalls_open_for_each_other() {
    check_apart(behind(Stateful), behind(Stateful), Path::Host, Path::Host);
    check_apart(behind(Stateful), Site::public(), Path::Host, Path::Host);
    // A symmetric NAT's port is none that the firewall's host has sent to; but that host has no NAT, so the
    // packets that it sends itself never get in either.
    let symmetric = Site::behind([Gateway::nat(Nat::SYMMETRIC)]);
    check_apart(behind(Stateful), symmetric, Path::None, Path::Relay);
    check_apart(
        behind(Stateful),
        Site::behind([Gateway::nat(CONE)]),
        Path::ServerReflexive,
        Path::ServerReflexive,
    );
}

#[test]
fn ipv6_needs_no_stun_behind_stateful_firewalls() {
    let home = || {
        let router = Gateway { nat: Some(Nat::SYMMETRIC), firewall: Some(Stateful) };
        Site::behind([router]).with_families(Families::Both)
    };
    check_apart(home(), home(), Path::Host, Path::Host);
    let v6 = || behind(Stateful).with_families(Families::Ipv6);
    check_apart(v6(), v6(), Path::Host, Path::Host);
    check_apart(v6(), home(), Path::Host, Path::Host);
    // No family in common, and the servers are IPv4.
    check_apart(v6(), Site::public(), Path::None, Path::None);
}

#[test]
fn a_turn_server_with_ipv6_joins_the_families() {
    let v6 = behind(Stateful).with_families(Families::Ipv6);
    let servers = Servers { families: Families::Both, ..Servers::STUN_AND_TURN };
    for situation in
        [Situation::apart(v6.clone(), Site::public(), servers), Situation::apart(Site::public(), v6, servers)]
    {
        let found = predict(&situation);
        assert_eq!((found.path, found.turn_required), (Path::Relay, true), "{:#?}", found.because);
    }
}

#[test]
fn behind_one_nat_the_hosts_see_each_other() {
    for nat in [CONE, Nat::SYMMETRIC, CONE.without_hairpinning()] {
        check_sharing(&[Gateway::nat(nat)], &[Gateway::nat(nat)], 1, Path::Host, Path::Host);
    }
    // Even where nothing gets out.
    let shut = Gateway { nat: Some(CONE), firewall: Some(UdpBlocked) };
    check_sharing(&[shut], &[shut], 1, Path::Host, Path::Host);
}

#[test]
fn two_nats_in_a_row_are_as_strict_as_the_stricter_in_each_respect() {
    let behind = |nats: &[Nat]| Site::behind(nats.iter().map(|&nat| Gateway::nat(nat)));
    let far = || behind(&[CONE]);
    check_apart(behind(&[CONE, CARRIER]), far(), Path::ServerReflexive, Path::ServerReflexive);
    check_apart(behind(&[Nat::SYMMETRIC, CARRIER]), far(), Path::None, Path::Relay);
    check_apart(behind(&[CARRIER, Nat::SYMMETRIC]), far(), Path::None, Path::Relay);
    check_apart(
        behind(&[CARRIER, Nat::SYMMETRIC]),
        behind(&[CARRIER]),
        Path::PeerReflexive,
        Path::PeerReflexive,
    );
}

#[test]
fn behind_one_carrier_nat_two_homes_depend_on_hairpinning() {
    // What STUN saw of each is on the carrier's outside (RFC 4787 §6, RFC 6888 REQ-1).
    let homes = |carrier: Nat| [Gateway::nat(CONE), Gateway::nat(carrier)];
    let on = homes(CARRIER);
    check_sharing(&on, &on, 1, Path::ServerReflexive, Path::ServerReflexive);
    let off = homes(CARRIER.without_hairpinning());
    check_sharing(&off, &off, 1, Path::None, Path::Relay);
}

#[test]
fn a_phone_and_a_home_behind_one_carrier_need_no_hairpinning() {
    // The phone's own address is in the carrier's network, where the home can send to it.
    let carrier = Gateway::nat(CARRIER.without_hairpinning());
    check_sharing(&[Gateway::nat(CONE), carrier], &[carrier], 1, Path::PeerReflexive, Path::PeerReflexive);
    let hairpins = Gateway::nat(CARRIER);
    check_sharing(&[Gateway::nat(CONE), hairpins], &[hairpins], 1, Path::PeerReflexive, Path::PeerReflexive);
}

#[test]
fn a_box_cannot_be_shared_by_those_who_do_not_have_it() {
    let [one, two] = [CONE, CARRIER].map(|nat| Site::behind([Gateway::nat(nat)]));
    let shared = |one: &Site, two: &Site, n| Situation::sharing(one.clone(), two.clone(), n, Servers::STUN);
    assert_eq!(shared(&one, &two, 1), Err(InvalidSituation::Unlike { from_outside: 0 }));
    assert_eq!(shared(&one, &one, 2), Err(InvalidSituation::TooFewGateways { shared: 2, fewest: 1 }));
    assert!(shared(&one, &two, 0).is_ok());
    assert!(shared(&one, &one, 1).is_ok());
}
