use std::{fmt, net::SocketAddr, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{Name, VirtualTime};

/// One packet that a host handed to the network, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PacketRecord {
    /// When the sending host handed it over.
    pub at: VirtualTime,
    /// The sending host.
    pub from_host: Name,
    /// The host that owns the destination address, `None` where nobody does.
    pub to_host: Option<Name>,
    /// Source address as the sender wrote it.
    pub from: SocketAddr,
    /// Destination address as the sender wrote it.
    pub to: SocketAddr,
    /// What is in it.
    pub protocol: Protocol,
    /// Payload length in bytes, without IP, UDP or TCP headers.
    pub len: u32,
    /// What the network did with it.
    pub verdict: Verdict,
    /// The addresses with which it reached the receiving host, where a NAT changed them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub translated: Option<Box<Translated>>,
    /// How long it was under way, and where the time went; zero where it has not arrived.
    #[serde(default, skip_serializing_if = "Transit::is_zero")]
    pub transit: Transit,
}

/// Where the time went that a packet took from its sender to the program that got it, in microseconds.
///
/// What is in none of the three parts is propagation: the delay of links, with its jitter, and for a TCP segment the
/// wait for one before it that was late. The program sees the packet at the world's next whole millisecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transit {
    /// All of it: at most 71 minutes, more counts as that.
    pub total_us: u32,
    /// In queues of links with a rate, and going out onto them.
    pub queued_us: u32,
    /// In the receiving host, which handles one message at a time.
    pub processing_us: u32,
    /// Waiting for a TCP retransmission: its own, or that of a segment before it.
    pub held_us: u32,
}

/// A packet's addresses behind the NATs on its way (RFC 4787).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Translated {
    /// Source address as the receiver sees it: the sender's public mapping.
    pub from: SocketAddr,
    /// Destination address as the receiver knows it.
    pub to: SocketAddr,
}

/// What a packet carries, told apart by its first bytes (RFC 7983 §7) or by its transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Protocol {
    /// STUN (RFC 8489) or TURN (RFC 8656), by class and method.
    Stun {
        /// Request, indication, success or error.
        class: StunClass,
        /// The 12-bit method: 1 Binding, 3 Allocate, …
        method: u16,
    },
    /// TURN ChannelData (RFC 8656 §12.4).
    ChannelData,
    /// A DTLS record (RFC 6347); the first one where a datagram holds several.
    Dtls(DtlsContent),
    /// SRTP (RFC 3711).
    Srtp,
    /// SRTCP (RFC 3711; told from SRTP by RFC 5761 §4).
    Srtcp,
    /// A UDP datagram of none of these kinds.
    Udp,
    /// A TCP segment.
    Tcp(TcpFlags),
    /// An ICMP message (RFC 792, RFC 4443). Only hosts outside of a world send any.
    Icmp,
}

/// The class bits of a STUN message type (RFC 8489 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StunClass {
    /// A request.
    Request,
    /// An indication: no answer is expected.
    Indication,
    /// A success response.
    Success,
    /// An error response.
    Error,
}

/// The content type of a DTLS record (RFC 6347 §4.1, RFC 5246 §6.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DtlsContent {
    /// 20.
    ChangeCipherSpec,
    /// 21.
    Alert,
    /// 22, with the handshake message type in clear (RFC 5246 §7.4): 1 ClientHello, 2 ServerHello, 3
    /// HelloVerifyRequest, 11 Certificate, 16 ClientKeyExchange, …; `None` where it is encrypted.
    Handshake(Option<u8>),
    /// 23: in WebRTC an SCTP packet (RFC 8261).
    ApplicationData,
    /// Any other content type.
    Other(u8),
}

/// The flags of a TCP segment that matter to a reader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TcpFlags {
    /// Synchronise.
    pub syn: bool,
    /// Finish.
    pub fin: bool,
    /// Reset.
    pub rst: bool,
    /// Acknowledge.
    pub ack: bool,
}

/// What the network did with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Verdict {
    /// On its way; nothing has happened to it when the run ended.
    InFlight,
    /// Handed to the receiving host.
    Delivered,
    /// Drawn as lost on the sender's uplink.
    LostUp,
    /// Drawn as lost on the receiver's downlink.
    LostDown,
    /// Dropped because a link on its way was down.
    LinkDown,
    /// Dropped because no host has the destination address.
    NoRoute,
    /// A datagram that reached its host, where no socket was bound to its destination.
    NoSocket,
    /// A TCP segment that the network holds back until a retransmission timer fires: a loss, as a
    /// TCP sender experiences it. It is delivered later, or its connection times out.
    Held,
    /// Delivered after having been held.
    DeliveredLate,
    /// Delivered more than once: a link made a copy of it.
    Duplicated,
    /// Delivered with a flipped bit.
    Corrupted,
    /// Dropped at the end of a full queue.
    QueueFull,
    /// Dropped because it is longer than a link's MTU.
    TooBig,
    /// Dropped by a NAT that has no mapping for its destination.
    NatNoMapping,
    /// Dropped by a NAT whose filtering behaviour does not let its sender in (RFC 4787 §5).
    NatFiltered,
    /// Dropped by a NAT that does not hairpin (RFC 4787 §6).
    NatNoHairpin,
    /// Dropped by a NAT that has no port left for a new mapping.
    NatPortsExhausted,
    /// Dropped by a firewall.
    FirewallBlocked,
    /// Dropped because its destination exists only in another network, behind a gateway: a private address.
    Unroutable,
    /// Dropped because its host had left its source address.
    AddressGone,
    /// Dropped because its destination was switched off.
    PowerOff,
}

