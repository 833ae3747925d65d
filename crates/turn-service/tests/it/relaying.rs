//! Send and Data indications, ChannelData, and the permissions that guard them.

use rtc_stun::attributes::{ATTR_DATA, ATTR_DONT_FRAGMENT};
use rtc_stun::message::*;
use rtc_turn::proto::data::Data;
use rtc_turn::proto::peeraddr::PeerAddress;
use turn_service::{DropReason, Server, ServiceEvent, Traffic, Transport};

use crate::harness::*;

fn allocated() -> (Server, Client, std::net::SocketAddr) {
    let (mut server, mut alice) = (server(), Client::alice());
    let relay = alice.allocate(&mut server, s(0));
    (server, alice, relay)
}

#[test]
fn a_permission_is_for_an_address_and_any_port() {
    let (mut server, mut alice, relay) = allocated();
    alice.permit(&mut server, s(0), at("192.0.2.9:1"));
    assert_eq!(alice.indicate(&mut server, s(0), at("192.0.2.9:2"), b"x").len(), 1);
    assert_eq!(from_peer(&mut server, s(0), at("192.0.2.9:3"), relay, b"x").len(), 1);
    assert_eq!(alice.indicate(&mut server, s(0), at("192.0.2.8:1"), b"x").len(), 0);
    assert_eq!(from_peer(&mut server, s(0), at("192.0.2.8:1"), relay, b"x").len(), 0);
}

#[test]
fn one_request_permits_several_peers() {
    let (mut server, mut alice, relay) = allocated();
    let peers = ["192.0.2.1:1", "192.0.2.2:2", "192.0.2.3:3"].map(at);
    let attrs = peers.iter().map(|peer| to(*peer)).collect();
    assert_eq!(alice.ask(&mut server, s(0), METHOD_CREATE_PERMISSION, attrs), 0);
    for peer in peers {
        assert_eq!(from_peer(&mut server, s(0), peer, relay, b"x").len(), 1);
    }
}

#[test]
fn a_data_indication_names_the_peer() {
    let (mut server, mut alice, relay) = allocated();
    alice.permit(&mut server, s(0), peer());
    let back = from_peer(&mut server, s(0), peer(), relay, b"hello").remove(0);
    let mut message = Message::new();
    message.raw = back.2;
    message.decode().unwrap();
    let (mut from, mut data) = (PeerAddress::default(), Data::default());
    from.get_from(&message).unwrap();
    data.get_from(&message).unwrap();
    assert_eq!(message.typ, MessageType::new(METHOD_DATA, CLASS_INDICATION));
    assert_eq!((from.ip, from.port, data.0), (peer().ip(), peer().port(), b"hello".to_vec()));
}

#[test]
fn a_bound_peer_is_heard_on_its_channel_and_others_by_indication() {
    let (mut server, mut alice, relay) = allocated();
    alice.bind(&mut server, s(0), 0x4001, peer());
    assert_eq!(from_peer(&mut server, s(0), peer(), relay, b"abc")[0].2, channel_data(0x4001, b"abc"));
    let neighbour = at("192.0.2.9:5001");
    assert_eq!(from_peer(&mut server, s(0), neighbour, relay, b"abc")[0].2[0], 0);
    let out = sent(&alice.send(&mut server, s(0), &channel_data(0x4001, b"")));
    assert_eq!(out, [(relay, peer(), vec![])], "an empty datagram is a datagram");
}

#[test]
fn padding_on_a_datagram_is_not_data() {
    let (mut server, mut alice, relay) = allocated();
    alice.bind(&mut server, s(0), 0x4001, peer());
    let padded = [channel_data(0x4001, b"abc"), vec![0]].concat();
    assert_eq!(sent(&alice.send(&mut server, s(0), &padded)), [(relay, peer(), b"abc".to_vec())]);
}

#[track_caller]
fn check_dropped(bytes: impl FnOnce(&mut Client) -> Vec<u8>, expected: DropReason) {
    let (mut server, mut alice, _) = allocated();
    alice.bind(&mut server, s(0), 0x4001, peer());
    let bytes = bytes(&mut alice);
    let outputs = alice.send(&mut server, s(0), &bytes);
    let dropped = ServiceEvent::Dropped { from: alice.me, to: server_address(), reason: expected };
    assert_eq!((sent(&outputs), events(&outputs)), (vec![], vec![dropped]));
}

#[test]
fn what_cannot_be_relayed_is_dropped_with_a_reason() {
    let send = MessageType::new(METHOD_SEND, CLASS_INDICATION);
    let stranger = at("192.0.2.1:1");
    check_dropped(|_| channel_data(0x4002, b"x"), DropReason::NoChannel);
    check_dropped(|_| channel_data(0x4001, b"xyz")[..6].to_vec(), DropReason::Malformed);
    check_dropped(|_| channel_data(0x5001, b"xyz"), DropReason::Malformed);
    check_dropped(|alice| alice.bare(send, send_to(stranger, b"x")), DropReason::NoPermission);
    check_dropped(|alice| alice.bare(send, vec![to(peer())]), DropReason::Malformed);
    check_dropped(|alice| alice.bare(send, vec![raw(ATTR_DATA, b"x")]), DropReason::Malformed);
    let unfragmented = |alice: &mut Client| {
        let mut attrs = send_to(peer(), b"x");
        attrs.push(raw(ATTR_DONT_FRAGMENT, &[]));
        alice.bare(send, attrs)
    };
    check_dropped(unfragmented, DropReason::UnknownAttribute);
}

#[test]
fn strangers_and_closed_ports_get_nothing() {
    let (mut server, _, relay) = allocated();
    assert_eq!(Client::bob().indicate(&mut server, s(0), peer(), b"x"), [], "no allocation");
    let closed = std::net::SocketAddr::new(relay.ip(), relay.port() + 1);
    let outputs = server.handle(s(0), Transport::Udp, peer(), closed, b"late");
    let dropped = ServiceEvent::Dropped { from: peer(), to: closed, reason: DropReason::NoAllocation };
    assert_eq!(events(&outputs), [dropped]);
}

#[test]
fn what_would_not_fit_a_datagram_is_dropped() {
    let (mut server, mut alice, relay) = allocated();
    alice.permit(&mut server, s(0), peer());
    assert_eq!(from_peer(&mut server, s(0), peer(), relay, &[0; 65_456]).len(), 1);
    assert_eq!(from_peer(&mut server, s(0), peer(), relay, &[0; 65_457]).len(), 0);
}

#[test]
fn traffic_is_counted() {
    let (mut server, mut alice, relay) = allocated();
    alice.permit(&mut server, s(0), peer());
    alice.indicate(&mut server, s(0), peer(), b"12");
    from_peer(&mut server, s(0), peer(), relay, b"123");
    from_peer(&mut server, s(0), at("192.0.2.1:1"), relay, b"dropped");
    let expected = Traffic { to_peers: 1, to_peers_bytes: 2, to_clients: 1, to_clients_bytes: 3 };
    assert_eq!(server.traffic(), expected);
}
