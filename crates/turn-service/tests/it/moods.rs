//! What a scenario can do to a server while it runs.

use rtc_stun::message::*;
use turn_service::{
    CredentialPolicy, DropReason, Liveness, Mood, Output, PortSupply, Server, ServiceEvent, Transport,
};

use crate::harness::*;

fn delays(outputs: &[Output]) -> Vec<u128> {
    let delays = outputs.iter().filter_map(|output| match output {
        Output::Send { after, .. } => Some(after.as_millis()),
        _ => None,
    });
    delays.collect()
}

fn slow(server: &mut Server, ms: u64) {
    server.set_mood(Mood { delay: MS * ms as u32, ..Mood::default() });
}

#[test]
fn a_slow_server_delays_answers_and_data() {
    let (mut server, mut alice) = (server(), Client::alice());
    let relay = alice.allocate(&mut server, s(0));
    alice.permit(&mut server, s(0), peer());
    slow(&mut server, 250);
    let request = alice.signed(METHOD_REFRESH, vec![]);
    assert_eq!(delays(&alice.send(&mut server, s(1), &request)), [250]);
    assert_eq!(delays(&server.handle(s(1), Transport::Udp, peer(), relay, b"x")), [250]);
    slow(&mut server, 0);
    assert_eq!(delays(&server.handle(s(1), Transport::Udp, peer(), relay, b"x")), [0]);
}

#[test]
fn a_stream_keeps_its_order_when_the_server_becomes_fast() {
    let (mut server, mut alice) = (server(), Client::alice_on_tcp());
    slow(&mut server, 250);
    let request = alice.bare(BINDING_REQUEST, vec![]);
    assert_eq!(delays(&alice.send(&mut server, s(1), &request)), [250]);
    slow(&mut server, 0);
    assert_eq!(delays(&alice.send(&mut server, s(1) + MS * 50, &request)), [200]);
    assert_eq!(delays(&alice.send(&mut server, s(2), &request)), [0]);
}

#[test]
fn a_dead_server_is_silent_and_wakes_with_its_state() {
    let (mut server, mut alice) = (server(), Client::alice());
    let relay = alice.allocate(&mut server, s(0));
    alice.permit(&mut server, s(0), peer());
    server.set_mood(Mood { liveness: Liveness::Dead, ..Mood::default() });
    let request = alice.bare(BINDING_REQUEST, vec![]);
    let outputs = alice.send(&mut server, s(1), &request);
    let dropped = ServiceEvent::Dropped { from: alice.me, to: server_address(), reason: DropReason::Dead };
    assert_eq!(outputs, [Output::Event(dropped)]);
    assert_eq!(from_peer(&mut server, s(1), peer(), relay, b"x"), []);
    server.set_mood(Mood::default());
    assert_eq!(from_peer(&mut server, s(2), peer(), relay, b"x").len(), 1);
}

#[test]
fn rejected_credentials_are_401_and_binding_still_works() {
    let (mut server, mut alice) = (server(), Client::alice());
    alice.allocate(&mut server, s(0));
    server.set_mood(Mood { credentials: CredentialPolicy::Rejected, ..Mood::default() });
    assert_eq!(alice.ask(&mut server, s(1), METHOD_REFRESH, vec![]), 401);
    assert_eq!(alice.ask_bare(&mut server, s(1), METHOD_BINDING, vec![]), 0);
}

#[test]
fn without_ports_there_are_no_new_allocations() {
    let (mut server, mut alice, mut bob) = (server(), Client::alice(), Client::bob());
    alice.allocate(&mut server, s(0));
    server.set_mood(Mood { ports: PortSupply::Exhausted, ..Mood::default() });
    bob.ask_bare(&mut server, s(0), METHOD_ALLOCATE, vec![]);
    assert_eq!(bob.ask(&mut server, s(0), METHOD_ALLOCATE, vec![udp()]), 508);
    assert_eq!(alice.ask(&mut server, s(0), METHOD_REFRESH, vec![]), 0);
}

#[test]
fn a_reboot_forgets_allocations_and_nonces_and_moves_the_ports() {
    let (mut server, mut alice) = (server(), Client::alice());
    let before = alice.allocate(&mut server, s(0));
    let outputs = server.reboot(s(1));
    let rebooted = Output::Event(ServiceEvent::Rebooted { allocations: 1 });
    assert_eq!(outputs, [rebooted, Output::Close { relay: before }]);
    assert_eq!(server.next_deadline(), None);
    assert_eq!(alice.ask(&mut server, s(1), METHOD_REFRESH, vec![]), 438);
    assert_eq!(alice.ask(&mut server, s(1), METHOD_REFRESH, vec![]), 437);
    let after = alice.allocate(&mut server, s(1));
    assert_eq!(after.port(), before.port() + 1000);
}

#[test]
fn a_reboot_forgets_answers_too() {
    let (mut server, mut alice) = (server(), Client::alice());
    alice.allocate(&mut server, s(0));
    let request = alice.signed(METHOD_REFRESH, vec![]);
    let outputs = alice.send(&mut server, s(0), &request);
    assert_eq!(alice.answer(&outputs).1, 0);
    server.reboot(s(1));
    let outputs = alice.send(&mut server, s(1), &request);
    assert_eq!(alice.answer(&outputs).1, 438);
}

#[test]
fn a_wrong_password_is_401_even_with_a_stale_nonce() {
    let (mut server, mut mallory) = (server(), Client::new("203.0.113.5:5", "alice", "guess"));
    mallory.ask_bare(&mut server, s(0), METHOD_ALLOCATE, vec![]);
    assert_eq!(mallory.ask(&mut server, s(0), METHOD_ALLOCATE, vec![udp()]), 401);
    assert_eq!(mallory.ask(&mut server, s(9999), METHOD_ALLOCATE, vec![udp()]), 401);
}
