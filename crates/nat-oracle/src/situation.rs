//! Who is where, as a user writes it down.

use thiserror::Error;

/// Two peers, what stands between them, and which servers they may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Situation {
    pub(crate) caller: Site,
    pub(crate) callee: Site,
    pub(crate) shared: usize,
    pub(crate) servers: Servers,
}

impl Situation {
    /// Two peers that share nothing but the public network.
    pub fn apart(caller: Site, callee: Site, servers: Servers) -> Self {
        Self { caller, callee, shared: 0, servers }
    }

    /// Two peers whose `shared` outermost gateways are the same boxes: one home router, one carrier-grade NAT.
    ///
    /// # Errors
    /// Where one of them has fewer gateways, or where those gateways are not alike.
    pub fn sharing(
        caller: Site,
        callee: Site,
        shared: usize,
        servers: Servers,
    ) -> Result<Self, InvalidSituation> {
        let fewest = caller.gateways.len().min(callee.gateways.len());
        if shared > fewest {
            return Err(InvalidSituation::TooFewGateways { shared, fewest });
        }
        let pairs = caller.gateways.iter().rev().zip(callee.gateways.iter().rev()).take(shared);
        match pairs.enumerate().find(|(_, (one, other))| one != other) {
            Some((from_outside, _)) => Err(InvalidSituation::Unlike { from_outside }),
            None => Ok(Self { caller, callee, shared, servers }),
        }
    }

    /// The same peers with other servers.
    pub fn with_servers(self, servers: Servers) -> Self {
        Self { servers, ..self }
    }

    /// The same with the roles changed: the callee calls.
    pub fn turned_round(self) -> Self {
        Self { caller: self.callee, callee: self.caller, ..self }
    }
}

/// Why there is no such situation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidSituation {
    /// They cannot share more gateways than they have.
    #[error("two sites cannot share {shared} gateways: one of them has {fewest}")]
    TooFewGateways {
        /// How many are said to be shared.
        shared: usize,
        /// How many the site with the fewest has.
        fewest: usize,
    },
    /// A shared gateway is one box, so it behaves in one way.
    #[error(
        "a shared gateway is one box, but the two sites describe gateway {from_outside} differently (counted \
         from the outside, beginning at 0)"
    )]
    Unlike {
        /// Which one, counted from the outside.
        from_outside: usize,
    },
}

/// Where one peer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// What stands between the peer and the public network, nearest first. None: it has a public address.
    pub gateways: Vec<Gateway>,
    /// Which addresses it has.
    pub families: Families,
}

impl Site {
    /// A host in the public network.
    pub const fn public() -> Self {
        Self { gateways: Vec::new(), families: Families::Ipv4 }
    }

    /// A host with an IPv4 address behind these gateways, nearest first.
    pub fn behind(gateways: impl IntoIterator<Item = Gateway>) -> Self {
        Self { gateways: gateways.into_iter().collect(), families: Families::Ipv4 }
    }

    /// The same place with other addresses.
    pub fn with_families(self, families: Families) -> Self {
        Self { families, ..self }
    }
}

/// Which address families somebody has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Families {
    /// IPv4 only.
    Ipv4,
    /// IPv6 only.
    Ipv6,
    /// Both.
    Both,
}

/// A NAT, a firewall, or both in one box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// How it translates IPv4; `None` where it does not. IPv6 is never translated.
    pub nat: Option<Nat>,
    /// What it lets through, IPv4 and IPv6; `None` for everything.
    pub firewall: Option<Firewall>,
}

impl Gateway {
    /// A NAT and nothing else.
    pub const fn nat(nat: Nat) -> Self {
        Self { nat: Some(nat), firewall: None }
    }

    /// A firewall and nothing else.
    pub const fn firewall(firewall: Firewall) -> Self {
        Self { nat: None, firewall: Some(firewall) }
    }
}

/// How a NAT behaves towards UDP (RFC 4787).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nat {
    /// When a socket behind it keeps its outside endpoint (§4.1).
    pub mapping: Dependence,
    /// Who is let in (§5).
    pub filtering: Dependence,
    /// Whether those behind it reach each other through their outside endpoints (§6).
    pub hairpinning: Hairpinning,
}

