//! Hosts, as a user writes them down.

use std::{net::IpAddr, time::Duration};

use timeline::Name;

use crate::{Access, ConfigError};

/// One host and its access link.
#[derive(Clone, Debug, PartialEq)]
pub struct HostSpec {
    /// Its name, unique in its world. The network's randomness is keyed by it.
    pub name: Name,
    /// Its addresses, IPv4 or IPv6, at least one; nobody else in its network may have them: behind a NAT
    /// the same private addresses may be in use as elsewhere. Every host has loopback besides. A socket bound to a wildcard address sends from the first one that fits.
    pub addresses: Vec<IpAddr>,
    /// Its link to the core of the network.
    pub access: Access,
    /// How long it takes over each message.
    pub processing: ProcessingDelay,
}

impl HostSpec {
    /// Checks it by itself.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let host = || self.name.clone();
        if self.addresses.is_empty() {
            return Err(ConfigError::NoAddress { host: host() });
        }
        if self.processing.min > self.processing.max {
            return Err(ConfigError::ProcessingRange { host: host() });
        }
        match self.addresses.iter().find(|address| !is_host_address(**address)) {
            None => Ok(()),
            Some(&address) => Err(ConfigError::NotAHostAddress { host: host(), address }),
        }
    }
}

/// How long a host takes over each message that reaches it, before its program sees it.
///
/// Computing costs no virtual time by itself. Without this delay two peers' timers stand in lockstep,
/// and a set-up over real `webrtc` reads 6 to 10 ms shorter than it is in real time (`docs/truth.md`).
///
/// The time is uniform from `min` to `max`, drawn per message; a host handles one message after the
/// other, so a burst queues. A message is a UDP datagram or a TCP segment that carries data, SYN or FIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessingDelay {
    /// The least.
    pub min: Duration,
    /// The most.
    pub max: Duration,
}

impl ProcessingDelay {
    /// No time at all: a message is seen at the instant at which it arrives.
    pub const ZERO: Self = Self { min: Duration::ZERO, max: Duration::ZERO };

    /// A server: none. Chosen, not measured: its part in a set-up is a fraction of a millisecond.
    pub const SERVER: Self = Self::ZERO;

    /// A desktop computer: 0.1 to 1 ms. Chosen. Since times are rounded up where a message arrives, a
    /// lone one takes a whole millisecond.
    pub const DESKTOP: Self = Self { min: Duration::from_micros(100), max: Duration::from_millis(1) };

    /// A laptop: 0.2 to 1.5 ms, rounded up 1 or 2. Chosen so that two seeds differ even on a perfect link.
    /// The ten or so messages which a set-up waits for take back more than computing takes in real time: it reads
    /// 1 to 8 ms longer, at most 4 % (`docs/truth.md`).
    pub const LAPTOP: Self = Self { min: Duration::from_micros(200), max: Duration::from_micros(1500) };

    /// A phone: 1 to 3 ms. Chosen as two to three times a laptop.
    pub const PHONE: Self = Self { min: Duration::from_millis(1), max: Duration::from_millis(3) };
}

/// Whether one host can have this address.
pub(crate) fn is_host_address(address: IpAddr) -> bool {
    !(address.is_loopback() || address.is_unspecified() || address.is_multicast() || is_reserved(address))
}

/// Whether an address belongs to nobody: 240.0.0.0/4, "reserved for future use" (RFC 1112 §4), and 100::/64,
/// the discard prefix (RFC 6666).
fn is_reserved(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.octets()[0] >= 240,
        IpAddr::V6(v6) => v6.segments()[..4] == [0x100, 0, 0, 0],
    }
}
