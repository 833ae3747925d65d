use serde::{Deserialize, Serialize};
use timeline::{CandidateAddress, CandidateRef, CandidateType, IceProtocol, Trickle};

/// An ICE candidate with the fields of `RTCIceCandidateInit` (W3C webrtc-pc §4.8.1.1), under the same
/// names on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The `candidate-attribute` (RFC 8839 §5.1), with or without `candidate:` before it. Empty: no
    /// more candidates for this media section.
    pub candidate: String,
    /// The media section by its identification tag (RFC 5888 §4).
    #[serde(rename = "sdpMid", default, skip_serializing_if = "Option::is_none")]
    pub sdp_mid: Option<String>,
    /// The media section by its place in the description, from 0.
    #[serde(rename = "sdpMLineIndex", default, skip_serializing_if = "Option::is_none")]
    pub sdp_mline_index: Option<u16>,
    /// The ICE generation that the candidate belongs to (RFC 8839 §5.4).
    #[serde(rename = "usernameFragment", default, skip_serializing_if = "Option::is_none")]
    pub username_fragment: Option<String>,
}

impl Candidate {
    /// Type, protocol and address. Without foundation, priority and credentials, which vary between runs.
    pub fn summary(&self) -> Trickle {
        if self.candidate.is_empty() {
            return Trickle::EndOfCandidates;
        }
        read(&self.candidate).map_or(Trickle::Unreadable, Trickle::Candidate)
    }
}

/// `foundation component transport priority address port "typ" type …` (RFC 8839 §5.1).
fn read(attribute: &str) -> Option<CandidateRef> {
    let attribute = attribute.trim().trim_start_matches("a=").trim_start_matches("candidate:");
    let mut fields = attribute.split_ascii_whitespace().skip(2);
    let protocol = IceProtocol::from_word(&fields.next()?.to_ascii_lowercase())?;
    let address = fields.nth(1)?;
    let port: u16 = fields.next()?.parse().ok()?;
    let kind = fields.next().filter(|&word| word == "typ").and_then(|_| fields.next())?;
    let (kind, address) = (CandidateType::from_word(kind)?, CandidateAddress::new(address, port));
    Some(CandidateRef { kind, protocol, address })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(candidate: &str, expect: &str) {
        let candidate = Candidate { candidate: candidate.to_owned(), ..Candidate::default() };
        assert_eq!(candidate.summary().to_string(), expect);
    }

    #[test]
    fn summary_names_type_protocol_and_address() {
        check("candidate:1 1 udp 2130706431 10.0.0.1 50000 typ host ufrag ab", "host udp 10.0.0.1:50000");
        check("candidate:2 1 UDP 1 2001:db8::1 9 typ srflx raddr :: rport 0", "srflx udp [2001:db8::1]:9");
        check("3 1 tcp 1 10.0.0.1 9 typ host tcptype active", "host tcp 10.0.0.1:9");
        check("candidate:4 1 udp 1 0f1e.local 50000 typ host", "host udp 0f1e.local:50000");
    }

    #[test]
    fn summary_of_what_is_no_candidate() {
        check("", "end of candidates");
        check("candidate:", "unreadable");
        check("candidate:1 1 udp 1 10.0.0.1 70000 typ host", "unreadable");
        check("candidate:1 1 udp 1 10.0.0.1 50000 host typ", "unreadable");
        check("candidate:1 1 udp 1 10.0.0.1 50000 typ carrier-pigeon", "unreadable");
    }
}
