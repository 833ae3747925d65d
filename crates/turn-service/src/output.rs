//! What the server asks its driver to do.

use std::net::SocketAddr;
use std::time::Duration;

use crate::event::ServiceEvent;
use crate::transport::Transport;

/// One thing to do, in the order of the list in which it came.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// Send `bytes`.
    Send {
        /// UDP datagram, or the TCP connection between `to` and `from`.
        transport: Transport,
        /// The server's own address: where the client sent to, or a relayed transport address.
        from: SocketAddr,
        /// The client or the peer.
        to: SocketAddr,
        /// The whole datagram, or bytes to append to the stream.
        bytes: Vec<u8>,
        /// How long to wait before sending; zero unless the [`Mood`](crate::Mood) is slow. Over TCP the
        /// order of outputs is the order of release.
        after: Duration,
    },
    /// Bind a UDP socket to a relayed transport address (RFC 8656 §7.2). Comes before the success
    /// response that announces it. What arrives there goes to [`Server::handle`](crate::Server::handle)
    /// with the relayed address as `to`.
    Open {
        /// The relayed transport address.
        relay: SocketAddr,
    },
    /// Give the relayed transport address up: its allocation is gone.
    Close {
        /// The relayed transport address.
        relay: SocketAddr,
    },
    /// For the timeline.
    Event(ServiceEvent),
}
