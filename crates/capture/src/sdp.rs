//! What the rest of this crate needs to know of a session description (RFC 8866): who wrote it, which ICE
//! generation it belongs to, which media it carries and in which direction. Not a parser: anything it does not
//! understand it passes over.

use serde::{Deserialize, Serialize};

use timeline::words;

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

words! {
    /// In which direction the author of a description wants media to flow (RFC 8866 §6.7).
    pub enum Direction {
        /// Both ways.
        SendRecv = "sendrecv",
        /// From the author.
        SendOnly = "sendonly",
        /// To the author.
        RecvOnly = "recvonly",
        /// Neither way.
        Inactive = "inactive",
    }
}

words! {
    /// Who begins DTLS (RFC 8842 §5.2).
    pub enum Setup {
        /// The author begins.
        Active = "active",
        /// The author waits.
        Passive = "passive",
        /// The other side may choose.
        ActPass = "actpass",
        /// Nobody begins for now.
        HoldConn = "holdconn",
    }
}

/// One media section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaSection {
    /// `audio`, `video`, `application`.
    pub kind: String,
    /// Its identification tag (RFC 5888 §4).
    pub mid: Option<String>,
    /// `sendrecv` unless the section or the session says otherwise (RFC 8866 §6.7).
    pub direction: Direction,
    /// Whether it is in use: its port is not 0, or it is bundled (RFC 9143 §6).
    pub active: bool,
    /// Its own `a=setup`, or the session's.
    pub setup: Option<Setup>,
    /// Whether it has `a=rtcp-mux`.
    pub rtcp_mux: bool,
    /// The names of its codecs in upper case, without those that only help others (RTX, RED, FEC, tones, noise).
    pub codecs: Vec<String>,
    /// Whether it is about DTLS: SIP allows others.
    pub secured: bool,
}

impl MediaSection {
    /// Whether the author of the description sends in this section.
    pub fn sends(&self) -> bool {
        self.is_media() && matches!(self.direction, Direction::SendRecv | Direction::SendOnly)
    }

    /// Whether the author of the description takes what comes in this section.
    pub(crate) fn receives(&self) -> bool {
        self.is_media() && matches!(self.direction, Direction::SendRecv | Direction::RecvOnly)
    }

    fn is_media(&self) -> bool {
        self.active && self.kind != "application"
    }
}

/// The codecs of payload types that need no `a=rtpmap` (RFC 3551 §6).
const STATIC: [(&str, &str); 6] =
    [("0", "PCMU"), ("3", "GSM"), ("8", "PCMA"), ("9", "G722"), ("18", "G729"), ("34", "H263")];

