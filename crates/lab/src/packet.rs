//! IP packets as devices have them, and what a world makes of them.

mod checksum;
mod read;
mod write;

pub(crate) use self::{
    read::{Unread, read},
    write::{too_big, write},
};

/// IP protocol numbers (IANA).
const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP_V6: u8 = 58;

/// How long the header of an IPv4 packet without options is.
const V4_HEADER: usize = 20;
const V6_HEADER: usize = 40;
const UDP_HEADER: usize = 8;

/// What an ICMP message is, as far as a world has to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    EchoRequest,
    EchoReply,
    /// It quotes the packet that it is about.
    Error,
    /// Neighbour discovery, groups: a device has no neighbours.
    Local,
}

impl Kind {
    /// RFC 792; RFC 4443 §2.1.
    const fn of(kind: u8, is_v4: bool) -> Self {
        match (is_v4, kind) {
            (true, 8) | (false, 128) => Self::EchoRequest,
            (true, 0) | (false, 129) => Self::EchoReply,
            (true, 3 | 11 | 12) | (false, 1..=4) => Self::Error,
            _ => Self::Local,
        }
    }
}

#[cfg(test)]
mod tests;
