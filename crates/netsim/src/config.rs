//! What a world is made of, as a user writes it down.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use thiserror::Error;
use timeline::Name;

use crate::Access;

/// All that a world depends on, next to the code that runs in it.
///
/// There is no default: every value belongs to the recipe of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct WorldConfig {
    /// Where the network's randomness comes from.
    pub seed: u64,
    /// The hosts. Their order decides nothing but the order in which their TCP stacks are served at
    /// one instant.
    pub hosts: Vec<HostSpec>,
    /// How long a TCP sender goes on retransmitting one segment before its connection times out
    /// (RFC 5482; [`WorldConfig::LINUX_USER_TIMEOUT`]).
    pub user_timeout: Duration,
    /// The virtual time after which the world ends, finished or not.
    pub deadline: Duration,
    /// How many packets and timers the world may handle before it ends, finished or not.
    pub event_budget: u64,
}

impl WorldConfig {
    /// 120 s: what a Linux client takes to give up a connection attempt, rounded (`tcp_syn_retries` 6).
    pub const LINUX_USER_TIMEOUT: Duration = Duration::from_secs(120);

    /// Finds what makes this configuration impossible.
    pub(crate) fn validate(&self) -> Result<(), InvalidConfig> {
        let mut owners = BTreeMap::new();
        let mut names = BTreeMap::new();
        for host in &self.hosts {
            if names.insert(&host.name, ()).is_some() {
                return Err(InvalidConfig::DuplicateName { host: host.name.clone() });
            }
            if host.addresses.is_empty() {
                return Err(InvalidConfig::NoAddress { host: host.name.clone() });
            }
            if host.processing.min > host.processing.max {
                return Err(InvalidConfig::ProcessingRange { host: host.name.clone() });
            }
            for &address in &host.addresses {
                if !is_host_address(address) {
                    return Err(InvalidConfig::NotAHostAddress { host: host.name.clone(), address });
                }
                if let Some(first) = owners.insert(address, &host.name) {
                    let (first, second) = (first.clone(), host.name.clone());
                    return Err(InvalidConfig::DuplicateAddress { address, first, second });
                }
            }
        }
        Ok(())
    }
}

fn is_host_address(address: IpAddr) -> bool {
    !(address.is_loopback() || address.is_unspecified() || address.is_multicast())
}

/// One host and its access link.
#[derive(Clone, Debug, PartialEq)]
pub struct HostSpec {
    /// Its name, unique in its world. The network's randomness is keyed by it.
    pub name: Name,
    /// Its addresses, IPv4 or IPv6, at least one; no other host may have them. Every host has
    /// loopback besides. A socket bound to a wildcard address sends from the first one that fits.
    pub addresses: Vec<IpAddr>,
    /// Its link to the core of the network.
    pub access: Access,
    /// How long it takes over each message.
    pub processing: ProcessingDelay,
}

/// How long a host takes over each message that reaches it, before its program sees it.
///
/// Computing costs no virtual time by itself. Without this delay two peers' timers stand in lockstep,
/// and a set-up over real `webrtc` reads 7 to 16 ms shorter than it is in real time.
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

    /// A laptop: 0.5 to 1 ms. Chosen so that the messages which a set-up waits for, ten or so, take back
    /// most of the 7 to 16 ms that the same set-up is slower in real time. Since times are rounded up
    /// where a message arrives, a lone one takes a whole millisecond.
    pub const LAPTOP: Self = Self { min: Duration::from_micros(500), max: Duration::from_millis(1) };

    /// A phone: 1 to 3 ms. Chosen as two to three times a laptop.
    pub const PHONE: Self = Self { min: Duration::from_millis(1), max: Duration::from_millis(3) };
}

/// Why a world cannot be built from its configuration.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidConfig {
    /// Two hosts have one name.
    #[error("two hosts are called {host}")]
    DuplicateName {
        /// The name.
        host: Name,
    },
    /// A host has no address.
    #[error("host {host} has no address")]
    NoAddress {
        /// The host.
        host: Name,
    },
    /// Loopback, wildcard and multicast addresses cannot belong to one host.
    #[error("host {host} cannot have the address {address}: it is a loopback, wildcard or multicast address")]
    NotAHostAddress {
        /// The host.
        host: Name,
        /// The address.
        address: IpAddr,
    },
    /// Two hosts have one address.
    #[error("hosts {first} and {second} both have the address {address}")]
    DuplicateAddress {
        /// The address.
        address: IpAddr,
        /// The host that was named first.
        first: Name,
        /// The other one.
        second: Name,
    },
    /// The least processing delay is above the most.
    #[error("host {host} has a processing delay whose least is above its most")]
    ProcessingRange {
        /// The host.
        host: Name,
    },
}
