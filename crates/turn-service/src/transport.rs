//! Between whom a message travelled.

use std::fmt;
use std::net::SocketAddr;

/// How a client reaches the server (RFC 8656 §3.1). Peers are always reached over UDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transport {
    /// One message per datagram.
    Udp,
    /// A stream; see [`StreamDeframer`](crate::StreamDeframer). ChannelData is padded to four bytes.
    Tcp,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        })
    }
}

/// The 5-tuple that identifies an allocation (RFC 8656 §6), as the server sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FiveTuple {
    /// Transport protocol between client and server.
    pub transport: Transport,
    /// The client's server-reflexive transport address.
    pub client: SocketAddr,
    /// The server's transport address.
    pub server: SocketAddr,
}
