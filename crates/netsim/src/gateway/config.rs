//! Gateways as a user writes them down.

use std::{net::IpAddr, time::Duration};

use timeline::Name;

use crate::Transport;

/// A NAT, a firewall or both, and who is behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Gateway {
    /// Its name, unique among hosts and gateways. Its randomness is keyed by it.
    pub name: Name,
    /// The hosts and gateways whose way to the core leads through it, by name. A gateway behind a gateway
    /// makes a carrier-grade NAT (RFC 6888).
    pub inside: Vec<Name>,
    /// How it translates IPv4; `None` where it does not. IPv6 is never translated.
    pub nat: Option<NatConfig>,
    /// What it lets through, IPv4 and IPv6; `None` for everything (but for what the NAT keeps out).
    pub firewall: Option<Firewall>,
}

timeline::words! {
    /// On which parts of a remote endpoint a behaviour depends (RFC 4787 §4.1 for mapping, §5 for filtering).
    pub enum Dependence {
        /// On none. As mapping: one for all remotes. As filtering: packets from every remote are let in.
        EndpointIndependent = "endpoint-independent",
        /// On the address. As mapping: one for each remote address. As filtering: remotes get in to whose address
        /// something was sent, whatever the port.
        AddressDependent = "address-dependent",
        /// On address and port. As mapping: one for each remote endpoint ("symmetric"). As filtering: remotes
        /// get in to which something was sent.
        AddressAndPortDependent = "address-and-port-dependent",
    }
}

/// How a NAT behaves (RFC 4787 for UDP, RFC 5382 for TCP, RFC 7857).
#[derive(Clone, Debug, PartialEq)]
pub struct NatConfig {
    /// Its addresses on the outside, IPv4, at least one. Where it has several, each inside address is paired
    /// with one, in turn (RFC 4787 REQ-2).
    pub public: Vec<IpAddr>,
    /// When an inside endpoint keeps its outside endpoint.
    pub mapping: Dependence,
    /// Who is let in. What was sent through a mapping lets its destination in for as long as the mapping
    /// lives: RFC 4787 has no timer for that alone.
    pub filtering: Dependence,
    /// How outside ports are chosen.
    pub ports: PortAllocation,
    /// Which outside ports there are, for each public address and for UDP and TCP apart.
    pub port_range: PortRange,
    /// Whether inside endpoints reach each other through their mappings.
    pub hairpinning: Hairpinning,
    /// What keeps a UDP mapping alive.
    pub refresh: Refresh,
    /// How long mappings live.
    pub timeouts: Timeouts,
}

timeline::words! {
    /// How a NAT chooses an outside port (RFC 4787 §4.2). It never gives one port to two mappings.
    pub enum PortAllocation {
        /// The inside port, if it is free and in the range; otherwise the next free one above it.
        Preserving = "preserved",
        /// The next free one after the last one given away.
        Sequential = "sequential",
        /// A free one at random: drawn, and where that is taken, the next free one above it.
        Random = "random",
    }
}

/// A range of ports, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    /// The least.
    pub first: u16,
    /// The greatest.
    pub last: u16,
}

/// Whether a NAT sends what is for one of its own mappings back in (RFC 4787 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hairpinning {
    /// It does, with the sender's outside endpoint as source (RFC 4787 REQ-9a).
    On,
    /// It drops it.
    Off,
}

timeline::words! {
    /// What keeps a UDP mapping alive (RFC 4787 §4.3). TCP mappings are kept alive from both sides.
    pub enum Refresh {
        /// What is sent from inside (REQ-6).
        Outbound = "outbound",
        /// That, and what is let in (REQ-6a).
        Both = "both",
    }
}

/// After how much silence a gateway forgets. A packet after exactly this time is still in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// UDP. RFC 4787 REQ-5 wants at least 2 minutes; 30 s and less are found.
    pub udp: Duration,
    /// A TCP connection that both sides have opened and not closed (RFC 5382 REQ-5).
    pub tcp_established: Duration,
    /// A TCP connection half open, closing or reset (RFC 5382 REQ-5).
    pub tcp_transitory: Duration,
}

/// What a gateway lets through.
///
/// What is sent from inside is judged by rules. What comes from outside is let in only where it belongs to
/// something that was let out: always stateful, as RFC 6092 wants it for IPv6. What is dropped is dropped in
/// silence.
#[derive(Clone, Debug, PartialEq)]
pub struct Firewall {
    /// The first rule that fits decides about what is sent from inside.
    pub rules: Vec<Rule>,
    /// What happens where none fits.
    pub otherwise: Action,
    /// Who is let in to an inside endpoint that has sent something, by [`NatConfig::filtering`]'s meaning
    /// (RFC 6092 REC-16 to REC-18).
    pub filtering: Dependence,
    /// How long it remembers what was sent; both directions refresh it.
    pub timeouts: Timeouts,
}

/// A rule for packets from inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Which packets it fits.
    pub fits: Outward,
    /// What happens to them.
    pub action: Action,
}

/// A set of packets from inside: those that fit all that is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outward {
    /// UDP or TCP; `None` for both.
    pub transport: Option<Transport>,
    /// The destination; `None` for any.
    pub to: Option<IpAddr>,
    /// The destination port.
    pub ports: PortRange,
}

/// What a firewall does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It lets through.
    Allow,
    /// It drops in silence.
    Drop,
}
