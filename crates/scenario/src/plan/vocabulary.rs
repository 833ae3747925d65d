//! The words of scenario files for what the world and its servers have types of their own for.

use nat_oracle::Path;

use super::network::{
    Connections, CredentialPolicy, Dependence, Liveness, PortAllocation, PortSupply, Refresh,
};
use crate::words::words;

words! {
    /// NATs as they are called since RFC 3489 §5.
    pub enum NatKind {
        /// Nothing depends on the remote.
        FullCone = "full-cone",
        /// One mapping for all; who is let in depends on the address.
        RestrictedCone = "restricted-cone",
        /// One mapping for all; who is let in depends on address and port. The usual home router.
        PortRestrictedCone = "port-restricted-cone",
        /// A mapping for each remote endpoint, with a random port.
        Symmetric = "symmetric",
    }
}

words! {
    /// Firewalls as they are found.
    pub enum FirewallKind {
        /// Everything may go out, and only answers come in: a home router's IPv6 firewall (RFC 6092).
        Stateful = "stateful",
        /// No UDP at all.
        UdpBlocked = "udp-blocked",
        /// TCP to ports 80 and 443, and nothing else.
        WebOnly = "web-only",
    }
}

words! {
    /// On which parts of a remote endpoint a NAT's behaviour depends (RFC 4787 §4.1, §5).
    pub enum DependenceWord {
        /// On none.
        EndpointIndependent = "endpoint-independent",
        /// On the address.
        AddressDependent = "address-dependent",
        /// On address and port.
        AddressAndPortDependent = "address-and-port-dependent",
    }
}

words! {
    /// How a NAT chooses an outside port (RFC 4787 §4.2).
    pub enum PortsWord {
        /// The inside port, if it is free.
        Preserved = "preserved",
        /// The next one after the last.
        Sequential = "sequential",
        /// A random one.
        Random = "random",
    }
}

words! {
    /// Over which candidates a call goes, see [`crate::nat_grid::simulated_path`].
    pub enum PathWord {
        /// Both know each other's own address.
        Host = "host",
        /// At least one is known by what a STUN server saw.
        ServerReflexive = "srflx",
        /// At least one is known only by its checks.
        PeerReflexive = "prflx",
        /// At least one is known by a relayed address.
        Relay = "relay",
        /// Over none: it is not connected.
        None = "none",
    }
}

impl From<Path> for PathWord {
    fn from(path: Path) -> Self {
        match path {
            Path::Host => Self::Host,
            Path::ServerReflexive => Self::ServerReflexive,
            Path::PeerReflexive => Self::PeerReflexive,
            Path::Relay => Self::Relay,
            Path::None => Self::None,
        }
    }
}

words! {
    /// What keeps a UDP mapping alive (RFC 4787 §4.3).
    pub enum RefreshWord {
        /// What is sent from inside.
        Outbound = "outbound",
        /// That, and what is let in.
        Both = "both",
    }
}

impl From<DependenceWord> for Dependence {
    fn from(word: DependenceWord) -> Self {
        match word {
            DependenceWord::EndpointIndependent => Self::EndpointIndependent,
            DependenceWord::AddressDependent => Self::AddressDependent,
            DependenceWord::AddressAndPortDependent => Self::AddressAndPortDependent,
        }
    }
}

impl From<PortsWord> for PortAllocation {
    fn from(word: PortsWord) -> Self {
        match word {
            PortsWord::Preserved => Self::Preserving,
            PortsWord::Sequential => Self::Sequential,
            PortsWord::Random => Self::Random,
        }
    }
}

impl From<RefreshWord> for Refresh {
    fn from(word: RefreshWord) -> Self {
        match word {
            RefreshWord::Outbound => Self::Outbound,
            RefreshWord::Both => Self::Both,
        }
    }
}

words! {
    /// Whether a server reacts at all.
    pub enum LivenessWord {
        /// It does.
        Alive = "alive",
        /// It answers nothing and relays nothing.
        Dead = "dead",
    }
}

words! {
    /// Whether a server accepts right credentials.
    pub enum CredentialsWord {
        /// They are checked.
        Checked = "checked",
        /// Whatever they are, the answer is 401.
        Rejected = "rejected",
    }
}

words! {
    /// Whether a server has ports to relay from.
    pub enum PortSupplyWord {
        /// As long as the range lasts.
        Available = "available",
        /// None: every Allocate is answered 508.
        Exhausted = "exhausted",
    }
}

words! {
    /// What becomes of TCP connections whose address goes.
    pub enum TcpWord {
        /// They are reset on this host. What Android does.
        Reset = "reset",
        /// They stall until they time out. What Linux does.
        Stall = "stall",
    }
}

impl From<LivenessWord> for Liveness {
    fn from(word: LivenessWord) -> Self {
        match word {
            LivenessWord::Alive => Self::Alive,
            LivenessWord::Dead => Self::Dead,
        }
    }
}

impl From<CredentialsWord> for CredentialPolicy {
    fn from(word: CredentialsWord) -> Self {
        match word {
            CredentialsWord::Checked => Self::Checked,
            CredentialsWord::Rejected => Self::Rejected,
        }
    }
}

impl From<PortSupplyWord> for PortSupply {
    fn from(word: PortSupplyWord) -> Self {
        match word {
            PortSupplyWord::Available => Self::Available,
            PortSupplyWord::Exhausted => Self::Exhausted,
        }
    }
}

impl From<TcpWord> for Connections {
    fn from(word: TcpWord) -> Self {
        match word {
            TcpWord::Reset => Self::Reset,
            TcpWord::Stall => Self::Stall,
        }
    }
}
