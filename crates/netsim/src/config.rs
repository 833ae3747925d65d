//! What a world is made of, as a user writes it down.

use std::{collections::BTreeSet, net::IpAddr, time::Duration};

use determinism::Escapes;
use thiserror::Error;
use timeline::Name;

use crate::{Access, Gateway, Pace};

/// All that a world depends on, next to the code that runs in it.
///
/// There is no default: every value belongs to the recipe of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct WorldConfig {
    /// Where the network's randomness comes from.
    pub seed: u64,
    /// How its time passes; [`Pace::Virtual`], unless virtual time is to be compared with real time.
    pub pace: Pace,
    /// The hosts. Their order decides nothing but the order in which their TCP stacks are served at
    /// one instant.
    pub hosts: Vec<HostSpec>,
    /// NATs and firewalls; a host that none of them names hangs on the core of the network.
    pub gateways: Vec<Gateway>,
    /// How long a TCP sender goes on retransmitting one segment before its connection times out
    /// (RFC 5482; [`WorldConfig::LINUX_USER_TIMEOUT`]).
    pub user_timeout: Duration,
    /// The virtual time after which the world ends, finished or not.
    pub deadline: Duration,
    /// How many packets and timers the world may handle before it ends, finished or not.
    pub event_budget: u64,
    /// What happens to calls that go past the world to the machine: a real socket, a thread, the system's resolver.
    pub escapes: Escapes,
}

impl WorldConfig {
    /// 120 s: what a Linux client takes to give up a connection attempt, rounded (`tcp_syn_retries` 6).
    pub const LINUX_USER_TIMEOUT: Duration = Duration::from_secs(120);

    /// Checks names, hosts and gateways, each by itself.
    pub(crate) fn check(&self) -> Result<(), InvalidConfig> {
        self.check_names()?;
        self.gateways.iter().try_for_each(check_gateway)?;
        self.hosts.iter().try_for_each(check_host)
    }

    fn check_names(&self) -> Result<(), InvalidConfig> {
        let mut names = BTreeSet::new();
        let hosts = self.hosts.iter().map(|host| &host.name);
        match hosts.chain(self.gateways.iter().map(|gateway| &gateway.name)).find(|name| !names.insert(*name))
        {
            None => Ok(()),
            Some(name) => Err(InvalidConfig::DuplicateName { host: name.clone() }),
        }
    }
}

fn check_host(host: &HostSpec) -> Result<(), InvalidConfig> {
    let name = || host.name.clone();
    if host.addresses.is_empty() {
        return Err(InvalidConfig::NoAddress { host: name() });
    }
    if host.processing.min > host.processing.max {
        return Err(InvalidConfig::ProcessingRange { host: name() });
    }
    match host.addresses.iter().find(|address| !is_host_address(**address)) {
        None => Ok(()),
        Some(&address) => Err(InvalidConfig::NotAHostAddress { host: name(), address }),
    }
}

fn check_gateway(gateway: &Gateway) -> Result<(), InvalidConfig> {
    let Some(nat) = &gateway.nat else { return Ok(()) };
    let name = || gateway.name.clone();
    if nat.public.is_empty() {
        return Err(InvalidConfig::NoAddress { host: name() });
    }
    if nat.port_range.first == 0 || nat.port_range.first > nat.port_range.last {
        return Err(InvalidConfig::PortRange { gateway: name() });
    }
    match nat.public.iter().find(|address| !address.is_ipv4() || !is_host_address(**address)) {
        None => Ok(()),
        Some(&address) => Err(InvalidConfig::NotAPublicAddress { gateway: name(), address }),
    }
}

/// Whether one host can have this address.
pub(crate) fn is_host_address(address: IpAddr) -> bool {
    !(address.is_loopback() || address.is_unspecified() || address.is_multicast() || is_reserved(address))
}

/// Whether an address belongs to nobody: 240.0.0.0/4, "reserved for future use" (RFC 1112 §4), and 100::/64, the
/// discard prefix (RFC 6666).
fn is_reserved(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.octets()[0] >= 240,
        IpAddr::V6(v6) => v6.segments()[..4] == [0x100, 0, 0, 0],
    }
}

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

/// Why a world cannot be built from its configuration.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidConfig {
    /// Two hosts or gateways have one name.
    #[error("two hosts or gateways are called {host}")]
    DuplicateName {
        /// The name.
        host: Name,
    },
    /// A host, or a NAT, has no address.
    #[error("{host} has no address")]
    NoAddress {
        /// The host or gateway.
        host: Name,
    },
    /// Loopback, wildcard, multicast and reserved addresses (240.0.0.0/4, 100::/64) cannot belong to one host.
    #[error(
        "host {host} cannot have the address {address}: it is a loopback, wildcard, multicast or reserved one"
    )]
    NotAHostAddress {
        /// The host.
        host: Name,
        /// The address.
        address: IpAddr,
    },
    /// Two hosts or gateways have one address in one network.
    #[error("{first} and {second} both have the address {address}")]
    DuplicateAddress {
        /// The address.
        address: IpAddr,
        /// The host that was named first.
        first: Name,
        /// The other one.
        second: Name,
    },
    /// A NAT's public addresses are IPv4 addresses that a host could have.
    #[error("gateway {gateway} cannot translate to {address}: not an IPv4 address of a host")]
    NotAPublicAddress {
        /// The gateway.
        gateway: Name,
        /// The address.
        address: IpAddr,
    },
    /// A NAT's ports begin at 1 and do not end before they begin.
    #[error("gateway {gateway} has no ports: its range is empty or begins at 0")]
    PortRange {
        /// The gateway.
        gateway: Name,
    },
    /// A gateway names somebody who does not exist.
    #[error("gateway {gateway} has {name} inside, but no host and no gateway is called that")]
    NobodyInside {
        /// The gateway.
        gateway: Name,
        /// The name that nobody has.
        name: Name,
    },
    /// Somebody is inside two gateways.
    #[error("{name} is inside two gateways")]
    BehindTwoGateways {
        /// The host or gateway.
        name: Name,
    },
    /// Gateways stand in a circle.
    #[error("gateway {gateway} is behind itself")]
    GatewayBehindItself {
        /// One of them.
        gateway: Name,
    },
    /// The least processing delay is above the most.
    #[error("host {host} has a processing delay whose least is above its most")]
    ProcessingRange {
        /// The host.
        host: Name,
    },
}
