//! From one allocation to another of the same server: no network in between.

use turn_service::{DropReason, Server, ServiceEvent};

use crate::harness::*;

fn two_allocations() -> (Server, [Client; 2], [std::net::SocketAddr; 2]) {
    let (mut server, mut alice, mut bob) = (server(), Client::alice(), Client::bob());
    let relays = [alice.allocate(&mut server, s(0)), bob.allocate(&mut server, s(0))];
    (server, [alice, bob], relays)
}

#[test]
fn both_permissions_let_data_through_in_one_step() {
    let (mut server, [mut alice, mut bob], [a, b]) = two_allocations();
    alice.permit(&mut server, s(0), b);
    bob.permit(&mut server, s(0), a);
    let out = alice.indicate(&mut server, s(0), b, b"hop");
    assert_eq!((out.len(), out[0].0, out[0].1), (1, server_address(), bob.me));
}

#[test]
fn channels_on_both_sides_carry_both_ways() {
    let (mut server, [mut alice, mut bob], [a, b]) = two_allocations();
    alice.bind(&mut server, s(0), 0x4000, b);
    bob.bind(&mut server, s(0), 0x4007, a);
    let there = sent(&alice.send(&mut server, s(0), &channel_data(0x4000, b"there")));
    let back = sent(&bob.send(&mut server, s(0), &channel_data(0x4007, b"back")));
    assert_eq!(there, [(server_address(), bob.me, channel_data(0x4007, b"there"))]);
    assert_eq!(back, [(server_address(), alice.me, channel_data(0x4000, b"back"))]);
}

#[test]
fn one_permission_is_not_enough() {
    let (mut server, [mut alice, mut bob], [a, b]) = two_allocations();
    alice.permit(&mut server, s(0), b);
    assert_eq!(alice.indicate(&mut server, s(0), b, b"hop"), [], "bob has not permitted");
    bob.permit(&mut server, s(0), a);
    assert_eq!(alice.indicate(&mut server, s(300), b, b"hop"), [], "alice's permission has expired");
}

#[test]
fn a_released_allocation_is_a_closed_port() {
    let (mut server, [mut alice, mut bob], [_, b]) = two_allocations();
    alice.bind(&mut server, s(0), 0x4000, b);
    bob.ask(&mut server, s(0), rtc_stun::message::METHOD_REFRESH, vec![lifetime(0)]);
    let outputs = alice.send(&mut server, s(0), &channel_data(0x4000, b"late"));
    assert!(matches!(events(&outputs)[..], [ServiceEvent::Dropped { reason: DropReason::NoAllocation, .. }]));
}
