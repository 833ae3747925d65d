//! Single cells, worked out by hand.

use nat_oracle::{
    CandidateType::{self, Host, PeerReflexive, Relay, ServerReflexive},
    Dependence, Gateway, Machines, Nat, Path, Servers, Site, Situation, predict,
};

/// The types that caller and callee know each other by, and the caller's base.
#[track_caller]
fn check(caller: Nat, callee: Nat, servers: Servers, expect: Option<(CandidateType, CandidateType)>) {
    let site = |nat| Site::behind([Gateway::nat(nat)]);
    check_sites(site(caller), site(callee), servers, expect);
}

#[track_caller]
fn check_sites(caller: Site, callee: Site, servers: Servers, expect: Option<(CandidateType, CandidateType)>) {
    let found = predict(&Situation::apart(caller, callee, servers));
    let known_as = found.caller.map(|view| (view.local, view.remote));
    assert_eq!(known_as, expect, "{:#?}", found.because);
    let as_the_callee_sees_it = found.callee.map(|view| (view.remote, view.local));
    assert_eq!(as_the_callee_sees_it, expect);
    assert_eq!(found.path, expect.map_or(Path::None, |(caller, callee)| Path::of(caller, callee)));
}

const BY_ADDRESS: Nat = Nat::new(Dependence::AddressDependent, Dependence::EndpointIndependent);

#[test]
fn two_hosts_without_nat_use_their_own_addresses() {
    // What STUN sees is the host candidate again: redundant (RFC 8445 §5.1.3).
    check_sites(Site::public(), Site::public(), Servers::STUN_AND_TURN, Some((Host, Host)));
}

#[test]
fn two_home_routers_open_for_each_other() {
    // RFC 4787 §4.1: endpoint-independent, so each is where STUN saw it. §5: each has sent to the other.
    let cone = Nat::PORT_RESTRICTED_CONE;
    check(cone, cone, Servers::STUN, Some((ServerReflexive, ServerReflexive)));
}

#[test]
fn a_symmetric_nat_is_a_stranger_to_a_port_restricted_one() {
    // RFC 4787 §4.1: the symmetric side's packets come from a port that nobody was told of. §5: the other side
    // has not sent to that port, and never learns it.
    check(Nat::PORT_RESTRICTED_CONE, Nat::SYMMETRIC, Servers::STUN, None);
    check(Nat::SYMMETRIC, Nat::PORT_RESTRICTED_CONE, Servers::STUN, None);
}

#[test]
fn a_symmetric_nat_is_a_peer_reflexive_friend_to_a_restricted_one() {
    // RFC 4787 §5: address-dependent filtering asks for the address only, which is known.
    check(Nat::RESTRICTED_CONE, Nat::SYMMETRIC, Servers::STUN, Some((ServerReflexive, PeerReflexive)));
    check(Nat::SYMMETRIC, Nat::RESTRICTED_CONE, Servers::STUN, Some((PeerReflexive, ServerReflexive)));
}

#[test]
fn address_dependent_mapping_connects_if_somebody_lets_strangers_in() {
    // Both use, towards the other's address, a mapping that STUN did not see. The first check goes to the one
    // that STUN did see, and gets in; what it brings to light is the mapping towards the caller.
    check(BY_ADDRESS, BY_ADDRESS, Servers::STUN, Some((PeerReflexive, PeerReflexive)));
}

#[test]
fn two_symmetric_nats_need_a_relay_even_if_they_filter_nothing() {
    // Every answer comes from a new endpoint, never from where the check went (RFC 8445 §7.2.5.2.1).
    let open = Nat::new(Dependence::AddressAndPortDependent, Dependence::EndpointIndependent);
    check(open, open, Servers::STUN, None);
    // From the caller's socket to the callee's relayed address; the relay knows the caller's address, whatever
    // the port (RFC 8656 §9).
    check(open, open, Servers::STUN_AND_TURN, Some((PeerReflexive, Relay)));
}

