//! What a server is told once, when it starts.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use thiserror::Error;

use crate::credentials::Credentials;

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
