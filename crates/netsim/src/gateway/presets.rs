//! Gateways as they are found.

use std::{net::IpAddr, time::Duration};

use timeline::Name;

use super::config::{
    Action, Dependence, Firewall, Gateway, Hairpinning, NatConfig, Outward, PortAllocation, PortRange,
    Refresh, Rule, Timeouts,
};
use crate::Transport;

impl Gateway {
    /// A NAT with nothing else: IPv6 passes unhindered.
    pub fn with_nat(name: impl Into<Name>, inside: Vec<Name>, nat: NatConfig) -> Self {
        Self { name: name.into(), inside, nat: Some(nat), firewall: None }
    }

    /// A firewall that translates nothing: hosts behind it have public addresses.
    pub fn with_firewall(name: impl Into<Name>, inside: Vec<Name>, firewall: Firewall) -> Self {
        Self { name: name.into(), inside, nat: None, firewall: Some(firewall) }
    }
}

impl NatConfig {
    /// A NAT with the given behaviours and otherwise what RFC 4787 and RFC 5382 ask for: preserved ports,
    /// hairpinning, outbound refresh, [`Timeouts::RFC`].
    pub fn new(public: IpAddr, mapping: Dependence, filtering: Dependence) -> Self {
        Self {
            public: vec![public],
            mapping,
            filtering,
            ports: PortAllocation::Preserving,
            port_range: PortRange::UNPRIVILEGED,
            hairpinning: Hairpinning::On,
            refresh: Refresh::Outbound,
            timeouts: Timeouts::RFC,
        }
    }

    /// "Full cone" (RFC 3489 §5): nothing depends on the remote.
    pub fn full_cone(public: IpAddr) -> Self {
        Self::new(public, Dependence::EndpointIndependent, Dependence::EndpointIndependent)
    }

    /// "Restricted cone": one mapping for all, and who is let in depends on the address.
    pub fn restricted_cone(public: IpAddr) -> Self {
        Self::new(public, Dependence::EndpointIndependent, Dependence::AddressDependent)
    }

    /// "Port-restricted cone", the usual home router: who is let in depends on address and port.
    pub fn port_restricted_cone(public: IpAddr) -> Self {
        Self::new(public, Dependence::EndpointIndependent, Dependence::AddressAndPortDependent)
    }

    /// "Symmetric": a mapping for each remote endpoint, with a random port.
    pub fn symmetric(public: IpAddr) -> Self {
        let depends = Dependence::AddressAndPortDependent;
        Self { ports: PortAllocation::Random, ..Self::new(public, depends, depends) }
    }
}

impl PortRange {
    /// 1 to 65535.
    pub const ALL: Self = Self { first: 1, last: u16::MAX };
    /// 1024 to 65535: what RFC 4787 REQ-3a leaves to inside ports of that range.
    pub(crate) const UNPRIVILEGED: Self = Self { first: 1024, last: u16::MAX };

    /// One port.
    pub const fn only(port: u16) -> Self {
        Self { first: port, last: port }
    }

    /// Whether `port` is one of them.
    pub const fn contains(self, port: u16) -> bool {
        self.first <= port && port <= self.last
    }
}

impl Timeouts {
    /// The least that RFC 4787 REQ-5 (2 minutes) and RFC 5382 REQ-5 (2 hours 4 minutes; 4 minutes) allow.
    pub const RFC: Self = Self {
        udp: Duration::from_secs(120),
        tcp_established: Duration::from_secs(2 * 3600 + 4 * 60),
        tcp_transitory: Duration::from_secs(240),
    };
}

impl Firewall {
    /// Stateful, everything may go out: a home router's IPv6 firewall (RFC 6092 "simple security", with the
    /// stricter filtering that it allows).
    pub fn stateful() -> Self {
        Self {
            rules: Vec::new(),
            otherwise: Action::Allow,
            filtering: Dependence::AddressAndPortDependent,
            timeouts: Timeouts::RFC,
        }
    }

    /// No UDP at all.
    pub fn udp_blocked() -> Self {
        Self { rules: vec![Rule::drop(Outward::UDP)], ..Self::stateful() }
    }

    /// TCP to ports 80 and 443, and nothing else: hotels, offices.
    pub fn web_only() -> Self {
        let web = [80, 443].map(|port| Rule::allow(Outward::TCP.to_ports(PortRange::only(port))));
        Self { rules: web.to_vec(), otherwise: Action::Drop, ..Self::stateful() }
    }

    /// UDP to one port only, whose answers come back; TCP to any.
    pub fn udp_only_to(port: u16) -> Self {
        let rules = vec![Rule::allow(Outward::UDP.to_ports(PortRange::only(port))), Rule::drop(Outward::UDP)];
        Self { rules, ..Self::stateful() }
    }
}

impl Rule {
    /// Lets these packets out.
    pub(crate) const fn allow(fits: Outward) -> Self {
        Self { fits, action: Action::Allow }
    }

    /// Drops these packets.
    pub(crate) const fn drop(fits: Outward) -> Self {
        Self { fits, action: Action::Drop }
    }
}

impl Outward {
    /// Everything.
    pub const ANY: Self = Self { transport: None, to: None, ports: PortRange { first: 0, last: u16::MAX } };
    /// All UDP.
    pub const UDP: Self = Self { transport: Some(Transport::Udp), ..Self::ANY };
    /// All TCP.
    pub const TCP: Self = Self { transport: Some(Transport::Tcp), ..Self::ANY };

    /// Those of them that go to these ports.
    pub(crate) const fn to_ports(self, ports: PortRange) -> Self {
        Self { ports, ..self }
    }

    /// Those of them that go to this address.
    #[cfg(test)]
    pub(crate) const fn to_address(self, to: IpAddr) -> Self {
        Self { to: Some(to), ..self }
    }
}
