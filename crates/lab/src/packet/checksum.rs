//! The Internet checksum (RFC 1071).

use std::net::IpAddr;

/// The checksum over `bytes`, in which its own field is zero.
pub(super) fn of(bytes: &[u8]) -> u16 {
    fold(sum(bytes, 0))
}

/// The checksum over `bytes` and the pseudo-header of TCP, UDP and ICMPv6 (RFC 9293 §3.1, RFC 8200 §8.1).
pub(super) fn with_pseudo_header(from: IpAddr, to: IpAddr, protocol: u8, bytes: &[u8]) -> u16 {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut total = u32::from(protocol) + (length >> 16) + (length & 0xffff);
    for address in [from, to] {
        total = match address {
            IpAddr::V4(v4) => sum(&v4.octets(), total),
            IpAddr::V6(v6) => sum(&v6.octets(), total),
        };
    }
    fold(sum(bytes, total))
}

fn sum(bytes: &[u8], before: u32) -> u32 {
    bytes.chunks(2).fold(before, |total, pair| {
        total + u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]))
    })
}

const fn fold(mut total: u32) -> u16 {
    while total >> 16 != 0 {
        total = (total & 0xffff) + (total >> 16);
    }
    !(total as u16)
}
