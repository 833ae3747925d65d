//! The network of a plan. Links, NATs and firewalls are the world's own types, which are plain data; what
//! stands here is what the world does not know: servers, and how a link is said in words.

use std::{fmt, net::IpAddr, ops::RangeInclusive, time::Duration};

pub use netsim::{
    Access, Attachment, Connections, Correlation, Dependence, Ending, Firewall, Gateway, GilbertElliott,
    Hairpinning, Half, Handover, LinkModel, NatConfig, PortAllocation, PortRange, Probability, QueueLimit,
    Rate, Refresh, Reordering, Schedule, Spread, TailIndex, Transition,
};
use timeline::Name;
pub use turn_service::{CredentialPolicy, Liveness, Mood, PortSupply};

use super::Device;

/// A host's way into the network where a file says nothing: 10 ms each way without jitter or loss. Two
/// such hosts are 20 ms apart, a round trip takes 40 ms.
pub(crate) const DEFAULT_ACCESS: Access = Access::symmetric(LinkModel::with_delay(Duration::from_millis(10)));

/// A STUN or TURN server.
#[derive(Clone, Debug, PartialEq)]
pub struct IceServerPlan {
    /// Its name, which is also its host's.
    pub name: Name,
    /// What it does.
    pub kind: IceServerKind,
    /// Its host's addresses, at least one; also those that it relays from.
    pub addresses: Vec<IpAddr>,
    /// Its way into the network.
    pub access: Access,
    /// How long it takes over a message.
    pub device: Device,
    /// Which port it listens on, over UDP (RFC 8489 §8.2: 3478).
    pub port: u16,
    /// How it knows its users.
    pub credentials: CredentialKind,
    /// The ports that it relays from, without [`IceServerPlan::port`].
    pub relay_ports: RangeInclusive<u16>,
    /// Lifetime of an allocation whose client asks for none (RFC 8656 §7.2).
    pub allocation_lifetime: Duration,
    /// How long its nonces are good for (RFC 8656 §5).
    pub nonce_lifetime: Duration,
    /// How many allocations one user may have (486 beyond); no limit if `None`.
    pub quota: Option<usize>,
    /// Its mood at the start.
    pub mood: Mood,
}

impl IceServerPlan {
    /// A TURN server as it is where a file says nothing.
    pub fn new(name: Name, address: IpAddr) -> Self {
        Self {
            name,
            kind: IceServerKind::Turn,
            addresses: vec![address],
            access: DEFAULT_ACCESS,
            device: Device::Server,
            port: Self::DEFAULT_PORT,
            credentials: CredentialKind::LongTerm,
            relay_ports: Self::DEFAULT_RELAY_PORTS,
            allocation_lifetime: Self::DEFAULT_ALLOCATION_LIFETIME,
            nonce_lifetime: Self::DEFAULT_NONCE_LIFETIME,
            quota: None,
            mood: Mood::default(),
        }
    }

    /// The port of STUN and TURN over UDP (RFC 8489 §8.2, RFC 8656 §4).
    pub(crate) const DEFAULT_PORT: u16 = 3478;
    /// The ports to relay from where a file gives none (RFC 8656 §7.2).
    pub(crate) const DEFAULT_RELAY_PORTS: RangeInclusive<u16> = 49_152..=65_535;
    /// The lifetime of an allocation where a file gives none (RFC 8656 §3.2).
    pub(crate) const DEFAULT_ALLOCATION_LIFETIME: Duration = Duration::from_secs(600);
    /// The lifetime of a nonce where a file gives none (RFC 8656 §5: an hour at most).
    pub(crate) const DEFAULT_NONCE_LIFETIME: Duration = Duration::from_secs(3600);
}

timeline::words! {
    /// What an ICE server does.
    pub enum IceServerKind {
        /// Tells clients their server-reflexive address (RFC 8489).
        Stun = "stun",
        /// That, and relays (RFC 8656).
        Turn = "turn",
    }
}

timeline::words! {
    /// How a TURN server knows its users.
    pub enum CredentialKind {
        /// User name and password (RFC 8489 §9.2).
        LongTerm = "long-term",
        /// A user name that carries its expiry, and the HMAC of it under a secret that the server shares
        /// with the application (draft-uberti-behave-turn-rest-00).
        TimeLimited = "time-limited",
    }
}

timeline::words! {
    /// Which credentials a peer shows to TURN servers.
    pub enum TurnCredentials {
        /// The right ones.
        Valid = "valid",
        /// A wrong password.
        Wrong = "wrong",
        /// Right once; the time limit is over. With a long-term server, a user that it no longer knows.
        Expired = "expired",
    }
}

/// A link in words: `35ms + 8ms jitter, 0.5 % loss, 8 Mbit/s`.
pub(super) struct InWords<'a>(pub(super) &'a LinkModel);

impl fmt::Display for InWords<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let link = self.0;
        if !link.up {
            return f.write_str("down");
        }
        write!(f, "{:?} + {:?} jitter, {} loss", link.delay, link.jitter, link.loss)?;
        if let Some(bursts) = &link.bursts {
            write!(f, ", {} loss in bursts", bursts.mean_loss())?;
        }
        match link.spread {
            Spread::None => {}
            Spread::Normal { sigma } => write!(f, ", spread normally by {sigma:?}")?,
            Spread::HeavyTail { scale, .. } => write!(f, ", with a heavy tail of {scale:?}")?,
        }
        if let Some(rate) = link.rate {
            write!(f, ", {} bit/s", rate.bps)?;
        }
        if let Some(reordering) = link.reordering {
            write!(f, ", {} reordered", reordering.probability)?;
        }
        if link.duplication > Probability::ZERO {
            write!(f, ", {} duplicated", link.duplication)?;
        }
        if link.corruption > Probability::ZERO {
            write!(f, ", {} corrupted", link.corruption)?;
        }
        match link.mtu_bytes {
            Some(mtu) => write!(f, ", MTU {mtu}"),
            None => Ok(()),
        }
    }
}
