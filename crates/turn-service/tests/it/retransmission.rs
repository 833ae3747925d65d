//! A retransmitted request is answered with the same bytes for 40 s (RFC 8489 §6.3.1).

use rtc_stun::message::*;
use turn_service::{Server, ServiceEvent};

use crate::harness::*;

/// A server, alice, and the Allocate that she sent at 0 s and its answer.
fn allocated() -> (Server, Client, Vec<u8>, Vec<u8>) {
    let (mut server, mut alice) = (server(), Client::alice());
    alice.ask_bare(&mut server, s(0), METHOD_ALLOCATE, vec![]);
    let request = alice.signed(METHOD_ALLOCATE, vec![udp()]);
    let answer = sent(&alice.send(&mut server, s(0), &request)).remove(0).2;
    (server, alice, request, answer)
}

#[test]
fn a_retransmitted_allocate_gets_the_same_bytes_for_40_s() {
    let (mut server, mut alice, request, answer) = allocated();
    for now in [s(0), s(1), s(40) - MS] {
        let outputs = alice.send(&mut server, now, &request);
        assert_eq!(sent(&outputs)[0].2, answer);
        assert!(matches!(events(&outputs)[..], [ServiceEvent::Repeated { .. }]));
    }
    let outputs = alice.send(&mut server, s(40), &request);
    assert_eq!(alice.answer(&outputs).1, 437);
    assert_eq!(server.relays().count(), 1);
}

#[test]
fn a_refusal_is_repeated_too() {
    let (mut server, mut alice, ..) = allocated();
    let request = alice.signed(METHOD_ALLOCATE, vec![udp()]);
    let first = sent(&alice.send(&mut server, s(1), &request));
    alice.ask(&mut server, s(2), METHOD_REFRESH, vec![lifetime(0)]);
    assert_eq!(sent(&alice.send(&mut server, s(3), &request)), first);
}

#[test]
fn a_transaction_id_used_for_something_else_is_a_new_request() {
    let (mut server, mut alice, ..) = allocated();
    let mut same_id = alice.clone();
    assert_eq!(alice.permit(&mut server, s(1), peer()), 0);
    assert_eq!(same_id.ask(&mut server, s(1), METHOD_CREATE_PERMISSION, vec![]), 400);
}

#[test]
fn another_client_with_the_same_bytes_is_another_request() {
    let (mut server, _, request, _) = allocated();
    let mut thief = Client::new("203.0.113.66:6666", "alice", "wonderland");
    let outputs = thief.send(&mut server, s(0), &request);
    assert_eq!(thief.answer(&outputs).1, 438, "the nonce is bound to alice's address");
}

#[test]
fn a_stream_has_no_retransmissions() {
    let (mut server, mut alice) = (server(), Client::alice_on_tcp());
    alice.allocate(&mut server, s(0));
    let request = alice.signed(METHOD_REFRESH, vec![]);
    alice.send(&mut server, s(0), &request);
    let again = alice.send(&mut server, s(0), &request);
    assert!(matches!(events(&again)[..], [ServiceEvent::Refreshed { .. }]));
}