#[test]
fn whoever_has_no_nat_hears_from_everybody() {
    let behind = |nat| Site::behind([Gateway::nat(nat)]);
    check_sites(Site::public(), behind(Nat::SYMMETRIC), Servers::STUN, Some((Host, PeerReflexive)));
    check_sites(behind(Nat::SYMMETRIC), Site::public(), Servers::STUN, Some((PeerReflexive, Host)));
    let cone = Nat::PORT_RESTRICTED_CONE;
    check_sites(Site::public(), behind(cone), Servers::STUN, Some((Host, ServerReflexive)));
    // Without STUN nobody was told of the NAT's endpoint.
    check_sites(Site::public(), behind(cone), Servers::NONE, Some((Host, PeerReflexive)));
}

#[test]
fn one_mapping_for_stun_and_the_relay_if_they_have_one_address() {
    // The callee's packets to the caller's relay: RFC 4787 §4.1 maps them as those to the STUN server, where
    // the address decides and is the same. The caller itself gets out to the servers only.
    use nat_oracle::Firewall::UdpOnlyTo;
    let caller = Site::behind([Gateway::firewall(UdpOnlyTo(Servers::PORT))]);
    let callee = Site::behind([Gateway::nat(Nat::new(
        Dependence::AddressDependent,
        Dependence::AddressAndPortDependent,
    ))]);
    let two = Servers { machines: Machines::Two, ..Servers::STUN_AND_TURN };
    check_sites(caller.clone(), callee.clone(), Servers::STUN_AND_TURN, Some((Relay, ServerReflexive)));
    check_sites(caller, callee, two, Some((Relay, PeerReflexive)));
}

#[test]
fn the_caller_sends_from_its_own_socket_to_the_callees_relay() {
    let site = || Site::behind([Gateway::nat(Nat::SYMMETRIC)]);
    let found = predict(&Situation::apart(site(), site(), Servers::STUN_AND_TURN));
    assert_eq!(found.caller.map(|view| view.base), Some(Host));
    assert_eq!(found.callee.map(|view| view.base), Some(Relay));
}

#[test]
fn the_reasoning_names_the_filter_that_keeps_the_path_shut() {
    let site = |nat| Site::behind([Gateway::nat(nat)]);
    let (caller, callee) = (site(Nat::PORT_RESTRICTED_CONE), site(Nat::SYMMETRIC));
    let found = predict(&Situation::apart(caller, callee, Servers::STUN));
    let expect = [
        "the caller signals host, srflx (RFC 8445 §5.1.1)",
        "the callee signals host, srflx (RFC 8445 §5.1.1)",
        "from the caller's host to the callee's host: a private address of another network (RFC 1918)",
        "from the caller's host to the callee's srflx: the callee's gateway filters it: nothing was sent through \
         that mapping to this address and port (RFC 4787 §5)",
        "from the callee's host to the caller's host: a private address of another network (RFC 1918)",
        "from the callee's host to the caller's srflx: the caller's gateway filters it: nothing was sent through \
         that mapping to this address and port (RFC 4787 §5)",
        "no valid pair: the checklist fails (RFC 8445 §6.1.2.1)",
    ];
    assert_eq!(found.because, expect);
}

#[test]
fn the_reasoning_tells_what_was_signalled_and_what_was_nominated() {
    let behind = Site::behind([Gateway::nat(Nat::SYMMETRIC)]);
    let found = predict(&Situation::apart(Site::public(), behind, Servers::STUN_AND_TURN));
    let tells =
        |sentence: &str| assert!(found.because.iter().any(|one| one == sentence), "{:#?}", found.because);
    // What STUN saw of a public host is redundant.
    tells("the caller signals host, relay (RFC 8445 §5.1.1)");
    tells(
        "from the caller's host to the callee's prflx: arrives, from its host (RFC 4787 §4.1), and is answered from \
         there: a valid pair (RFC 8445 §7.2.5.3.2)",
    );
    tells(
        "nominated, for the greatest priority among valid pairs: from the caller's host to the callee's prflx (RFC \
         8445 §6.1.2.3, §8.1.1)",
    );
}
