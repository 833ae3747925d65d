//! What the rest of this crate needs to know of a session description (RFC 8866): who wrote it, which ICE
//! generation it belongs to, which media it carries. Not a parser: anything it does not understand it
//! passes over.

use serde::{Deserialize, Serialize};

use crate::candidate::Candidate;

/// The type of a description (W3C webrtc-pc §4.3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SdpType {
    /// An offer.
    Offer,
    /// A provisional answer.
    Pranswer,
    /// An answer.
    Answer,
    /// Back to the last stable state; carries no SDP.
    Rollback,
}

impl SdpType {
    /// The word of `RTCSdpType`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offer => "offer",
            Self::Pranswer => "pranswer",
            Self::Answer => "answer",
            Self::Rollback => "rollback",
        }
    }

    /// The type of this word, `None` for any other.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Offer, Self::Pranswer, Self::Answer, Self::Rollback]
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(word))
    }
}

/// A session description with its type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: SdpType,
    /// The SDP as it was captured; empty for a rollback.
    pub sdp: String,
}

/// One media section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaSection {
    /// `audio`, `video`, `application`.
    pub kind: String,
    /// Its identification tag (RFC 5888 §4).
    pub mid: Option<String>,
    /// `sendrecv` unless the section says otherwise (RFC 8866 §6.7).
    pub direction: &'static str,
    /// Whether it is in use: its port is not 0, or it is bundled (RFC 9143 §6).
    pub active: bool,
}

impl MediaSection {
    /// Whether the author of the description sends in this section.
    pub fn sends(&self) -> bool {
        self.active && self.kind != "application" && matches!(self.direction, "sendrecv" | "sendonly")
    }
}

impl Description {
    /// A rollback.
    pub const fn rollback() -> Self {
        Self { kind: SdpType::Rollback, sdp: String::new() }
    }

    /// The user fragment of the first media section (RFC 8839 §5.4).
    pub fn ufrag(&self) -> Option<&str> {
        self.first("a=ice-ufrag:")
    }

    /// The ICE password of the first media section.
    pub fn pwd(&self) -> Option<&str> {
        self.first("a=ice-pwd:")
    }

    /// Session id and version of the origin line (RFC 8866 §5.2), where the id tells sessions apart: some
    /// stacks always write the same small number.
    pub fn origin(&self) -> Option<(&str, &str)> {
        let mut fields = self.first("o=")?.split(' ').skip(1);
        let (id, version) = (fields.next()?, fields.next()?);
        (id.len() > 6).then_some((id, version))
    }

    /// What makes it the same description on its way through signalling, even where an application
    /// rewrites lines of it: type, origin and ICE generation.
    pub fn identity(&self) -> String {
        let origin = self.first("o=").unwrap_or_default();
        let (ufrag, pwd) = (self.ufrag().unwrap_or_default(), self.pwd().unwrap_or_default());
        format!("{}|{origin}|{ufrag}|{pwd}", self.kind.as_str())
    }

    /// Whether it says the same, but for the candidates within: an application that sends a description again may have
    /// found more of them by then.
    pub fn says_the_same(&self, other: &Self) -> bool {
        let is_said =
            |line: &&str| !line.starts_with("a=candidate:") && !line.starts_with("a=end-of-candidates");
        self.kind == other.kind && self.lines().filter(is_said).eq(other.lines().filter(is_said))
    }

    /// The fingerprint of the certificate of the first media section, or of the session (RFC 8122 §5): another one is
    /// another peer connection's.
    pub fn fingerprint(&self) -> Option<&str> {
        self.first("a=fingerprint:")
    }

