use std::net::IpAddr;

use thiserror::Error;
use timeline::Name;

/// Why a configuration describes no possible world.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
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
