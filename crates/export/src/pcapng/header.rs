//! IP, UDP and TCP headers (RFC 791, RFC 8200, RFC 768, RFC 9293), with valid checksums.

use std::net::{IpAddr, SocketAddr};

use timeline::TcpFlags;

const UDP: u8 = 17;
const TCP: u8 = 6;

/// A TCP segment's place in its stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) sequence: u32,
    pub(super) acknowledged: u32,
}

/// A UDP datagram in its IP packet.
pub(super) fn udp(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len() + 8).unwrap_or(u16::MAX);
    let mut datagram = Vec::with_capacity(payload.len() + 8);
    datagram.extend(from.port().to_be_bytes());
    datagram.extend(to.port().to_be_bytes());
    datagram.extend(len.to_be_bytes());
    datagram.extend([0; 2]);
    datagram.extend(payload);
    let checksum = match checksum(&[&pseudo(from.ip(), to.ip(), UDP, datagram.len()), &datagram]) {
        // Zero means that there is none (RFC 768).
        0 => u16::MAX,
        checksum => checksum,
    };
    datagram[6..8].copy_from_slice(&checksum.to_be_bytes());
    ip(from.ip(), to.ip(), UDP, &datagram)
}

/// A TCP segment in its IP packet.
pub(super) fn tcp(
    from: SocketAddr,
    to: SocketAddr,
    flags: TcpFlags,
    place: Place,
    payload: &[u8],
) -> Vec<u8> {
    let mut segment = Vec::with_capacity(payload.len() + 20);
    segment.extend(from.port().to_be_bytes());
    segment.extend(to.port().to_be_bytes());
    segment.extend(place.sequence.to_be_bytes());
    segment.extend(if flags.ack { place.acknowledged } else { 0 }.to_be_bytes());
    let bits = [(flags.fin, 1), (flags.syn, 2), (flags.rst, 4), (!payload.is_empty(), 8), (flags.ack, 16)];
    let bits: u8 = bits.into_iter().filter(|(is_set, _)| *is_set).map(|(_, bit)| bit).sum();
    segment.extend([5 << 4, bits]);
    // The window, then the checksum and the urgent pointer.
    segment.extend(u16::MAX.to_be_bytes());
    segment.extend([0; 4]);
    segment.extend(payload);
    let checksum = checksum(&[&pseudo(from.ip(), to.ip(), TCP, segment.len()), &segment]);
    segment[16..18].copy_from_slice(&checksum.to_be_bytes());
    ip(from.ip(), to.ip(), TCP, &segment)
}

fn ip(from: IpAddr, to: IpAddr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = Vec::with_capacity(payload.len() + 40);
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let len = u16::try_from(payload.len() + 20).unwrap_or(u16::MAX);
            packet.extend([0x45, 0]);
            packet.extend(len.to_be_bytes());
            // Identification; do not fragment; time to live.
            packet.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
            packet.extend(from.octets());
            packet.extend(to.octets());
            let checksum = checksum(&[&packet]);
            packet[10..12].copy_from_slice(&checksum.to_be_bytes());
        }
        _ => {
            packet.extend([0x60, 0, 0, 0]);
            packet.extend(u16::try_from(payload.len()).unwrap_or(u16::MAX).to_be_bytes());
            packet.extend([protocol, 64]);
            packet.extend(octets(from));
            packet.extend(octets(to));
        }
    }
    packet.extend(payload);
    packet
}

/// What a checksum covers of the IP header (RFC 768, RFC 8200 §8.1).
fn pseudo(from: IpAddr, to: IpAddr, protocol: u8, len: usize) -> Vec<u8> {
    let len = u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes();
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            [from.octets().as_slice(), &to.octets(), &[0, protocol], &len[2..]].concat()
        }
        _ => [octets(from).as_slice(), &octets(to), &len, &[0, 0, 0, protocol]].concat(),
    }
}

fn octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

/// The Internet checksum of what is strung together (RFC 1071); each part but the last of even length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let word = |pair: &[u8]| u64::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
    let mut sum: u64 = parts.iter().flat_map(|part| part.chunks(2)).map(word).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The checksum over what has a valid one is zero.
    #[test]
    fn checksums_are_valid() {
        for (from, to, header) in
            [("10.0.0.1:5000", "10.0.0.2:6000", 20), ("[2001:db8::1]:5000", "[2001:db8::2]:6000", 40)]
        {
            let (from, to): (SocketAddr, SocketAddr) = (from.parse().unwrap(), to.parse().unwrap());
            for payload in [b"".as_slice(), b"odd", b"even"] {
                let place = Place { sequence: 7, acknowledged: 9 };
                let flags = TcpFlags { ack: true, ..TcpFlags::default() };
                let packets = [(UDP, udp(from, to, payload)), (TCP, tcp(from, to, flags, place, payload))];
                for (protocol, packet) in packets {
                    let inner = &packet[header..];
                    let pseudo = pseudo(from.ip(), to.ip(), protocol, inner.len());
                    assert_eq!(checksum(&[&pseudo, inner]), 0, "{protocol} {from}");
                    if from.is_ipv4() {
                        assert_eq!(checksum(&[&packet[..20]]), 0);
                    }
                }
            }
        }
    }

    #[test]
    fn the_checksum_is_that_of_rfc_1071() {
        // RFC 1071 §3: 0001 f203 f4f5 f6f7 sums to ddf2.
        assert_eq!(checksum(&[&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]]), !0xddf2);
    }
}
