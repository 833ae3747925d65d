//! What the server did, for the timeline.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::code::ErrorCode;

/// One thing that the server did. `Display` gives the timeline's words.
///
/// Relayed data makes no event; [`Server::traffic`](crate::Server::traffic) counts it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServiceEvent {
    /// A Binding request was answered with the client's address.
    Bound {
        /// The client's server-reflexive address.
        client: SocketAddr,
    },
    /// An Allocate succeeded.
    Allocated {
        /// The client's server-reflexive address.
        client: SocketAddr,
        /// The relayed transport address.
        relay: SocketAddr,
        /// The user name of the request.
        username: String,
        /// The lifetime granted.
        lifetime: Duration,
    },
    /// A request without credentials was answered 401, with realm and nonce: how every client starts.
    Challenged {
        /// Who asked.
        client: SocketAddr,
        /// The method, in the RFC's words.
        method: String,
    },
    /// A request was answered with an error response.
    Refused {
        /// Who asked.
        client: SocketAddr,
        /// The method, in the RFC's words.
        method: String,
        /// Why.
        code: ErrorCode,
    },
    /// A retransmitted request got the answer that it had before.
    Repeated {
        /// Who asked again.
        client: SocketAddr,
        /// The method, in the RFC's words.
        method: String,
    },
    /// A Refresh moved the expiry of an allocation.
    Refreshed {
        /// The relayed transport address.
        relay: SocketAddr,
        /// From now on.
        lifetime: Duration,
    },
    /// A Refresh with lifetime zero, or the end of the client's TCP connection, ended an allocation.
    Released {
        /// The relayed transport address.
        relay: SocketAddr,
    },
    /// A permission was installed or refreshed, by CreatePermission or by ChannelBind.
    Permitted {
        /// The relayed transport address.
        relay: SocketAddr,
        /// Who may send there, from any port.
        peer: IpAddr,
    },
    /// A channel was bound or its binding refreshed.
    ChannelBound {
        /// The relayed transport address.
        relay: SocketAddr,
        /// The channel number.
        number: u16,
        /// To whom.
        peer: SocketAddr,
    },
    /// An allocation ran out, with its permissions and channels.
    AllocationExpired {
        /// The relayed transport address.
        relay: SocketAddr,
    },
    /// A permission ran out.
    PermissionExpired {
        /// The relayed transport address.
        relay: SocketAddr,
        /// Who may no longer send there.
        peer: IpAddr,
    },
    /// A channel binding ran out.
    ChannelExpired {
        /// The relayed transport address.
        relay: SocketAddr,
        /// The channel number.
        number: u16,
    },
    /// Something arrived and nothing was sent for it.
    Dropped {
        /// Where it came from.
        from: SocketAddr,
        /// Where it went.
        to: SocketAddr,
        /// Why.
        reason: DropReason,
    },
    /// The server restarted and forgot everything.
    Rebooted {
        /// How many allocations were lost.
        allocations: usize,
    },
}

/// Why something was dropped in silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DropReason {
    /// The mood says dead.
    Dead,
    /// Neither STUN nor ChannelData, or not a valid one (RFC 8489 §6.3).
    Malformed,
    /// `FINGERPRINT` is wrong or not last (RFC 8489 §14.7).
    Fingerprint,
    /// A method or class that this server does not serve (RFC 8489 §6.3).
    Unsupported,
    /// An indication with an unknown comprehension-required attribute (RFC 8489 §6.3.2).
    UnknownAttribute,
    /// The 5-tuple, or the relayed port, has no allocation (RFC 8656 §5).
    NoAllocation,
    /// The peer's address has no permission (RFC 8656 §9).
    NoPermission,
    /// The channel is not bound (RFC 8656 §12.6).
    NoChannel,
    /// The message around the data would not fit a datagram.
    TooLarge,
}

impl fmt::Display for ServiceEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bound { client } => write!(f, "binding: {client}"),
            Self::Allocated { client, relay, username, lifetime } => {
                write!(f, "allocated {relay} to {username} at {client} for {} s", lifetime.as_secs())
            }
            Self::Challenged { client, method } => write!(f, "challenged {method} of {client}"),
            Self::Refused { client, method, code } => write!(f, "refused {method} of {client}: {code}"),
            Self::Repeated { client, method } => write!(f, "repeated the answer to {method} of {client}"),
            Self::Refreshed { relay, lifetime } => {
                write!(f, "refreshed {relay} for {} s", lifetime.as_secs())
            }
            Self::Released { relay } => write!(f, "released {relay}"),
            Self::Permitted { relay, peer } => write!(f, "permitted {peer} at {relay}"),
            Self::ChannelBound { relay, number, peer } => {
                write!(f, "bound channel {number:#06x} of {relay} to {peer}")
            }
            Self::AllocationExpired { relay } => write!(f, "expired: allocation {relay}"),
            Self::PermissionExpired { relay, peer } => write!(f, "expired: permission of {peer} at {relay}"),
            Self::ChannelExpired { relay, number } => write!(f, "expired: channel {number:#06x} of {relay}"),
            Self::Dropped { from, to, reason } => write!(f, "dropped {from} → {to}: {reason}"),
            Self::Rebooted { allocations } => write!(f, "rebooted, {allocations} allocations lost"),
        }
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dead => "the server is dead",
            Self::Malformed => "malformed",
            Self::Fingerprint => "wrong fingerprint",
            Self::Unsupported => "unsupported method or class",
            Self::UnknownAttribute => "unknown attribute in an indication",
            Self::NoAllocation => "no allocation",
            Self::NoPermission => "no permission",
            Self::NoChannel => "channel not bound",
            Self::TooLarge => "too large to wrap",
        })
    }
}
