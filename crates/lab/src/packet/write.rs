//! From the world to a device.

use std::net::{IpAddr, SocketAddr};

use netsim::{Content, Crossing};

use super::{ICMP, ICMP_V6, Kind, TCP, UDP, UDP_HEADER, V4_HEADER, V6_HEADER, checksum};

/// The IP packet that a host's kernel reads: its addresses are those that the receiver sees. `None` for what would be
/// longer than a packet can be.
pub(crate) fn write(packet: &Crossing) -> Option<Vec<u8>> {
    let (from, to) = (packet.from, packet.to);
    match packet.content {
        Content::Udp => ip(from.ip(), to.ip(), UDP, datagram(packet)?),
        Content::Tcp(_) => {
            let mut bytes = packet.bytes.to_vec();
            bytes.get_mut(0..2)?.copy_from_slice(&from.port().to_be_bytes());
            bytes.get_mut(2..4)?.copy_from_slice(&to.port().to_be_bytes());
            seal(&mut bytes, 16, |bytes| checksum::with_pseudo_header(from.ip(), to.ip(), TCP, bytes))?;
            ip(from.ip(), to.ip(), TCP, bytes)
        }
        Content::Icmp => message(packet),
    }
}

/// What a router answers to a packet that does not fit through its next link (RFC 1191 §4, RFC 4443 §3.2), as from the
/// packet's destination: routers of a world have no addresses.
pub(crate) fn too_big(mtu_bytes: u32, packet: &Crossing) -> Option<Vec<u8>> {
    // So much of it that the answer fits through any link.
    const QUOTED_V4: usize = 548;
    const QUOTED_V6: usize = 1232;
    let (host, router) = (packet.from.ip(), packet.to.ip());
    let mut quoted = write(packet)?;
    let mut bytes = match host {
        IpAddr::V4(_) => {
            let [high, low] = u16::try_from(mtu_bytes).unwrap_or(u16::MAX).to_be_bytes();
            quoted.truncate(QUOTED_V4);
            vec![3, 4, 0, 0, 0, 0, high, low]
        }
        IpAddr::V6(_) => {
            quoted.truncate(QUOTED_V6);
            let mut head = vec![2, 0, 0, 0];
            head.extend(mtu_bytes.to_be_bytes());
            head
        }
    };
    bytes.append(&mut quoted);
    sealed_message(router, host, bytes)
}

/// RFC 768.
fn datagram(packet: &Crossing) -> Option<Vec<u8>> {
    let length = u16::try_from(UDP_HEADER + packet.bytes.len()).ok()?;
    let mut bytes = Vec::with_capacity(usize::from(length));
    bytes.extend(packet.from.port().to_be_bytes());
    bytes.extend(packet.to.port().to_be_bytes());
    bytes.extend(length.to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(&packet.bytes);
    // Zero says that there is none.
    let sum = |bytes: &[u8]| match checksum::with_pseudo_header(packet.from.ip(), packet.to.ip(), UDP, bytes)
    {
        0 => u16::MAX,
        sum => sum,
    };
    seal(&mut bytes, 6, sum)?;
    Some(bytes)
}

/// An ICMP message, with the identifier or the quoted packet as they are on this side of the NATs.
fn message(packet: &Crossing) -> Option<Vec<u8>> {
    let (from, to) = (packet.from, packet.to);
    let mut bytes = packet.bytes.to_vec();
    match Kind::of(*bytes.first()?, from.is_ipv4()) {
        Kind::EchoRequest => bytes.get_mut(4..6)?.copy_from_slice(&from.port().to_be_bytes()),
        Kind::EchoReply => bytes.get_mut(4..6)?.copy_from_slice(&to.port().to_be_bytes()),
        Kind::Error => requote(bytes.get_mut(8..)?, to, from)?,
        Kind::Local => return None,
    }
    sealed_message(from.ip(), to.ip(), bytes)
}

/// Gives a quoted packet other endpoints.
fn requote(quoted: &mut [u8], from: SocketAddr, to: SocketAddr) -> Option<()> {
    let ports = match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let header = usize::from(quoted.first()? & 0x0f) * 4;
            quoted.get_mut(12..16)?.copy_from_slice(&from.octets());
            quoted.get_mut(16..20)?.copy_from_slice(&to.octets());
            seal(quoted.get_mut(..header)?, 10, checksum::of)?;
            header
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            quoted.get_mut(8..24)?.copy_from_slice(&from.octets());
            quoted.get_mut(24..40)?.copy_from_slice(&to.octets());
            V6_HEADER
        }
        _ => return None,
    };
    quoted.get_mut(ports..ports + 2)?.copy_from_slice(&from.port().to_be_bytes());
    quoted.get_mut(ports + 2..ports + 4)?.copy_from_slice(&to.port().to_be_bytes());
    Some(())
}

pub(super) fn sealed_message(from: IpAddr, to: IpAddr, mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    match from {
        IpAddr::V4(_) => {
            seal(&mut bytes, 2, checksum::of)?;
            ip(from, to, ICMP, bytes)
        }
        IpAddr::V6(_) => {
            seal(&mut bytes, 2, |bytes| checksum::with_pseudo_header(from, to, ICMP_V6, bytes))?;
            ip(from, to, ICMP_V6, bytes)
        }
    }
}

/// Writes the checksum of `bytes` into them.
fn seal(bytes: &mut [u8], at: usize, sum: impl FnOnce(&[u8]) -> u16) -> Option<()> {
    bytes.get_mut(at..at + 2)?.fill(0);
    let sum = sum(bytes);
    bytes.get_mut(at..at + 2)?.copy_from_slice(&sum.to_be_bytes());
    Some(())
}

fn ip(from: IpAddr, to: IpAddr, protocol: u8, mut body: Vec<u8>) -> Option<Vec<u8>> {
    /// The number of hops that Linux gives a packet.
    const HOPS: u8 = 64;
    let mut packet = match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let [high, low] = u16::try_from(V4_HEADER + body.len()).ok()?.to_be_bytes();
            // "Don't fragment": nobody does.
            let mut head = vec![0x45, 0, high, low, 0, 0, 0x40, 0, HOPS, protocol, 0, 0];
            head.extend(from.octets());
            head.extend(to.octets());
            seal(&mut head, 10, checksum::of)?;
            head
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let [high, low] = u16::try_from(body.len()).ok()?.to_be_bytes();
            let mut head = vec![0x60, 0, 0, 0, high, low, protocol, HOPS];
            head.extend(from.octets());
            head.extend(to.octets());
            head
        }
        _ => return None,
    };
    packet.append(&mut body);
    Some(packet)
}
