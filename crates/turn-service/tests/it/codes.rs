//! Every error code once, and the fine print of the requests that provoke them.

use rtc_stun::attributes::*;
use rtc_stun::message::*;
use rtc_stun::uattrs::UnknownAttributes;
use rtc_turn::proto::lifetime::Lifetime;
use turn_service::{ErrorCode, TurnSettings};

use crate::harness::*;

#[test]
fn every_code_has_a_request_that_provokes_it() {
    for code in ErrorCode::ALL {
        assert_eq!(provoke(code), code.number(), "{code}");
    }
}

fn provoke(code: ErrorCode) -> u16 {
    let mut server = server_with(TurnSettings {
        denied_peers: vec!["10.0.0.0".parse().unwrap()..="10.255.255.255".parse().unwrap()],
        quota: Some(1),
        relay_ports: 50_000..=50_001,
        ..turn()
    });
    let (mut alice, mut bob) = (Client::alice(), Client::bob());
    let relay = alice.allocate(&mut server, s(0));
    bob.ask_bare(&mut server, s(0), METHOD_ALLOCATE, vec![udp()]);
    let even_pair = raw(ATTR_EVEN_PORT, &[0x80]);
    let mut allocate = |attrs| bob.ask(&mut server, s(0), METHOD_ALLOCATE, attrs);
    match code {
        ErrorCode::BadRequest => allocate(vec![]),
        ErrorCode::Unauthorized => alice.ask_bare(&mut server, s(0), METHOD_REFRESH, vec![]),
        ErrorCode::Forbidden => alice.permit(&mut server, s(0), at("10.1.2.3:9")),
        ErrorCode::UnknownAttribute => allocate(vec![udp(), raw(ATTR_DONT_FRAGMENT, &[])]),
        ErrorCode::AllocationMismatch => alice.ask(&mut server, s(0), METHOD_ALLOCATE, vec![udp()]),
        ErrorCode::StaleNonce => alice.permit(&mut server, s(3600), peer()),
        ErrorCode::AddressFamilyNotSupported => {
            allocate(vec![udp(), raw(ATTR_REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0])])
        }
        ErrorCode::WrongCredentials => {
            (alice.username, alice.password) = ("bob".into(), "builder".into());
            alice.permit(&mut server, s(0), peer())
        }
        ErrorCode::UnsupportedTransportProtocol => {
            allocate(vec![raw(ATTR_REQUESTED_TRANSPORT, &[6, 0, 0, 0])])
        }
        ErrorCode::PeerAddressFamilyMismatch => alice.permit(&mut server, s(0), at("[2001:db8::1]:9")),
        ErrorCode::AllocationQuotaReached => {
            let mut other = Client::new("203.0.113.1:40099", "alice", "wonderland");
            other.ask_bare(&mut server, s(0), METHOD_ALLOCATE, vec![]);
            other.ask(&mut server, s(0), METHOD_ALLOCATE, vec![udp()])
        }
        // 50000 is taken by alice, so no even port is left.
        ErrorCode::InsufficientCapacity if relay.port() == 50_000 => allocate(vec![udp(), even_pair]),
        other => panic!("no way to provoke {other}"),
    }
}

#[track_caller]
fn check_allocate(attrs: Attrs, code: u16) -> Message {
    let (mut server, mut alice) = (server(), Client::alice());
    alice.ask_bare(&mut server, s(0), METHOD_ALLOCATE, vec![]);
    let request = alice.signed(METHOD_ALLOCATE, attrs);
    let (message, got) = alice.answer(&alice.clone().send(&mut server, s(0), &request));
    assert_eq!(got, code);
    assert_eq!(server.relays().count(), usize::from(code == 0));
    message
}

#[track_caller]
fn check_lifetime(asked: Option<u32>, seconds: u64) {
    let mut attrs = vec![udp()];
    attrs.extend(asked.map(lifetime));
    let message = check_allocate(attrs, 0);
    let mut granted = Lifetime::default();
    granted.get_from(&message).unwrap();
    assert_eq!(granted.0, s(seconds));
}

