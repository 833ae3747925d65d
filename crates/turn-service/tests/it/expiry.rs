//! Everything that has a lifetime works one millisecond before its end and is gone at its end.

use rtc_stun::attributes::*;
use rtc_stun::message::*;
use turn_service::{Mood, Output, Server, ServiceEvent};

use crate::harness::*;

fn allocated() -> (Server, Client, std::net::SocketAddr) {
    let (mut server, mut alice) = (server(), Client::alice());
    let relay = alice.allocate(&mut server, s(0));
    (server, alice, relay)
}

#[test]
fn an_allocation_lasts_600_s() {
    let (mut server, mut alice, _) = allocated();
    assert_eq!(alice.permit(&mut server, s(600) - MS, peer()), 0);
    let (mut server, mut alice, relay) = allocated();
    assert_eq!(server.next_deadline(), Some(s(600)));
    let expired = Output::Event(ServiceEvent::AllocationExpired { relay });
    assert_eq!(server.tick(s(600)), [expired, Output::Close { relay }]);
    assert_eq!(alice.permit(&mut server, s(600), peer()), 437);
    assert_eq!(server.next_deadline(), None);
}

#[test]
fn a_refresh_counts_from_when_it_arrives() {
    let (mut server, mut alice, _) = allocated();
    assert_eq!(alice.ask(&mut server, s(100), METHOD_REFRESH, vec![lifetime(1000)]), 0);
    assert_eq!(alice.permit(&mut server, s(1100) - MS, peer()), 0);
    assert_eq!(alice.permit(&mut server, s(1100), peer()), 437);
}

#[test]
fn a_refresh_to_zero_ends_it_at_once() {
    let (mut server, mut alice, relay) = allocated();
    let request = alice.signed(METHOD_REFRESH, vec![lifetime(0)]);
    let outputs = alice.send(&mut server, s(1), &request);
    assert_eq!(alice.answer(&outputs).1, 0);
    assert!(outputs.contains(&Output::Close { relay }));
    assert_eq!(alice.permit(&mut server, s(1), peer()), 437);
}

#[test]
fn a_permission_lasts_300_s_both_ways() {
    for (now, count) in [(s(300) - MS, 1), (s(300), 0)] {
        let (mut server, mut alice, relay) = allocated();
        assert_eq!(alice.permit(&mut server, s(0), peer()), 0);
        assert_eq!(alice.indicate(&mut server, now, peer(), b"out").len(), count);
        assert_eq!(from_peer(&mut server, now, peer(), relay, b"in").len(), count);
    }
}

#[test]
fn data_refreshes_no_permission() {
    let (mut server, mut alice, _) = allocated();
    alice.permit(&mut server, s(0), peer());
    assert_eq!(alice.indicate(&mut server, s(299), peer(), b"out").len(), 1);
    assert_eq!(alice.indicate(&mut server, s(300), peer(), b"out").len(), 0);
}

#[test]
fn a_channel_lasts_600_s_and_its_permission_300_s() {
    let bound = || {
        let (mut server, mut alice, relay) = allocated();
        alice.ask(&mut server, s(0), METHOD_REFRESH, vec![lifetime(3600)]);
        assert_eq!(alice.bind(&mut server, s(0), 0x4000, peer()), 0);
        (server, alice, relay)
    };
    let data = channel_data(0x4000, b"out");
    for (now, out, back) in [(s(300) - MS, 1, 1), (s(300), 1, 0), (s(600) - MS, 1, 0), (s(600), 0, 0)] {
        let (mut server, alice, relay) = bound();
        assert_eq!(sent(&alice.send(&mut server, now, &data)).len(), out, "out at {now:?}");
        assert_eq!(from_peer(&mut server, now, peer(), relay, b"in").len(), back, "in at {now:?}");
    }
}

#[test]
fn a_number_is_free_again_when_its_channel_has_expired() {
    let (mut server, mut alice, _) = allocated();
    alice.ask(&mut server, s(0), METHOD_REFRESH, vec![lifetime(3600)]);
    alice.bind(&mut server, s(0), 0x4000, peer());
    assert_eq!(alice.bind(&mut server, s(600) - MS, 0x4000, at("192.0.2.8:8")), 400);
    assert_eq!(alice.bind(&mut server, s(600), 0x4000, at("192.0.2.8:8")), 0);
}

#[test]
fn a_nonce_lasts_an_hour() {
    for (now, code) in [(s(3600) - MS, 0), (s(3600), 438)] {
        let (mut server, mut alice) = (server(), Client::alice());
        alice.ask_bare(&mut server, s(0), METHOD_ALLOCATE, vec![]);
        assert_eq!(alice.ask(&mut server, now, METHOD_ALLOCATE, vec![udp()]), code);
    }
}

#[test]
fn a_mood_shortens_nonces_and_the_438_brings_a_fresh_one() {
    let (mut server, mut alice, _) = allocated();
    server.set_mood(Mood { nonce_lifetime: Some(s(30)), ..Mood::default() });
    assert_eq!(alice.permit(&mut server, s(30) - MS, peer()), 0);
    assert_eq!(alice.permit(&mut server, s(30), peer()), 438);
    assert_eq!(alice.permit(&mut server, s(30), peer()), 0);
}

#[test]
fn a_reserved_port_waits_30_s() {
    for (now, code) in [(s(30) - MS, 0), (s(30), 508)] {
        let (mut server, mut alice, mut bob) = (server(), Client::alice(), Client::bob());
        alice.ask_bare(&mut server, s(0), METHOD_ALLOCATE, vec![]);
        bob.ask_bare(&mut server, s(0), METHOD_ALLOCATE, vec![]);
        let request = alice.signed(METHOD_ALLOCATE, vec![udp(), raw(ATTR_EVEN_PORT, &[0x80])]);
        let outputs = alice.send(&mut server, s(0), &request);
        let token = alice.answer(&outputs).0.get(ATTR_RESERVATION_TOKEN).unwrap();
        assert_eq!(server.next_deadline(), Some(s(30)));
        let redeem = vec![udp(), raw(ATTR_RESERVATION_TOKEN, &token)];
        assert_eq!(bob.ask(&mut server, now, METHOD_ALLOCATE, redeem), code);
    }
}

#[test]
fn expiries_are_told_in_order() {
    let (mut server, mut alice, relay) = allocated();
    alice.ask(&mut server, s(0), METHOD_REFRESH, vec![lifetime(900)]);
    alice.bind(&mut server, s(0), 0x4000, peer());
    let mut told = Vec::new();
    while let Some(deadline) = server.next_deadline() {
        told.extend(events(&server.tick(deadline)).into_iter().map(|event| (deadline, event)));
    }
    let expected = [
        (s(300), ServiceEvent::PermissionExpired { relay, peer: peer().ip() }),
        (s(600), ServiceEvent::ChannelExpired { relay, number: 0x4000 }),
        (s(900), ServiceEvent::AllocationExpired { relay }),
    ];
    assert_eq!(told, expected);
}
