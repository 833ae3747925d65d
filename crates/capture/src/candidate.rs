//! ICE candidates as captures carry them.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// An ICE candidate with the fields of `RTCIceCandidateInit` (W3C webrtc-pc §4.8.1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Candidate {
    /// The `candidate-attribute` (RFC 8839 §5.1) as it was captured. Empty: the end of the candidates.
    pub line: String,
    /// The media section by its identification tag (RFC 5888 §4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mid: Option<String>,
    /// The media section by its place in the description, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mline_index: Option<u16>,
    /// The ICE generation (RFC 8839 §5.4): the field of its own, else the `ufrag` extension of the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ufrag: Option<String>,
    /// The STUN or TURN server that it came from, where the capture tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// How a candidate was found (RFC 8445 §5.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CandidateType {
    /// An address of the host itself.
    Host,
    /// Seen by a STUN server.
    Srflx,
    /// Seen by the other peer.
    Prflx,
    /// Allocated on a TURN server.
    Relay,
}

impl CandidateType {
    /// The word of the candidate attribute.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Srflx => "srflx",
            Self::Prflx => "prflx",
            Self::Relay => "relay",
        }
    }

    /// The type that a candidate attribute or a statistic names.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "host" => Self::Host,
            "srflx" | "serverreflexive" => Self::Srflx,
            "prflx" | "peerreflexive" => Self::Prflx,
            "relay" | "relayed" => Self::Relay,
            _ => return None,
        })
    }
}

impl Candidate {
    /// A candidate of this line; the generation is taken from the line.
    pub fn new(line: impl Into<String>) -> Self {
        let line = line.into();
        let ufrag = word_after(&line, "ufrag").map(str::to_owned);
        Self { line, ufrag, ..Self::default() }
    }

    /// Whether it is the end of the candidates rather than one.
    pub fn is_end(&self) -> bool {
        self.line.trim().is_empty()
    }

    /// How it was found; `None` for the end of the candidates and for what cannot be read.
    pub fn kind(&self) -> Option<CandidateType> {
        word_after(&self.line, "typ").and_then(CandidateType::from_word)
    }

    /// Whether its address is hidden behind an mDNS name
    /// (draft-ietf-mmusic-mdns-ice-candidates).
    pub(crate) fn is_mdns(&self) -> bool {
        self.address().is_some_and(|address| address.ends_with(".local"))
    }

    /// The connection address: an IP address or an mDNS name.
    pub fn address(&self) -> Option<&str> {
        self.fields().nth(4)
    }

    /// The connection address where it is an IP address.
    pub fn ip(&self) -> Option<IpAddr> {
        self.address()?.parse().ok()
    }

    /// `udp` or `tcp`, in lower case.
    pub fn protocol(&self) -> Option<String> {
        self.fields().nth(2).map(str::to_ascii_lowercase)
    }

    /// Type, protocol and address: `host udp 10.0.0.1:50000`; `end of candidates`; `unreadable`.
    pub fn summary(&self) -> String {
        if self.is_end() {
            return "end of candidates".to_owned();
        }
        let parts = || {
            let (kind, protocol, address) = (self.kind()?, self.protocol()?, self.address()?);
            let port: u16 = self.fields().nth(5)?.parse().ok()?;
            Some(match address.parse::<IpAddr>() {
                Ok(IpAddr::V6(ip)) => format!("{} {protocol} [{ip}]:{port}", kind.as_str()),
                _ => format!("{} {protocol} {address}:{port}", kind.as_str()),
            })
        };
        parts().unwrap_or_else(|| "unreadable".to_owned())
    }

    /// What makes it the same candidate on its way through signalling: the line without its prefix, and
    /// the media section. Fields of their own that one side writes and another leaves out do not count.
    pub(crate) fn identity(&self) -> String {
        let line: Vec<&str> = self.fields().collect();
        format!("{}|{}", line.join(" "), self.mid.as_deref().unwrap_or_default())
    }

    fn fields(&self) -> impl Iterator<Item = &str> {
        let line = self.line.trim().trim_start_matches("a=").trim_start_matches("candidate:");
        line.split_ascii_whitespace()
    }
}

fn word_after<'l>(line: &'l str, key: &str) -> Option<&'l str> {
    let mut words = line.split_ascii_whitespace();
    words.find(|word| *word == key).and_then(|_| words.next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, summary: &str, ufrag: Option<&str>) {
        let candidate = Candidate::new(line);
        assert_eq!(candidate.summary(), summary);
        assert_eq!(candidate.ufrag.as_deref(), ufrag);
    }

    #[test]
    fn a_line_tells_type_protocol_address_and_generation() {
        check(
            "candidate:1 1 udp 2 10.0.0.1 50000 typ host generation 0 ufrag Ab+/",
            "host udp 10.0.0.1:50000",
            Some("Ab+/"),
        );
        check(
            "a=candidate:1 1 TCP 2 2001:db8::1 9 typ srflx raddr :: rport 9",
            "srflx tcp [2001:db8::1]:9",
            None,
        );
        check("candidate:1 1 udp 2 0f1e.local 50000 typ host", "host udp 0f1e.local:50000", None);
        check("", "end of candidates", None);
        check("candidate:1 1 udp", "unreadable", None);
        assert!(Candidate::new("candidate:1 1 udp 2 0f1e.local 5 typ host").is_mdns());
    }
}