impl PacketRecord {
    /// When its program got it, before rounding up to the world's millisecond; `None` where it has not arrived.
    pub fn arrived_at(&self) -> Option<VirtualTime> {
        let arrived = || self.at + Duration::from_micros(self.transit.total_us.into());
        self.verdict.arrived().then(arrived)
    }
}

impl Transit {
    /// What is in none of its parts.
    pub const fn propagation_us(&self) -> u32 {
        let parts = self.queued_us.saturating_add(self.processing_us).saturating_add(self.held_us);
        self.total_us.saturating_sub(parts)
    }

    fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}

impl Verdict {
    /// Whether a receiver saw the packet.
    pub const fn arrived(self) -> bool {
        matches!(self, Self::Delivered | Self::DeliveredLate | Self::Duplicated | Self::Corrupted)
    }
}

impl Protocol {
    /// Whether this is a connectivity check or its answer (RFC 8445 §7): a STUN Binding message.
    pub const fn is_binding(self) -> bool {
        matches!(self, Self::Stun { method: 1, .. })
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stun { class, method } => {
                let method = match method {
                    1 => "binding",
                    3 => "allocate",
                    4 => "refresh",
                    6 => "send",
                    7 => "data",
                    8 => "create-permission",
                    9 => "channel-bind",
                    _ => "unknown-method",
                };
                write!(f, "stun {method} {class}")
            }
            Self::ChannelData => f.write_str("turn channel-data"),
            Self::Dtls(content) => write!(f, "dtls {content}"),
            Self::Srtp => f.write_str("srtp"),
            Self::Srtcp => f.write_str("srtcp"),
            Self::Udp => f.write_str("udp"),
            Self::Tcp(flags) => write!(f, "tcp {flags}"),
            Self::Icmp => f.write_str("icmp"),
        }
    }
}

impl fmt::Display for StunClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request => "request",
            Self::Indication => "indication",
            Self::Success => "success",
            Self::Error => "error",
        })
    }
}

impl fmt::Display for DtlsContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let handshake = match self {
            Self::ChangeCipherSpec => return f.write_str("change-cipher-spec"),
            Self::Alert => return f.write_str("alert"),
            Self::ApplicationData => return f.write_str("application-data (sctp)"),
            Self::Other(kind) => return write!(f, "content-type {kind}"),
            Self::Handshake(None) => "handshake encrypted",
            Self::Handshake(Some(0)) => "hello-request",
            Self::Handshake(Some(1)) => "client-hello",
            Self::Handshake(Some(2)) => "server-hello",
            Self::Handshake(Some(3)) => "hello-verify-request",
            Self::Handshake(Some(4)) => "new-session-ticket",
            Self::Handshake(Some(11)) => "certificate",
            Self::Handshake(Some(12)) => "server-key-exchange",
            Self::Handshake(Some(13)) => "certificate-request",
            Self::Handshake(Some(14)) => "server-hello-done",
            Self::Handshake(Some(15)) => "certificate-verify",
            Self::Handshake(Some(16)) => "client-key-exchange",
            Self::Handshake(Some(20)) => "finished",
            Self::Handshake(Some(other)) => return write!(f, "handshake {other}"),
        };
        f.write_str(handshake)
    }
}

impl fmt::Display for TcpFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names = [(self.syn, "syn"), (self.fin, "fin"), (self.rst, "rst"), (self.ack, "ack")]
            .into_iter()
            .filter_map(|(set, name)| set.then_some(name))
            .peekable();
        if names.peek().is_none() {
            return f.write_str("-");
        }
        f.write_str(&names.collect::<Vec<_>>().join("+"))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InFlight => "in flight",
            Self::Delivered => "delivered",
            Self::LostUp => "LOST on the uplink",
            Self::LostDown => "LOST on the downlink",
            Self::LinkDown => "DROPPED, link down",
            Self::NoRoute => "DROPPED, no such host",
            Self::NoSocket => "DROPPED, no such socket",
            Self::Held => "HELD for retransmission",
            Self::DeliveredLate => "delivered late (retransmitted)",
            Self::Duplicated => "delivered more than once",
            Self::Corrupted => "delivered CORRUPTED",
            Self::QueueFull => "DROPPED, queue full",
            Self::TooBig => "DROPPED, longer than the link's MTU",
            Self::NatNoMapping => "DROPPED by a NAT, no mapping",
            Self::NatFiltered => "DROPPED by a NAT, filtered",
            Self::NatNoHairpin => "DROPPED by a NAT, no hairpinning",
            Self::NatPortsExhausted => "DROPPED by a NAT, no port left",
            Self::FirewallBlocked => "DROPPED by a firewall",
            Self::Unroutable => "DROPPED, private address of another network",
            Self::AddressGone => "DROPPED, its host had left that address",
            Self::PowerOff => "DROPPED, host switched off",
        })
    }
}