    /// The candidates within the description, without trickling (RFC 8839 §5.1).
    pub fn candidates(&self) -> impl Iterator<Item = Candidate> + '_ {
        let ufrag = self.ufrag();
        self.lines()
            .filter_map(|line| line.strip_prefix("a="))
            .filter(|line| line.starts_with("candidate:"))
            .map(move |line| {
                let mut candidate = Candidate::new(line);
                candidate.ufrag = candidate.ufrag.or_else(|| ufrag.map(str::to_owned));
                candidate
            })
    }

    /// Its media sections in order.
    pub fn media(&self) -> Vec<MediaSection> {
        let mut sections: Vec<MediaSection> = Vec::new();
        let bundled: Vec<&str> =
            self.first("a=group:BUNDLE ").map(|mids| mids.split(' ').collect()).unwrap_or_default();
        for line in self.lines() {
            if let Some(media) = line.strip_prefix("m=") {
                let mut fields = media.split(' ');
                let kind = fields.next().unwrap_or_default().to_owned();
                let active = fields.next().is_some_and(|port| port != "0");
                sections.push(MediaSection { kind, mid: None, direction: "sendrecv", active });
            } else if let Some(section) = sections.last_mut() {
                match line {
                    "a=sendrecv" => section.direction = "sendrecv",
                    "a=sendonly" => section.direction = "sendonly",
                    "a=recvonly" => section.direction = "recvonly",
                    "a=inactive" => section.direction = "inactive",
                    _ => {}
                }
                if let Some(mid) = line.strip_prefix("a=mid:") {
                    section.active |= bundled.contains(&mid);
                    section.mid = Some(mid.to_owned());
                }
            }
        }
        sections
    }

    /// The lines, whatever ends them: CRLF, LF, or CR and LF escaped once more by an application.
    fn lines(&self) -> impl Iterator<Item = &str> {
        self.sdp.split(['\r', '\n']).filter(|line| !line.is_empty())
    }

    fn first<'s>(&'s self, prefix: &str) -> Option<&'s str> {
        self.lines().find_map(|line| line.strip_prefix(prefix)).map(str::trim_end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &str = "v=0\r\no=- 1463935321065312985 2 IN IP4 127.0.0.1\r\na=group:BUNDLE 0 1\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:Cvzh\r\na=ice-pwd:secret\r\na=mid:0\r\na=sendrecv\r\n\
        a=candidate:1 1 udp 1 10.0.0.1 5 typ host\r\nm=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=recvonly\r\n\
        m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:2\r\n";

    #[test]
    fn a_description_tells_author_generation_and_media() {
        let offer = Description { kind: SdpType::Offer, sdp: OFFER.to_owned() };
        assert_eq!(offer.origin(), Some(("1463935321065312985", "2")));
        assert_eq!(offer.ufrag(), Some("Cvzh"));
        assert_eq!(offer.candidates().next().unwrap().ufrag.as_deref(), Some("Cvzh"));
        let media: Vec<_> =
            offer.media().into_iter().map(|m| (m.kind.clone(), m.direction, m.active, m.sends())).collect();
        let expect = [
            ("audio".to_owned(), "sendrecv", true, true),
            ("video".to_owned(), "recvonly", true, false),
            ("video".to_owned(), "sendrecv", false, false),
        ];
        assert_eq!(media, expect);
    }

    #[test]
    fn candidates_within_are_no_difference_and_everything_else_is() {
        let offer = Description { kind: SdpType::Offer, sdp: OFFER.to_owned() };
        let with = |from: &str, to: &str| Description { kind: SdpType::Offer, sdp: OFFER.replace(from, to) };
        assert!(offer.says_the_same(&with("a=candidate:1 1 udp 1 10.0.0.1 5 typ host\r\n", "")));
        assert!(!offer.says_the_same(&with("a=recvonly", "a=sendonly")));
        assert!(!offer.says_the_same(&Description { kind: SdpType::Answer, ..offer.clone() }));
    }

    #[test]
    fn a_constant_session_id_tells_nothing_apart() {
        let offer = Description { kind: SdpType::Offer, sdp: "v=0\no=- 0 0 IN IP4 0.0.0.0\n".to_owned() };
        assert_eq!(offer.origin(), None);
    }
}
