//! Endpoints without numbers: each is known by how it came about, and two are the same if they came about in
//! the same way.

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Party {
    Caller,
    Callee,
}

impl Party {
    pub(crate) const BOTH: [Self; 2] = [Self::Caller, Self::Callee];

    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Caller => Self::Callee,
            Self::Callee => Self::Caller,
        }
    }
}

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Family {
    V4,
    V6,
}

impl Family {
    pub(crate) const BOTH: [Self; 2] = [Self::V4, Self::V6];
}

/// A gateway of a situation; see [`crate::terrain::Terrain`].
pub(crate) type GatewayIndex = usize;

/// Which of the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Machine {
    First,
    Second,
}

/// An IP address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Address {
    Host(Party, Family),
    /// The outside of a NAT.
    Outside(GatewayIndex),
    Server(Machine, Family),
}

/// An IP address and a UDP port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Endpoint {
    /// A peer's one socket of a family.
    Host(Party, Family),
    /// What a NAT made of an endpoint behind it.
    Mapped(Box<Mapping>),
    /// The port that a server listens on.
    Server(Machine, Family),
    /// What a TURN server allocated for a peer.
    Relayed(Party, Machine),
}

/// A NAT's mapping (RFC 4787 §4.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mapping {
    pub(crate) gateway: GatewayIndex,
    pub(crate) inside: Endpoint,
    pub(crate) remote: MappedFor,
}

/// For which remotes a mapping is used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum MappedFor {
    All,
    Address(Address),
    Endpoint(Endpoint),
}

impl Endpoint {
    pub(crate) fn address(&self) -> Address {
        match self {
            Self::Host(party, family) => Address::Host(*party, *family),
            Self::Mapped(mapping) => Address::Outside(mapping.gateway),
            Self::Server(machine, family) => Address::Server(*machine, *family),
            Self::Relayed(_, machine) => Address::Server(*machine, Family::V4),
        }
    }
}

impl Address {
    /// NATs translate IPv4 only.
    pub(crate) const fn family(self) -> Family {
        match self {
            Self::Host(_, family) | Self::Server(_, family) => family,
            Self::Outside(_) => Family::V4,
        }
    }
}

/// Where an agent sends from and receives at (RFC 8445 §4, "base").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Base {
    /// Its own socket.
    Host(Party, Family),
    /// Its TURN allocation.
    Relay(Party, Machine),
}

impl Base {
    pub(crate) const fn party(self) -> Party {
        match self {
            Self::Host(party, _) | Self::Relay(party, _) => party,
        }
    }

    pub(crate) const fn family(self) -> Family {
        match self {
            Self::Host(_, family) => family,
            Self::Relay(..) => Family::V4,
        }
    }

    pub(crate) const fn endpoint(self) -> Endpoint {
        match self {
            Self::Host(party, family) => Endpoint::Host(party, family),
            Self::Relay(party, machine) => Endpoint::Relayed(party, machine),
        }
    }
}
