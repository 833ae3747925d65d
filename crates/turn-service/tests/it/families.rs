//! IPv4 and IPv6 relayed addresses (RFC 8656 §7.2, §8.2, §10.2).

use std::net::SocketAddr;

use rtc_stun::attributes::ATTR_REQUESTED_ADDRESS_FAMILY;
use rtc_stun::message::*;
use turn_service::{Server, TurnSettings};

use crate::harness::*;

fn dual_stack() -> Server {
    let relay_ips = vec!["198.51.100.2".parse().unwrap(), "2001:db8::2".parse().unwrap()];
    server_with(TurnSettings { relay_ips, ..turn() })
}

fn family(family: u8) -> Box<dyn Setter> {
    raw(ATTR_REQUESTED_ADDRESS_FAMILY, &[family, 0, 0, 0])
}

fn allocate(server: &mut Server, client: &mut Client, attrs: Attrs) -> Result<SocketAddr, u16> {
    client.ask_bare(server, s(0), METHOD_ALLOCATE, vec![]);
    let request = client.signed(METHOD_ALLOCATE, attrs);
    let outputs = client.send(server, s(0), &request);
    let (message, code) = client.answer(&outputs);
    if code == 0 { Ok(relayed(&message)) } else { Err(code) }
}

#[test]
fn the_family_is_ipv4_unless_asked_otherwise() {
    let mut server = dual_stack();
    let allocated = [
        allocate(&mut server, &mut Client::alice(), vec![udp()]),
        allocate(&mut server, &mut Client::bob(), vec![udp(), family(1)]),
        allocate(&mut server, &mut Client::new("[2001:db8::9]:9", "bob", "builder"), vec![udp(), family(2)]),
    ];
    let families = allocated.map(|relay| relay.map(|relay| relay.is_ipv4()));
    assert_eq!(families, [Ok(true), Ok(true), Ok(false)]);
}

#[test]
fn a_server_of_one_family_refuses_the_other() {
    let relay_ips = vec!["2001:db8::2".parse().unwrap()];
    let mut server = server_with(TurnSettings { relay_ips, ..turn() });
    assert_eq!(allocate(&mut server, &mut Client::alice(), vec![udp()]), Err(440));
    assert!(allocate(&mut server, &mut Client::bob(), vec![udp(), family(2)]).is_ok());
}

#[test]
fn an_ipv6_allocation_relays_for_an_ipv4_client() {
    let (mut server, mut alice) = (dual_stack(), Client::alice());
    let relay = allocate(&mut server, &mut alice, vec![udp(), family(2)]).unwrap();
    let peer = at("[2001:db8::77]:7");
    assert_eq!(alice.permit(&mut server, s(0), at("192.0.2.1:1")), 443);
    assert_eq!(alice.permit(&mut server, s(0), peer), 0);
    assert_eq!(alice.indicate(&mut server, s(0), peer, b"six"), [(relay, peer, b"six".to_vec())]);
    let back = from_peer(&mut server, s(0), peer, relay, b"back");
    assert_eq!((back.len(), back[0].1), (1, alice.me));
    assert_eq!(alice.ask(&mut server, s(0), METHOD_REFRESH, vec![family(1)]), 443);
    assert_eq!(alice.ask(&mut server, s(0), METHOD_REFRESH, vec![family(2)]), 0);
}