/// They carry no media of their own.
const HELPERS: [&str; 7] = ["RTX", "RED", "ULPFEC", "FLEXFEC-03", "TELEPHONE-EVENT", "CN", "FLEXFEC"];

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
    pub(crate) fn pwd(&self) -> Option<&str> {
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
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
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
        let bundled: Vec<&str> = self.bundled();
        let (mut direction, mut setup) = (Direction::SendRecv, None);
        let mut payloads: Vec<&str> = Vec::new();
        for line in self.lines().map(str::trim_end) {
            if let Some(media) = line.strip_prefix("m=") {
                let mut fields = media.split(' ');
                let kind = fields.next().unwrap_or_default().to_owned();
                let active = fields.next().is_some_and(|port| port != "0");
                let secured = fields.next().is_some_and(|protocol| protocol.contains("TLS"));
                payloads = fields.collect();
                let known = STATIC.iter().filter(|(number, _)| payloads.contains(number));
                let codecs = known.map(|(_, name)| (*name).to_owned()).collect();
                let (mid, rtcp_mux) = (None, false);
                sections.push(MediaSection {
                    kind,
                    mid,
                    direction,
                    active,
                    setup,
                    rtcp_mux,
                    codecs,
                    secured,
                });
                continue;
            }
            let Some((key, value)) = line.strip_prefix("a=").map(|it| it.split_once(':').unwrap_or((it, "")))
            else {
                continue;
            };
            let own_direction = Direction::from_word(key).filter(|_| value.is_empty());
            let own_setup = (key == "setup").then(|| Setup::from_word(value)).flatten();
            let Some(section) = sections.last_mut() else {
                direction = own_direction.unwrap_or(direction);
                setup = own_setup.or(setup);
                continue;
            };
            section.direction = own_direction.unwrap_or(section.direction);
            section.setup = own_setup.or(section.setup);
            match key {
                // What an answer refuses leaves the group (RFC 9143 §7.3.3).
                "mid" => {
                    section.active |= self.kind == SdpType::Offer && bundled.contains(&value);
                    section.mid = Some(value.to_owned());
                }
                "bundle-only" => {
                    section.active |= section.mid.as_deref().is_some_and(|mid| bundled.contains(&mid))
                }
                "rtcp-mux" => section.rtcp_mux = true,
                "rtpmap" => section.codecs.extend(codec(value, &payloads)),
                _ => {}
            }
        }
        sections
    }

    /// Whether its author is an ICE lite agent (RFC 8839 §5.3).
    pub(crate) fn is_ice_lite(&self) -> bool {
        self.lines().any(|line| line.trim_end() == "a=ice-lite")
    }

    /// The identification tags in its BUNDLE group (RFC 9143 §7.1).
    pub(crate) fn bundled(&self) -> Vec<&str> {
        let group = self.first("a=group:BUNDLE").unwrap_or_default();
        group.split(' ').filter(|mid| !mid.is_empty()).collect()
    }

    /// The lines, whatever ends them: CRLF, LF, or CR and LF escaped once more by an application.
    fn lines(&self) -> impl Iterator<Item = &str> {
        self.sdp.split(['\r', '\n']).filter(|line| !line.is_empty())
    }

    fn first<'s>(&'s self, prefix: &str) -> Option<&'s str> {
        self.lines().find_map(|line| line.strip_prefix(prefix)).map(str::trim_end)
    }
}

/// The codec of `111 opus/48000/2`, where it is one of the section's payload types and carries media.
fn codec(rtpmap: &str, payloads: &[&str]) -> Option<String> {
    let (payload, rest) = rtpmap.split_once(' ')?;
    let name = rest.split('/').next().unwrap_or_default().trim().to_ascii_uppercase();
    (payloads.contains(&payload) && !name.is_empty() && !HELPERS.contains(&name.as_str())).then_some(name)
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
            ("audio".to_owned(), Direction::SendRecv, true, true),
            ("video".to_owned(), Direction::RecvOnly, true, false),
            ("video".to_owned(), Direction::SendRecv, false, false),
        ];
        assert_eq!(media, expect);
    }

    #[test]
    fn a_section_tells_role_codecs_and_what_the_session_says_for_it() {
        let sdp = "v=0\r\na=setup:passive\r\na=inactive\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 0 101\r\n\
            a=rtpmap:111 opus/48000/2\r\na=rtpmap:101 telephone-event/8000\r\na=rtpmap:96 VP8/90000\r\n\
            a=rtcp-mux\r\nm=video 0 RTP/AVP 96\r\na=setup:active\r\na=sendonly\r\na=rtpmap:96 VP8/90000\r\n";
        let answer = Description { kind: SdpType::Answer, sdp: sdp.to_owned() };
        let [audio, video] = answer.media().try_into().unwrap();
        assert_eq!((audio.setup, audio.direction), (Some(Setup::Passive), Direction::Inactive));
        assert_eq!((audio.rtcp_mux, audio.secured, audio.active), (true, true, true));
        assert_eq!(audio.codecs, ["PCMU", "OPUS"]);
        assert_eq!((video.setup, video.direction), (Some(Setup::Active), Direction::SendOnly));
        assert_eq!((video.rtcp_mux, video.secured, video.active), (false, false, false));
        assert!(!video.sends() && !answer.is_ice_lite());
    }

    #[test]
    fn a_section_that_an_answer_refuses_is_refused_though_it_is_named_in_the_group() {
        let sdp = "v=0\r\na=group:BUNDLE 0\r\nm=audio 0 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n".to_owned();
        let active = |kind| Description { kind, sdp: sdp.clone() }.media()[0].active;
        assert_eq!([SdpType::Offer, SdpType::Answer].map(active), [true, false]);
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
