use std::net::SocketAddr;

use netsim::{Content, Crossing};
use proptest::prelude::*;
use timeline::TcpFlags;

use super::*;

fn endpoint(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn udp(from: &str, to: &str, bytes: &[u8]) -> Crossing {
    Crossing { content: Content::Udp, from: endpoint(from), to: endpoint(to), bytes: bytes.into() }
}

/// An ICMP echo request with this identifier.
fn echo(from: &str, to: &str, kind: u8) -> Crossing {
    let from = endpoint(from);
    let [high, low] = from.port().to_be_bytes();
    let bytes = Box::from([kind, 0, 0, 0, high, low, 0, 1, b'x']);
    Crossing { content: Content::Icmp, from, to: endpoint(to), bytes }
}

/// A SYN.
fn syn(from: &str, to: &str) -> Crossing {
    let flags = TcpFlags { syn: true, ..TcpFlags::default() };
    let mut bytes = vec![0; 20];
    bytes[12] = 5 << 4;
    bytes[13] = 2;
    Crossing { content: Content::Tcp(flags), from: endpoint(from), to: endpoint(to), bytes: bytes.into() }
}

/// What is written is read as it was, but for the checksums and ports in `bytes`.
#[track_caller]
fn check_round_trip(packet: &Crossing) {
    let written = write(packet).unwrap();
    let again = read(&written).unwrap();
    assert_eq!((again.content, again.from, again.to), (packet.content, packet.from, packet.to));
    assert_eq!(again.bytes.len(), packet.bytes.len());
    assert_eq!(write(&again).unwrap(), written);
}

#[test]
fn what_is_written_is_read() {
    check_round_trip(&udp("10.0.0.1:5000", "10.0.0.2:6000", b"hello"));
    check_round_trip(&udp("[2001:db8::1]:5000", "[2001:db8::2]:6000", b"odd"));
    check_round_trip(&echo("10.0.0.1:77", "10.0.0.2:0", 8));
    check_round_trip(&echo("[2001:db8::1]:77", "[2001:db8::2]:0", 128));
    check_round_trip(&syn("10.0.0.1:5000", "10.0.0.2:80"));
    check_round_trip(&syn("[2001:db8::1]:5000", "[2001:db8::2]:80"));
}

/// The checksum of what a checksum has sealed is zero (RFC 1071 §1).
#[test]
fn checksums_are_right() {
    let packet = write(&udp("10.0.0.1:5000", "10.0.0.2:6000", b"hello")).unwrap();
    assert_eq!(checksum::of(&packet[..20]), 0);
    let [from, to] = ["10.0.0.1", "10.0.0.2"].map(|text| text.parse().unwrap());
    assert_eq!(checksum::with_pseudo_header(from, to, UDP, &packet[20..]), 0);
    // RFC 1071 §3.
    assert_eq!(checksum::of(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
    let packet = write(&echo("[2001:db8::1]:77", "[2001:db8::2]:0", 128)).unwrap();
    let [from, to] = ["2001:db8::1", "2001:db8::2"].map(|text| text.parse().unwrap());
    assert_eq!(checksum::with_pseudo_header(from, to, ICMP_V6, &packet[40..]), 0);
}

/// A NAT changes the identifier of an echo, and the packet that an error quotes.
#[test]
fn a_nat_changes_what_is_inside_of_icmp() {
    let mut request = read(&write(&echo("192.168.1.2:77", "10.0.0.2:0", 8)).unwrap()).unwrap();
    request.from = endpoint("203.0.113.1:40000");
    let outside = write(&request).unwrap();
    assert_eq!(outside[24..26], 40000_u16.to_be_bytes());

    // Nobody listens at 10.0.0.2:9, for a datagram that a NAT has sent from 203.0.113.1:40000.
    let sent = write(&udp("203.0.113.1:40000", "10.0.0.2:9", b"x")).unwrap();
    let error: Vec<u8> = [3, 3, 0, 0, 0, 0, 0, 0].into_iter().chain(sent).collect();
    let from = endpoint("10.0.0.2:0").ip();
    let packet = write::sealed_message(from, endpoint("203.0.113.1:0").ip(), error).unwrap();
    let mut refusal = read(&packet).unwrap();
    assert_eq!((refusal.from, refusal.to), (endpoint("10.0.0.2:9"), endpoint("203.0.113.1:40000")));
    refusal.to = endpoint("192.168.1.2:5000");
    let inside = write(&refusal).unwrap();
    let quoted = read(&inside[28..]).unwrap();
    assert_eq!((quoted.from, quoted.to), (endpoint("192.168.1.2:5000"), endpoint("10.0.0.2:9")));
}

#[test]
fn a_packet_that_is_too_big_is_answered_with_its_own_beginning() {
    for (from, to, kind) in
        [("10.0.0.1:5000", "10.0.0.2:6000", [3, 4]), ("[2001:db8::1]:5000", "[2001:db8::2]:6000", [2, 0])]
    {
        let sent = udp(from, to, &[7; 1400]);
        let answer = too_big(1280, &sent).unwrap();
        let header = if sent.from.is_ipv4() { V4_HEADER } else { V6_HEADER };
        assert_eq!(answer[header..header + 2], kind);
        assert_eq!(answer[header + 6..header + 8], 1280_u16.to_be_bytes());
        assert!(answer.len() <= 1280);
        let whole = write(&sent).unwrap();
        assert_eq!(answer[header + 8..header + 36], whole[..28]);
    }
}

#[test]
fn what_the_world_does_not_have_is_named() {
    let mut fragment = write(&udp("10.0.0.1:5000", "10.0.0.2:6000", b"hello")).unwrap();
    fragment[6] |= 0x20;
    assert_eq!(read(&fragment), Err(Unread::Fragment));
    let group = write(&udp("10.0.0.1:5000", "224.0.0.251:5353", b"mdns")).unwrap();
    assert_eq!(read(&group), Err(Unread::Foreign));
    assert_eq!(read(&[]), Err(Unread::Malformed));
    assert_eq!(read(&fragment[..19]), Err(Unread::Malformed));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), first in any::<bool>()) {
        let mut bytes = bytes;
        if let Some(byte) = bytes.first_mut() {
            *byte = if first { 0x45 } else { 0x60 };
        }
        if let Ok(packet) = read(&bytes) {
            let _ = (write(&packet), too_big(1280, &packet));
        }
    }

    #[test]
    fn mangled_packets_are_read_or_refused(at in 0..60_usize, with in any::<u8>(), cut in 0..60_usize, which in 0..4_usize) {
        let sent = udp("10.0.0.1:5000", "10.0.0.2:6000", b"hello");
        let error: Vec<u8> = [3, 3, 0, 0, 0, 0, 0, 0].into_iter().chain(write(&sent).unwrap()).collect();
        let mut bytes = match which {
            0 => write(&sent).unwrap(),
            1 => write(&syn("[2001:db8::1]:5000", "[2001:db8::2]:80")).unwrap(),
            2 => write(&echo("10.0.0.1:77", "10.0.0.2:0", 8)).unwrap(),
            _ => write::sealed_message(sent.to.ip(), sent.from.ip(), error).unwrap(),
        };
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= with;
        }
        bytes.truncate(bytes.len().saturating_sub(cut));
        if let Ok(packet) = read(&bytes) {
            let _ = (write(&packet), too_big(1280, &packet));
        }
    }
}
