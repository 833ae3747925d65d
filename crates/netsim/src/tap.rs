//! Hosts whose programs are outside of the world, behind a network device: the border that their packets cross.

use std::{fmt, future::poll_fn, io, net::SocketAddr, sync::Arc};

use timeline::TcpFlags;

use crate::{Host, ids::HostIndex, shared::Shared};

/// What a packet at the border of a world is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// The payload of a UDP datagram.
    Udp,
    /// A TCP segment with its header, which says this. The stack that wrote it is outside and retransmits: such a
    /// segment is lost where one of the world's own would be held.
    Tcp(TcpFlags),
    /// An ICMP message. Its port is the identifier of an echo (RFC 5508 §3.1) at the end that asks, 0 at the other.
    /// Links, NATs and firewalls take it for a datagram.
    Icmp,
}

/// A packet that enters or leaves a world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// What is in `bytes`.
    pub content: Content,
    /// Its source, as its present side of the NATs on its way sees it.
    pub from: SocketAddr,
    /// Its destination, likewise.
    pub to: SocketAddr,
    /// What its IP header is followed by; of UDP, the payload.
    pub bytes: Box<[u8]>,
}

/// What a host outside of the world gets from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// A packet.
    Packet(Crossing),
    /// A packet of the host's own did not fit through a link (RFC 1191, RFC 8201). It is as the host had sent it.
    TooBig {
        /// What would have fit, IP header included.
        mtu_bytes: u32,
        /// The packet.
        packet: Crossing,
    },
}

/// The border of one host. While there is one, no socket on the host gets anything.
#[derive(Clone)]
pub struct Tap {
    shared: Arc<Shared>,
    host: HostIndex,
}

impl Host {
    /// Takes what reaches this host out of the world, and lets in what its programs outside send.
    pub fn tap(&self) -> Tap {
        let (shared, host) = self.parts();
        shared.network().open_border(host);
        Tap { shared: Arc::clone(shared), host }
    }
}

impl Tap {
    /// Sends a packet from one of the host's addresses. It may be lost, which is no error.
    ///
    /// # Errors
    /// `InvalidInput` or Linux's `EINVAL` where the host has no such address, `NotConnected` where it is switched off,
    /// Linux's `EMSGSIZE` where it is longer than any packet.
    pub fn send(&self, packet: &Crossing) -> io::Result<()> {
        let now = self.shared.now();
        self.shared.network().border_send(now, self.host, packet)
    }

    /// Waits for what comes next to the host.
    pub async fn recv(&self) -> Arrival {
        poll_fn(|cx| self.shared.network().border_poll_receive(self.host, cx)).await
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tap").field(&self.host).finish()
    }
}
