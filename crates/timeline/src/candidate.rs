//! ICE candidates as a timeline keeps them: without foundation, priority and credentials, which vary between runs.

use std::{fmt, net::SocketAddr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{Name, words};

words! {
    /// The types of ICE candidates (RFC 8445 §4).
    pub enum CandidateType {
        /// An address of the host itself.
        Host = "host",
        /// What a STUN server saw.
        ServerReflexive = "srflx",
        /// What the other peer saw.
        PeerReflexive = "prflx",
        /// An address of a TURN server.
        Relayed = "relay",
    }
}

words! {
    /// The transport protocols of ICE candidates (RFC 8839 §5.1, RFC 6544 §4.5).
    pub enum IceProtocol {
        /// UDP.
        Udp = "udp",
        /// TCP.
        Tcp = "tcp",
    }
}

/// An ICE candidate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CandidateRef {
    /// How it was found.
    #[serde(rename = "type")]
    pub kind: CandidateType,
    /// Over what it is reached.
    pub protocol: IceProtocol,
    /// Where.
    pub address: CandidateAddress,
}

/// Where a candidate is reached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CandidateAddress {
    /// At this address and port.
    Ip(SocketAddr),
    /// At a name that stands in for a private address (draft-ietf-mmusic-mdns-ice-candidates), and this port.
    Name(String, u16),
}

/// What trickle ICE signals (RFC 8838): a candidate, or that there are no more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trickle {
    /// A candidate.
    Candidate(CandidateRef),
    /// There are no more (RFC 8838 §13).
    EndOfCandidates,
    /// A line that does not follow the grammar (RFC 8839 §5.1).
    Unreadable,
}

/// The message that brought something: its sender's number for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MessageRef {
    /// Who sent it.
    pub from: Name,
    /// The sender's number for it.
    pub id: u64,
}

impl CandidateAddress {
    /// At `host`, an address or a name, and this port.
    pub fn new(host: &str, port: u16) -> Self {
        match host.parse() {
            Ok(ip) => Self::Ip(SocketAddr::new(ip, port)),
            Err(_) => Self::Name(host.to_owned(), port),
        }
    }

    /// From `10.0.0.1:50000`, `[2001:db8::1]:50000`, `0f1e.local:50000`.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse() {
            return Some(Self::Ip(address));
        }
        let (name, port) = text.rsplit_once(':')?;
        Some(Self::Name(name.to_owned(), port.parse().ok()?))
    }
}

/// `10.0.0.1:50000`, `[2001:db8::1]:50000`, `0f1e.local:50000`.
impl fmt::Display for CandidateAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Name(name, port) => write!(f, "{name}:{port}"),
        }
    }
}

/// `host udp 10.0.0.1:50000`.
impl fmt::Display for CandidateRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.kind, self.protocol, self.address)
    }
}

/// `host udp 10.0.0.1:50000`, `end of candidates`, `unreadable`.
impl fmt::Display for Trickle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Candidate(candidate) => candidate.fmt(f),
            Self::EndOfCandidates => f.write_str("end of candidates"),
            Self::Unreadable => f.write_str("unreadable"),
        }
    }
}

impl Serialize for CandidateAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CandidateAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom(format!("`{text}` is no address and port")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_and_read() {
        for (host, port, text) in [
            ("10.0.0.1", 50000, "10.0.0.1:50000"),
            ("2001:db8::1", 9, "[2001:db8::1]:9"),
            ("0f1e.local", 9, "0f1e.local:9"),
        ] {
            let address = CandidateAddress::new(host, port);
            assert_eq!(address.to_string(), text);
            assert_eq!(CandidateAddress::parse(text), Some(address));
        }
        assert_eq!(CandidateAddress::parse("10.0.0.1"), None);
        assert_eq!(CandidateAddress::parse("host:70000"), None);
    }
}
