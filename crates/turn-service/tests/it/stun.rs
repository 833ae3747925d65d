//! Binding and the basic checks of RFC 8489.

use rtc_stun::attributes::*;
use rtc_stun::fingerprint::FINGERPRINT;
use rtc_stun::message::*;
use rtc_stun::uattrs::UnknownAttributes;
use rtc_stun::xoraddr::XorMappedAddress;
use turn_service::{DropReason, Server, ServiceEvent, Settings};

use crate::harness::*;

#[track_caller]
fn check_mapped(me: &str) {
    let mut server = Server::new(Settings::stun_only(7, EPOCH)).unwrap();
    let mut client = Client::new(me, "", "");
    let request = client.bare(BINDING_REQUEST, vec![Box::new(FINGERPRINT)]);
    let outputs = client.send(&mut server, s(0), &request);
    let (message, code) = client.answer(&outputs);
    let mut mapped = XorMappedAddress::default();
    mapped.get_from(&message).unwrap();
    assert_eq!((mapped.ip, mapped.port, code), (client.me.ip(), client.me.port(), 0));
}

#[test]
fn binding_tells_the_client_its_address() {
    check_mapped("203.0.113.1:40001");
    check_mapped("[2001:db8::1]:40001");
}

#[test]
fn binding_with_attributes_nobody_knows_is_refused_and_names_them() {
    let (mut server, mut client) = (server(), Client::alice());
    let request =
        client.bare(BINDING_REQUEST, vec![raw(ATTR_CHANGE_REQUEST, &[0; 4]), raw(ATTR_PRIORITY, &[0; 4])]);
    let outputs = client.send(&mut server, s(0), &request);
    let (message, code) = client.answer(&outputs);
    let mut unknown = UnknownAttributes(vec![]);
    unknown.get_from(&message).unwrap();
    assert_eq!((code, unknown.0), (420, vec![ATTR_CHANGE_REQUEST, ATTR_PRIORITY]));
}

#[track_caller]
fn check_dropped(kind: MessageType, mangle: impl FnOnce(&mut Vec<u8>), reason: DropReason) {
    let mut server = Server::new(Settings::stun_only(7, EPOCH)).unwrap();
    let mut client = Client::alice();
    let mut bytes = client.bare(kind, vec![Box::new(FINGERPRINT)]);
    mangle(&mut bytes);
    let outputs = client.send(&mut server, s(0), &bytes);
    let dropped = ServiceEvent::Dropped { from: client.me, to: server_address(), reason };
    assert_eq!((sent(&outputs), events(&outputs)), (vec![], vec![dropped]));
}

#[test]
fn what_is_not_a_request_of_this_server_is_dropped() {
    check_dropped(BINDING_REQUEST, |bytes| bytes[0] |= 0x80, DropReason::Malformed);
    check_dropped(BINDING_REQUEST, |bytes| bytes[4] ^= 1, DropReason::Malformed);
    check_dropped(BINDING_REQUEST, |bytes| bytes.push(0), DropReason::Malformed);
    check_dropped(BINDING_REQUEST, |bytes| bytes.truncate(19), DropReason::Malformed);
    check_dropped(BINDING_REQUEST, |bytes| bytes[8] ^= 1, DropReason::Fingerprint);
    check_dropped(BINDING_SUCCESS, |_| {}, DropReason::Unsupported);
    check_dropped(MessageType::new(METHOD_CONNECT, CLASS_REQUEST), |_| {}, DropReason::Unsupported);
}

#[test]
fn a_stun_server_has_no_turn_methods() {
    check_dropped(MessageType::new(METHOD_ALLOCATE, CLASS_REQUEST), |_| {}, DropReason::Unsupported);
}

#[test]
fn a_fingerprint_must_be_last() {
    let (mut server, mut client) = (server(), Client::alice());
    let bytes = client.bare(BINDING_REQUEST, vec![Box::new(FINGERPRINT), raw(ATTR_SOFTWARE, b"late")]);
    let outputs = client.send(&mut server, s(0), &bytes);
    assert!(matches!(events(&outputs)[..], [ServiceEvent::Dropped { reason: DropReason::Fingerprint, .. }]));
}

#[test]
fn a_binding_indication_is_taken_in_silence() {
    let (mut server, mut client) = (server(), Client::alice());
    let bytes = client.bare(MessageType::new(METHOD_BINDING, CLASS_INDICATION), vec![]);
    assert_eq!(client.send(&mut server, s(0), &bytes), []);
}

#[test]
fn attributes_after_message_integrity_are_ignored() {
    let (mut server, mut alice) = (server(), Client::alice());
    alice.ask_bare(&mut server, s(0), METHOD_ALLOCATE, vec![]);
    let mut message = Message::new();
    message.raw = alice.signed(METHOD_ALLOCATE, vec![udp()]);
    message.decode().unwrap();
    message.raw.truncate(message.raw.len() - 8);
    message.length -= 8;
    message.add(ATTR_DONT_FRAGMENT, &[]);
    let outputs = alice.send(&mut server, s(0), &message.raw);
    assert_eq!(alice.answer(&outputs).1, 0);
}

#[test]
fn sha256_integrity_alone_is_no_integrity() {
    let (mut server, mut alice) = (server(), Client::alice());
    let sha256 = raw(ATTR_MESSAGE_INTEGRITY_SHA256, &[0; 32]);
    assert_eq!(alice.ask_bare(&mut server, s(0), METHOD_ALLOCATE, vec![udp(), sha256]), 401);
}
