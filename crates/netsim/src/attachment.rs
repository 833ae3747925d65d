//! How a host hangs on the network, and how it moves elsewhere.

use std::{net::IpAddr, time::Duration};

use thiserror::Error;
use timeline::Name;

use crate::{Access, UnknownHost};

/// One interface of a host: its addresses, its link, and the gateway that it is behind.
#[derive(Clone, Debug, PartialEq)]
pub struct Attachment {
    /// The addresses that the host has there, at least one.
    pub addresses: Vec<IpAddr>,
    /// The link.
    pub access: Access,
    /// The [`Gateway`](crate::Gateway) whose inside this is; `None` for the core of the network.
    pub gateway: Option<Name>,
}

/// A host's move to another attachment.
///
/// UDP sockets that are bound to the wildcard address move on: they send from the new attachment, and receive
/// on every one that the host has. A socket bound to an address that is gone keeps its binding; its sends fail
/// with `EINVAL`, as Linux' IPv4 routing answers a source address that no interface has, until the host has
/// that address again. Where the host has no address of the family, wildcard sockets fail with
/// `NetworkUnreachable`.
#[derive(Clone, Debug, PartialEq)]
pub struct Handover {
    /// Where the host moves to. While a host has several attachments, the newest one carries what does not
    /// name its source.
    pub to: Attachment,
    /// In which order it leaves and arrives.
    pub transition: Transition,
    /// What becomes of TCP connections whose address goes.
    pub connections: Connections,
}

/// In which order a host leaves its attachments and gets the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// Break before make: it leaves at once, and the new one is there after this time, which may be zero.
    Gap(Duration),
    /// Make before break: the new one is there at once, and it leaves the others after this time.
    Overlap(Duration),
}

timeline::words! {
    /// What becomes of TCP connections whose local address goes.
    pub enum Connections {
        /// They are reset on this host as soon as the address goes; the peer learns nothing. What Android does
        /// (`SOCK_DESTROY`).
        Reset = "reset",
        /// They stall: nothing more gets through, until the address comes back or the user timeout ends them
        /// (RFC 5482). What Linux does.
        Stall = "stall",
    }
}

/// Whether a host has electricity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// It runs. Nobody remembers what was before.
    On,
    /// Nothing leaves it, nothing reaches it, and its sockets are dead.
    Off,
}

/// Why a host cannot move.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HandoverError {
    /// No host has this name.
    #[error(transparent)]
    UnknownHost(#[from] UnknownHost),
    /// No gateway has this name.
    #[error("no gateway is called {gateway}")]
    UnknownGateway {
        /// The name.
        gateway: Name,
    },
    /// It would have no address.
    #[error("host {host} would have no address")]
    NoAddress {
        /// The host.
        host: Name,
    },
    /// It cannot have this address: a loopback, wildcard, multicast or reserved one.
    #[error(
        "host {host} cannot have the address {address}: it is a loopback, wildcard, multicast or reserved one"
    )]
    NotAHostAddress {
        /// The host.
        host: Name,
        /// The address.
        address: IpAddr,
    },
    /// Somebody else has this address there, or this host itself on an attachment that it is yet to leave.
    #[error("{address} is taken by {by}")]
    AddressTaken {
        /// The address.
        address: IpAddr,
        /// Who has it: a host or a gateway.
        by: Name,
    },
}