#[test]
fn a_lifetime_is_at_least_the_default_and_at_most_the_maximum() {
    check_lifetime(None, 600);
    check_lifetime(Some(0), 600);
    check_lifetime(Some(599), 600);
    check_lifetime(Some(601), 601);
    check_lifetime(Some(3600), 3600);
    check_lifetime(Some(3601), 3600);
    check_lifetime(Some(u32::MAX), 3600);
}

#[test]
fn malformed_and_contradictory_allocates_are_bad_requests() {
    let token = || raw(ATTR_RESERVATION_TOKEN, &[0; 8]);
    check_allocate(vec![raw(ATTR_REQUESTED_TRANSPORT, &[17])], 400);
    check_allocate(vec![udp(), raw(ATTR_LIFETIME, &[0; 3])], 400);
    check_allocate(vec![udp(), raw(ATTR_EVEN_PORT, &[])], 400);
    check_allocate(vec![udp(), raw(ATTR_REQUESTED_ADDRESS_FAMILY, &[1])], 400);
    check_allocate(vec![udp(), raw(ATTR_RESERVATION_TOKEN, &[0; 7])], 400);
    check_allocate(vec![udp(), token(), raw(ATTR_EVEN_PORT, &[0])], 400);
    check_allocate(vec![udp(), token(), raw(ATTR_REQUESTED_ADDRESS_FAMILY, &[1, 0, 0, 0])], 400);
    check_allocate(vec![udp(), token()], 508);
    check_allocate(vec![udp(), raw(ATTR_REQUESTED_ADDRESS_FAMILY, &[3, 0, 0, 0])], 440);
}

#[test]
fn dont_fragment_is_named_as_unknown() {
    let message = check_allocate(vec![udp(), raw(ATTR_DONT_FRAGMENT, &[])], 420);
    let mut unknown = UnknownAttributes(vec![]);
    unknown.get_from(&message).unwrap();
    assert_eq!(unknown.0, [ATTR_DONT_FRAGMENT]);
}

#[test]
fn optional_attributes_nobody_knows_are_ignored() {
    check_allocate(vec![udp(), raw(AttrType(0x8000), &[2, 0, 0, 0])], 0);
}

#[test]
fn an_even_port_is_even_and_its_neighbour_waits_for_the_token() {
    let (mut server, mut alice, mut bob) = (server(), Client::alice(), Client::bob());
    let mut odd = Client::new("203.0.113.7:7", "alice", "wonderland");
    assert_eq!(odd.allocate(&mut server, s(0)).port(), 49152);
    for client in [&mut alice, &mut bob] {
        client.ask_bare(&mut server, s(0), METHOD_ALLOCATE, vec![]);
    }
    let pair = vec![udp(), raw(ATTR_EVEN_PORT, &[0x80])];
    let request = alice.signed(METHOD_ALLOCATE, pair);
    let outputs = alice.send(&mut server, s(0), &request);
    let (message, _) = alice.answer(&outputs);
    assert_eq!(relayed(&message).port(), 49154);
    let token = message.get(ATTR_RESERVATION_TOKEN).unwrap();
    let request = bob.signed(METHOD_ALLOCATE, vec![udp(), raw(ATTR_RESERVATION_TOKEN, &token)]);
    let outputs = bob.send(&mut server, s(29), &request);
    let (message, _) = bob.answer(&outputs);
    assert_eq!(relayed(&message).port(), 49155);
}

#[test]
fn a_reserved_port_goes_to_nobody_else() {
    let (mut server, mut alice) = (server(), Client::alice());
    alice.ask_bare(&mut server, s(0), METHOD_ALLOCATE, vec![]);
    alice.ask(&mut server, s(0), METHOD_ALLOCATE, vec![udp(), raw(ATTR_EVEN_PORT, &[0x80])]);
    assert_eq!(Client::bob().allocate(&mut server, s(0)).port(), 49154);
}

