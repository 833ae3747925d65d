//! From a device into the world.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use netsim::{Content, Crossing};
use timeline::TcpFlags;

use super::{ICMP, ICMP_V6, Kind, TCP, UDP, UDP_HEADER, V4_HEADER, V6_HEADER};

/// Why a packet does not enter the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It is a fragment, which the world does not have.
    Fragment,
    /// It is for the device's neighbours, of which there are none, or of a protocol that the world does not have.
    Foreign,
    /// It is no whole IP packet.
    Malformed,
}

/// The header of an IP packet, and what it is followed by.
struct Ip<'a> {
    from: IpAddr,
    to: IpAddr,
    protocol: u8,
    body: &'a [u8],
}

/// Reads a packet that a host's kernel has written.
pub(crate) fn read(packet: &[u8]) -> Result<Crossing, Unread> {
    let ip = Ip::of(packet, Length::Whole)?;
    let is_for_neighbours = |address: IpAddr| match address {
        IpAddr::V4(v4) => v4.is_multicast() || v4.is_broadcast() || v4.is_unspecified(),
        IpAddr::V6(v6) => v6.is_multicast() || v6.is_unspecified() || v6.is_unicast_link_local(),
    };
    if is_for_neighbours(ip.to) || is_for_neighbours(ip.from) {
        return Err(Unread::Foreign);
    }
    match ip.protocol {
        UDP => ip.datagram(),
        TCP => ip.segment(),
        ICMP if ip.from.is_ipv4() => ip.message(),
        ICMP_V6 if ip.from.is_ipv6() => ip.message(),
        _ => Err(Unread::Foreign),
    }
}

/// How much of a packet is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Length {
    Whole,
    /// Its beginning, as an ICMP error quotes it.
    Quoted,
}

impl<'a> Ip<'a> {
    fn of(packet: &'a [u8], length: Length) -> Result<Self, Unread> {
        match packet.first().map(|first| first >> 4) {
            Some(4) => Self::v4(packet, length),
            Some(6) => Self::v6(packet, length),
            _ => Err(Unread::Malformed),
        }
    }

    /// RFC 791 §3.1.
    fn v4(packet: &'a [u8], length: Length) -> Result<Self, Unread> {
        let head: &[u8; V4_HEADER] = packet.first_chunk().ok_or(Unread::Malformed)?;
        let header = usize::from(head[0] & 0x0f) * 4;
        let total = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let end = if length == Length::Quoted { packet.len() } else { total };
        let body = packet.get(header..end).filter(|_| header >= V4_HEADER).ok_or(Unread::Malformed)?;
        // More of it follows, or it is not the first.
        if u16::from_be_bytes([head[6], head[7]]) & 0x3fff != 0 {
            return Err(Unread::Fragment);
        }
        let address = |at: usize| Ipv4Addr::new(head[at], head[at + 1], head[at + 2], head[at + 3]).into();
        Ok(Self { from: address(12), to: address(16), protocol: head[9], body })
    }

    /// RFC 8200 §3.
    fn v6(packet: &'a [u8], length: Length) -> Result<Self, Unread> {
        const FRAGMENT: u8 = 44;
        let head: &[u8; V6_HEADER] = packet.first_chunk().ok_or(Unread::Malformed)?;
        let total = V6_HEADER + usize::from(u16::from_be_bytes([head[4], head[5]]));
        let end = if length == Length::Quoted { packet.len() } else { total };
        let body = packet.get(V6_HEADER..end).ok_or(Unread::Malformed)?;
        let address = |at: usize| {
            let mut octets = [0; 16];
            octets.copy_from_slice(&head[at..at + 16]);
            Ipv6Addr::from(octets).into()
        };
        let protocol = head[6];
        if protocol == FRAGMENT {
            return Err(Unread::Fragment);
        }
        Ok(Self { from: address(8), to: address(24), protocol, body })
    }

    /// The endpoints, by the first four bytes of UDP and TCP.
    fn endpoints(&self) -> Result<(SocketAddr, SocketAddr), Unread> {
        let [a, b, c, d] = *self.body.first_chunk().ok_or(Unread::Malformed)?;
        let endpoint = |ip, port| SocketAddr::new(ip, u16::from_be_bytes(port));
        Ok((endpoint(self.from, [a, b]), endpoint(self.to, [c, d])))
    }

    /// RFC 768.
    fn datagram(&self) -> Result<Crossing, Unread> {
        let (from, to) = self.endpoints()?;
        let length = self.body.get(4..6).ok_or(Unread::Malformed)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        let bytes = self.body.get(UDP_HEADER..length).ok_or(Unread::Malformed)?;
        Ok(Crossing { content: Content::Udp, from, to, bytes: bytes.into() })
    }

    /// RFC 9293 §3.1.
    fn segment(&self) -> Result<Crossing, Unread> {
        let (from, to) = self.endpoints()?;
        let head: &[u8; 20] = self.body.first_chunk().ok_or(Unread::Malformed)?;
        let has = |bit: u8| head[13] & bit != 0;
        let flags = TcpFlags { fin: has(1), syn: has(2), rst: has(4), ack: has(16) };
        Ok(Crossing { content: Content::Tcp(flags), from, to, bytes: self.body.into() })
    }

    /// RFC 792, RFC 4443.
    fn message(&self) -> Result<Crossing, Unread> {
        let head: &[u8; 8] = self.body.first_chunk().ok_or(Unread::Malformed)?;
        let identifier = u16::from_be_bytes([head[4], head[5]]);
        let endpoints = |asks, answers| (SocketAddr::new(self.from, asks), SocketAddr::new(self.to, answers));
        let (from, to) = match Kind::of(head[0], self.from.is_ipv4()) {
            Kind::EchoRequest => endpoints(identifier, 0),
            Kind::EchoReply => endpoints(0, identifier),
            Kind::Local => return Err(Unread::Foreign),
            Kind::Error => {
                let quoted = Ip::of(&self.body[8..], Length::Quoted)?;
                // What it is about came the other way. Of TCP nothing but a reset ends a connection here.
                if quoted.protocol != UDP || quoted.from != self.to || quoted.to != self.from {
                    return Err(Unread::Foreign);
                }
                let (sender, receiver) = quoted.endpoints()?;
                (receiver, sender)
            }
        };
        Ok(Crossing { content: Content::Icmp, from, to, bytes: self.body.into() })
    }
}
