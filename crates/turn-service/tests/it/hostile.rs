//! Bytes from anywhere: no panic, no amplification, no state for strangers.

use proptest::prelude::*;
use rtc_stun::attributes::*;
use rtc_stun::message::*;
use turn_service::{MAX_GROWTH, MAX_REALM_BYTES, Server, Transport, TurnSettings};

use crate::harness::*;

/// A server on which alice has an allocation and a permission.
fn target() -> (Server, Client, std::net::SocketAddr) {
    let (mut server, mut alice) = (server(), Client::alice());
    let relay = alice.allocate(&mut server, s(0));
    alice.permit(&mut server, s(0), peer());
    (server, alice, relay)
}

/// One of every message that a client sends.
fn corpus(alice: &mut Client) -> Vec<Vec<u8>> {
    let send = MessageType::new(METHOD_SEND, CLASS_INDICATION);
    vec![
        alice.bare(BINDING_REQUEST, vec![]),
        alice.signed(METHOD_ALLOCATE, vec![udp(), lifetime(700), raw(ATTR_EVEN_PORT, &[0x80])]),
        alice.signed(METHOD_REFRESH, vec![lifetime(0), raw(ATTR_REQUESTED_ADDRESS_FAMILY, &[1, 0, 0, 0])]),
        alice.signed(METHOD_CREATE_PERMISSION, vec![to(peer()), to(at("[2001:db8::1]:1"))]),
        alice.signed(METHOD_CHANNEL_BIND, vec![number(0x4000), to(peer())]),
        alice.bare(send, send_to(peer(), b"data")),
        channel_data(0x4000, b"data"),
    ]
}

#[derive(Clone, Debug)]
enum Mangle {
    Set(usize, u8),
    Flip(usize, u8),
    Cut(usize),
    Insert(usize, Vec<u8>),
}

fn mangle() -> impl Strategy<Value = Mangle> {
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Mangle::Set(at, byte)),
        (any::<usize>(), 0..8u8).prop_map(|(at, bit)| Mangle::Flip(at, bit)),
        any::<usize>().prop_map(Mangle::Cut),
        (any::<usize>(), prop::collection::vec(any::<u8>(), 1..9))
            .prop_map(|(at, more)| Mangle::Insert(at, more)),
    ]
}

fn apply(mut bytes: Vec<u8>, mangles: &[Mangle], fix_length: bool) -> Vec<u8> {
    for mangle in mangles {
        let len = bytes.len().max(1);
        match mangle {
            Mangle::Set(at, byte) => bytes.iter_mut().skip(at % len).take(1).for_each(|b| *b = *byte),
            Mangle::Flip(at, bit) => bytes.iter_mut().skip(at % len).take(1).for_each(|b| *b ^= 1 << bit),
            Mangle::Cut(at) => bytes.truncate(at % len),
            Mangle::Insert(at, more) => {
                let at = (at % len).min(bytes.len());
                bytes.splice(at..at, more.iter().copied());
            }
        }
    }
    if fix_length && bytes.len() >= 20 {
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        let length = (bytes.len() - 20) as u16;
        bytes[2..4].copy_from_slice(&length.to_be_bytes());
    }
    bytes
}

/// Something that gets past the header: a type, a cookie, any attributes.
fn stun_like() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop::sample::select(vec![0x0001u16, 0x0003, 0x0004, 0x0008, 0x0009, 0x0016, 0x0017, 0x0101]);
    let attribute = (0u16..0x30, prop::collection::vec(any::<u8>(), 0..24));
    (kind, prop::collection::vec(attribute, 0..8)).prop_map(|(kind, attributes)| {
        let mut message = Message::new();
        message.build(&[Box::new(TransactionId([5; 12]))]).unwrap();
        for (typ, value) in attributes {
            message.add(AttrType(typ), &value);
        }
        message.raw[..2].copy_from_slice(&kind.to_be_bytes());
        message.raw
    })
}

#[track_caller]
fn check_bounded(server: &mut Server, client: &Client, relay: std::net::SocketAddr, bytes: &[u8]) {
    for (transport, from, to) in [
        (Transport::Udp, client.me, server_address()),
        (Transport::Tcp, client.me, server_address()),
        (Transport::Udp, peer(), relay),
    ] {
        let sent = sent(&server.handle(s(1), transport, from, to, bytes));
        assert!(sent.len() <= 1, "{} messages", sent.len());
        assert!(sent.iter().all(|(.., answer)| answer.len() <= bytes.len() + MAX_GROWTH));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn arbitrary_bytes_are_bounded(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let (mut server, alice, relay) = target();
        check_bounded(&mut server, &alice, relay, &bytes);
    }

    #[test]
    fn arbitrary_attributes_are_bounded(bytes in stun_like()) {
        let (mut server, alice, relay) = target();
        check_bounded(&mut server, &alice, relay, &bytes);
    }

    #[test]
    fn mangled_messages_are_bounded(
        which in 0usize..7,
        mangles in prop::collection::vec(mangle(), 1..5),
        fix_length: bool,
    ) {
        let (mut server, mut alice, relay) = target();
        let bytes = apply(corpus(&mut alice).swap_remove(which), &mangles, fix_length);
        check_bounded(&mut server, &alice, relay, &bytes);
    }

    #[test]
    fn strangers_leave_nothing_behind(bytes in prop_oneof![
        stun_like(),
        (0usize..7, prop::collection::vec(mangle(), 0..4), any::<bool>()).prop_map(|(which, mangles, fix)| {
            let mut mallory = Client::new("203.0.113.66:6", "alice", "guess");
            apply(corpus(&mut mallory).swap_remove(which), &mangles, fix)
        }),
    ]) {
        let mut server = server();
        Client::alice().send(&mut server, s(1), &bytes);
        prop_assert_eq!(server.relays().count(), 0);
        prop_assert_eq!(server.next_deadline(), None);
    }
}

#[test]
fn the_bound_is_reached_by_a_challenge_with_the_longest_realm() {
    let realm = "r".repeat(MAX_REALM_BYTES);
    let (mut server, mut client) = (server_with(TurnSettings { realm, ..turn() }), Client::alice());
    let request = client.bare(MessageType::new(METHOD_ALLOCATE, CLASS_REQUEST), vec![]);
    let answer = sent(&client.send(&mut server, s(0), &request)).remove(0).2;
    assert_eq!(answer.len(), request.len() + MAX_GROWTH);
}

#[test]
fn relayed_data_grows_within_the_bound() {
    let (mut server, alice, relay) = target();
    for length in 0..64 {
        check_bounded(&mut server, &alice, relay, &vec![0xff; length]);
    }
}