#[test]
fn an_even_port_without_a_neighbour_cannot_reserve() {
    for (flags, code) in [(0x80, 508), (0, 0)] {
        let mut server = server_with(TurnSettings { relay_ports: 50_000..=50_000, ..turn() });
        let mut alice = Client::alice();
        alice.ask_bare(&mut server, s(0), METHOD_ALLOCATE, vec![]);
        let attrs = vec![udp(), raw(ATTR_EVEN_PORT, &[flags])];
        assert_eq!(alice.ask(&mut server, s(0), METHOD_ALLOCATE, attrs), code);
    }
}

#[test]
fn half_the_credentials_are_a_bad_request() {
    let (mut server, mut alice) = (server(), Client::alice());
    let integrity = raw(ATTR_MESSAGE_INTEGRITY, &[0; 20]);
    let user = raw(ATTR_USERNAME, b"alice");
    assert_eq!(alice.ask_bare(&mut server, s(0), METHOD_ALLOCATE, vec![udp(), user, integrity]), 400);
}

#[test]
fn channel_conflicts_and_ranges_are_bad_requests() {
    let (mut server, mut alice) = (server(), Client::alice());
    alice.allocate(&mut server, s(0));
    let mut bind = |channel, peer: &str| alice.bind(&mut server, s(0), channel, at(peer));
    assert_eq!(bind(0x3fff, "192.0.2.1:1"), 400);
    assert_eq!(bind(0x4000, "192.0.2.1:1"), 0);
    assert_eq!(bind(0x4000, "192.0.2.1:1"), 0, "refresh");
    assert_eq!(bind(0x4000, "192.0.2.1:2"), 400, "the number has another peer");
    assert_eq!(bind(0x4fff, "192.0.2.1:1"), 400, "the peer has another number");
    assert_eq!(bind(0x4fff, "192.0.2.1:2"), 0);
    assert_eq!(bind(0x5000, "192.0.2.1:3"), 400);
}

#[test]
fn incomplete_permissions_and_channels_are_bad_requests() {
    let (mut server, mut alice) = (server(), Client::alice());
    alice.allocate(&mut server, s(0));
    let mut ask = |method, attrs| alice.ask(&mut server, s(0), method, attrs);
    assert_eq!(ask(METHOD_CREATE_PERMISSION, vec![]), 400);
    assert_eq!(ask(METHOD_CREATE_PERMISSION, vec![raw(ATTR_XOR_PEER_ADDRESS, &[0, 1, 2, 3, 4])]), 400);
    assert_eq!(ask(METHOD_CHANNEL_BIND, vec![to(peer())]), 400);
    assert_eq!(ask(METHOD_CHANNEL_BIND, vec![number(0x4000)]), 400);
}

#[test]
fn one_bad_peer_spoils_the_whole_create_permission() {
    let (mut server, mut alice) = (server(), Client::alice());
    let relay = alice.allocate(&mut server, s(0));
    let both = vec![to(peer()), to(at("[2001:db8::1]:1"))];
    assert_eq!(alice.ask(&mut server, s(0), METHOD_CREATE_PERMISSION, both), 443);
    assert_eq!(from_peer(&mut server, s(0), peer(), relay, b"no"), []);
}

#[test]
fn requests_without_an_allocation_are_mismatched() {
    let (mut server, mut alice) = (server(), Client::alice());
    alice.ask_bare(&mut server, s(0), METHOD_ALLOCATE, vec![]);
    assert_eq!(alice.ask(&mut server, s(0), METHOD_REFRESH, vec![]), 437);
    assert_eq!(alice.permit(&mut server, s(0), peer()), 437);
    assert_eq!(alice.bind(&mut server, s(0), 0x4000, peer()), 437);
}