impl Nat {
    /// All nine, by mapping and then by filtering, all with hairpinning.
    pub fn all() -> impl Iterator<Item = Self> {
        Dependence::ALL.into_iter().flat_map(|mapping| {
            Dependence::ALL.into_iter().map(move |filtering| Self::new(mapping, filtering))
        })
    }

    /// A NAT that hairpins, as RFC 4787 REQ-9 wants it.
    pub const fn new(mapping: Dependence, filtering: Dependence) -> Self {
        Self { mapping, filtering, hairpinning: Hairpinning::On }
    }

    /// "Full cone" (RFC 3489 §5).
    pub const FULL_CONE: Self = Self::new(Dependence::EndpointIndependent, Dependence::EndpointIndependent);
    /// "Restricted cone".
    pub const RESTRICTED_CONE: Self =
        Self::new(Dependence::EndpointIndependent, Dependence::AddressDependent);
    /// "Port-restricted cone".
    pub const PORT_RESTRICTED_CONE: Self =
        Self::new(Dependence::EndpointIndependent, Dependence::AddressAndPortDependent);
    /// "Symmetric".
    pub const SYMMETRIC: Self =
        Self::new(Dependence::AddressAndPortDependent, Dependence::AddressAndPortDependent);

    /// The same without hairpinning.
    pub const fn without_hairpinning(self) -> Self {
        Self { hairpinning: Hairpinning::Off, ..self }
    }
}

/// On which parts of a remote endpoint a behaviour depends (RFC 4787 §4.1 and §5). The lesser is the looser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dependence {
    /// On none.
    EndpointIndependent,
    /// On the address.
    AddressDependent,
    /// On address and port.
    AddressAndPortDependent,
}

impl Dependence {
    /// All three, the loosest first.
    pub const ALL: [Self; 3] =
        [Self::EndpointIndependent, Self::AddressDependent, Self::AddressAndPortDependent];
}

/// Whether a NAT turns round what is for one of its own outside endpoints (RFC 4787 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hairpinning {
    /// It does (REQ-9).
    On,
    /// It drops it.
    Off,
}

/// What a firewall lets through. What comes from outside is let in only in answer: from an address and port to
/// which the inside endpoint sent something (RFC 6092 §3.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firewall {
    /// Everything out.
    Stateful,
    /// No UDP.
    UdpBlocked,
    /// TCP to ports 80 and 443, nothing else: for UDP the same as [`Firewall::UdpBlocked`].
    WebOnly,
    /// UDP to this port only, and its answers.
    UdpOnlyTo(u16),
}

/// Which servers the peers know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Servers {
    /// What they do.
    pub offer: Offer,
    /// Whether STUN and TURN are one address: a NAT that maps by address has then one mapping for both, and for
    /// all relayed endpoints.
    pub machines: Machines,
    /// Their UDP port.
    pub port: u16,
    /// Their addresses. Relayed addresses are IPv4 whatever they are asked over (RFC 8656 §7.2, where no
    /// REQUESTED-ADDRESS-FAMILY is asked for).
    pub families: Families,
}

impl Servers {
    /// The default port of STUN and TURN (RFC 7064, RFC 7065).
    pub const PORT: u16 = 3478;
    /// None.
    pub const NONE: Self =
        Self { offer: Offer::Nothing, machines: Machines::One, port: Self::PORT, families: Families::Ipv4 };
    /// STUN on the default port.
    pub const STUN: Self = Self { offer: Offer::Stun, ..Self::NONE };
    /// STUN and TURN over UDP, on one machine and the default port.
    pub const STUN_AND_TURN: Self = Self { offer: Offer::StunAndTurn, ..Self::NONE };
}

/// What servers do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Offer {
    /// There are none.
    Nothing,
    /// STUN: server-reflexive candidates.
    Stun,
    /// STUN, and TURN over UDP: relayed candidates besides.
    StunAndTurn,
}

/// Whether STUN and TURN share an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machines {
    /// They do.
    One,
    /// They do not.
    Two,
}
