//! What stands between a site and the rest of the network: NATs and firewalls.
//!
//! A [`Gateway`] has hosts, or further gateways, behind it. Those share a network of their own: they reach
//! each other directly, and the same private addresses may be in use elsewhere. What they send to others
//! passes the gateway's firewall and then its NAT; what comes back passes them the other way round.
//!
//! The engines here have no input, no output, no clock: callers say what time it is and move the packets.
//!
//! Deliberately absent: ICMP, IP fragments, application-level gateways, NAT for IPv6, port forwarding (UPnP,
//! PCP), a link of the gateway's own (a host's access link stands for the whole way to the core).

mod config;
mod firewall;
mod nat;
mod ports;
mod presets;
mod tracking;

use timeline::{TcpFlags, VirtualTime};

use crate::Transport;

pub use config::{
    Action, Dependence, Firewall, Gateway, Hairpinning, NatConfig, Outward, PortAllocation, PortRange,
    Refresh, Rule, Timeouts,
};
pub(crate) use firewall::Pinholes;
pub(crate) use nat::Nat;

/// What a gateway looks at in a packet, besides its addresses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Glance {
    pub(crate) at: VirtualTime,
    pub(crate) transport: Transport,
    /// None of them for UDP.
    pub(crate) flags: TcpFlags,
}
