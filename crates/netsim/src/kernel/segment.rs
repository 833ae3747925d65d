//! What stacks send each other.

use std::net::SocketAddr;

use bytes::Bytes;
use timeline::TcpFlags;

/// A TCP segment between two stacks.
#[derive(Debug)]
pub(crate) struct Segment {
    from: SocketAddr,
    to: SocketAddr,
    flags: TcpFlags,
    /// Its sequence number (SEG.SEQ).
    pub(super) sequence: u32,
    /// Up to where its sender has received (SEG.ACK).
    pub(super) acknowledged: u32,
    pub(super) payload: Bytes,
}

/// Without any flag.
const PLAIN: TcpFlags = TcpFlags { syn: false, fin: false, rst: false, ack: false };
pub(super) const ACK: TcpFlags = TcpFlags { ack: true, ..PLAIN };
pub(super) const SYN: TcpFlags = TcpFlags { syn: true, ..PLAIN };
pub(super) const SYN_ACK: TcpFlags = TcpFlags { syn: true, ..ACK };
pub(super) const FIN_ACK: TcpFlags = TcpFlags { fin: true, ..ACK };
const RST: TcpFlags = TcpFlags { rst: true, ..PLAIN };
pub(super) const RST_ACK: TcpFlags = TcpFlags { rst: true, ..ACK };

impl Segment {
    pub(super) const fn new(
        (from, to): (SocketAddr, SocketAddr),
        flags: TcpFlags,
        sequence: u32,
        acknowledged: u32,
        payload: Bytes,
    ) -> Self {
        Self { from, to, flags, sequence, acknowledged, payload }
    }

    /// A reset from `from` to `to`. The stacks take a reset whatever its sequence number.
    pub(crate) const fn reset(from: SocketAddr, to: SocketAddr) -> Self {
        Self::new((from, to), RST_ACK, 0, 0, Bytes::new())
    }

    /// The reset with which a stack answers a segment of no connection that it knows (RFC 9293 §3.10.7.1).
    pub(super) const fn refusal(&self) -> Self {
        let flags = if self.flags.ack { RST } else { RST_ACK };
        Self::new((self.to, self.from), flags, 0, 0, Bytes::new())
    }

    /// The same segment with other addresses: those that its receiver sees.
    pub(crate) const fn readdressed(mut self, from: SocketAddr, to: SocketAddr) -> Self {
        (self.from, self.to) = (from, to);
        self
    }

    /// Whether its sender is its receiver: a host connects to an address of its own from that very address,
    /// and no two hosts of one network have the same.
    pub(super) fn stays_on_its_host(&self) -> bool {
        self.from.ip() == self.to.ip()
    }

    pub(crate) const fn from(&self) -> SocketAddr {
        self.from
    }

    pub(crate) const fn to(&self) -> SocketAddr {
        self.to
    }

    pub(crate) const fn flags(&self) -> TcpFlags {
        self.flags
    }

    pub(crate) fn payload(&self) -> &[u8] {
        &self.payload
    }
}
