//! What a server is told, once and while it runs, and what it hands back.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use thiserror::Error;

use crate::code::{DropReason, ErrorCode};
use crate::credentials::Credentials;
use crate::wire::Transport;

/// The longest realm in bytes. RFC 8489 §14.9 allows 763; the limit keeps [`MAX_GROWTH`](crate::MAX_GROWTH)
/// small.
pub const MAX_REALM_BYTES: usize = 128;

/// What every server is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Everything that a real server would draw at random follows from this.
    pub seed: u64,
    /// Unix time at virtual time zero; the clock for time-limited credentials.
    pub epoch: Duration,
    /// `None`: a STUN server, which discards TURN methods as unsupported (RFC 8489 §6.3).
    pub turn: Option<TurnSettings>,
}

impl Settings {
    /// A server that answers Binding requests only.
    pub fn stun_only(seed: u64, epoch: Duration) -> Self {
        Self { seed, epoch, turn: None }
    }

    /// A server that answers Binding requests and relays.
    pub fn with_turn(seed: u64, epoch: Duration, turn: TurnSettings) -> Self {
        Self { seed, epoch, turn: Some(turn) }
    }
}

/// What a relaying server is told besides.
#[derive(Clone, Debug)]
pub struct TurnSettings {
    /// The realm of the long-term credential mechanism, 1 to [`MAX_REALM_BYTES`] bytes.
    pub realm: String,
    /// Who may allocate.
    pub credentials: Credentials,
    /// When the time limit of a time-limited credential is looked at.
    pub credential_expiry: ExpiryCheck,
    /// Addresses to allocate on: at least one, at most one per family. A family without one is
    /// answered 440.
    pub relay_ips: Vec<IpAddr>,
    /// Ports to allocate, handed out in order. Must not contain a port that the server listens on.
    pub relay_ports: RangeInclusive<u16>,
    /// Lifetime of an allocation whose client asks for none or less (RFC 8656 §7.2).
    pub default_lifetime: Duration,
    /// The longest lifetime granted (RFC 8656 §7.2).
    pub max_lifetime: Duration,
    /// How long a nonce is good for (RFC 8656 §5 wants an hour at most).
    pub nonce_lifetime: Duration,
    /// Allocations per user; 486 beyond. For time-limited credentials the user is what follows the
    /// colon.
    pub quota: Option<usize>,
    /// Peer addresses for which permissions and channels are refused with 403 (RFC 8656 §10.2).
    pub denied_peers: Vec<RangeInclusive<IpAddr>>,
}

impl TurnSettings {
    /// The RFC's figures: ports 49152–65535, lifetime 600 s by default and 3600 s at most, nonces good
    /// for an hour; no quota, nobody denied, credentials checked on every request.
    pub fn new(realm: impl Into<String>, credentials: Credentials, relay_ips: Vec<IpAddr>) -> Self {
        Self {
            realm: realm.into(),
            credentials,
            credential_expiry: ExpiryCheck::EveryRequest,
            relay_ips,
            relay_ports: 49152..=65535,
            default_lifetime: Duration::from_secs(600),
            max_lifetime: Duration::from_secs(3600),
            nonce_lifetime: Duration::from_secs(3600),
            quota: None,
            denied_peers: Vec::new(),
        }
    }

    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        if !(1..=MAX_REALM_BYTES).contains(&self.realm.len()) {
            return Err(SettingsError::Realm { bytes: self.realm.len() });
        }
        let v4 = self.relay_ips.iter().filter(|ip| ip.is_ipv4()).count();
        let v6 = self.relay_ips.len() - v4;
        if v4 + v6 == 0 || v4 > 1 || v6 > 1 {
            return Err(SettingsError::RelayAddresses { v4, v6 });
        }
        if self.relay_ports.is_empty() || *self.relay_ports.start() == 0 {
            return Err(SettingsError::RelayPorts(self.relay_ports.clone()));
        }
        let (default, max) = (self.default_lifetime, self.max_lifetime);
        if default < Duration::from_secs(1) || default > max || max.as_secs() > u64::from(u32::MAX) {
            return Err(SettingsError::Lifetimes { default, max });
        }
        Ok(())
    }
}

/// When the time limit of a time-limited credential is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiryCheck {
    /// On every request: an allocation cannot be refreshed with a credential that has expired.
    EveryRequest,
    /// On Allocate only: an allocation outlives the credential that made it.
    AtAllocation,
}

/// Why a server cannot start.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The realm is empty or too long.
    #[error("the realm has {bytes} bytes; it must have 1 to {MAX_REALM_BYTES}")]
    Realm {
        /// Its length.
        bytes: usize,
    },
    /// No relay address, or several of a family.
    #[error("{v4} IPv4 and {v6} IPv6 relay addresses; at most one of each, at least one of both")]
    RelayAddresses {
        /// How many of IPv4.
        v4: usize,
        /// How many of IPv6.
        v6: usize,
    },
    /// The port range is empty or starts at 0.
    #[error("relay ports {}–{}; the range must hold a port and must not hold 0", .0.start(), .0.end())]
    RelayPorts(RangeInclusive<u16>),
    /// The default lifetime is under a second or over the maximum, or the maximum does not fit 32 bits
    /// of seconds.
    #[error("lifetimes {default:?} by default, {max:?} at most; 1 s ≤ default ≤ maximum ≤ 2³² − 1 s")]
    Lifetimes {
        /// The default.
        default: Duration,
        /// The maximum.
        max: Duration,
    },
}

/// The faults in force. They combine; the default is a healthy server. Set with
/// [`Server::set_mood`](crate::Server::set_mood). For lost state see
/// [`Server::reboot`](crate::Server::reboot).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mood {
    /// Does the server react at all?
    pub liveness: Liveness,
    /// Waiting time before anything is sent, responses and relayed data alike.
    pub delay: Duration,
    /// Are right credentials accepted?
    pub credentials: CredentialPolicy,
    /// Are there relayed ports to hand out?
    pub ports: PortSupply,
    /// Overrides [`TurnSettings::nonce_lifetime`](crate::TurnSettings::nonce_lifetime), for nonces
    /// already given out as well. Zero makes every nonce stale at once.
    pub nonce_lifetime: Option<Duration>,
}

impl Default for Mood {
    fn default() -> Self {
        Self {
            liveness: Liveness::Alive,
            delay: Duration::ZERO,
            credentials: CredentialPolicy::Checked,
            ports: PortSupply::Available,
            nonce_lifetime: None,
        }
    }
}

timeline::words! {
    /// Does the server react at all?
    pub enum Liveness {
        /// It does.
        Alive = "alive",
        /// It answers nothing and relays nothing. Its state stays and ages: a process that hangs.
        Dead = "dead",
    }
}

timeline::words! {
    /// Are right credentials accepted?
    pub enum CredentialPolicy {
        /// They are checked.
        Checked = "checked",
        /// Whatever they are, the answer is 401: a rotated secret, a broken user database.
        Rejected = "rejected",
    }
}

timeline::words! {
    /// Are there relayed ports to hand out?
    pub enum PortSupply {
        /// As long as the range lasts.
        Available = "available",
        /// None: every Allocate is answered 508. Allocations that exist go on.
        Exhausted = "exhausted",
    }
}

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
