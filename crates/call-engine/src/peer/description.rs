//! What the engine reads from session descriptions (RFC 8866).

use rtc::{
    peer_connection::transport::RTCIceCandidateInit, rtp_transceiver::RTCRtpTransceiverDirection as Direction,
};
use signaller::Candidate;

/// What a description says of its maker and of the transport that all candidates belong to (RFC 9143:
/// with BUNDLE that is the first media section's).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Described {
    /// The first section's identification tag (RFC 5888 §4).
    pub(crate) sdp_mid: Option<String>,
    /// The ICE generation (RFC 8839 §5.4).
    pub(crate) username_fragment: Option<String>,
    /// The session id of the `o=` line: one for the whole life of a peer connection, and another one for
    /// each other peer connection (RFC 9429 §5.2.1).
    pub(crate) session: Option<String>,
    /// The tag and the direction of each media section that has both.
    pub(crate) sections: Vec<(String, Direction)>,
    /// The tags of the media sections that have one.
    pub(crate) mids: Vec<String>,
    /// How many media sections there are.
    pub(crate) section_count: usize,
    /// The ids of the tracks that its maker sends (`a=msid`, RFC 8830).
    pub(crate) tracks: Vec<String>,
}

/// How the line of the ICE generation begins (RFC 8839 §5.4).
const ICE_UFRAG_LINE: &str = "a=ice-ufrag:";

impl Described {
    /// Reads a description. What it does not say is missing; nothing is refused.
    pub(crate) fn of(sdp: &str) -> Self {
        let mut described = Self::default();
        let mut section = Section::default();
        for line in sdp.lines().map(str::trim_end) {
            if line.starts_with("m=") {
                described.sections.extend(std::mem::take(&mut section).tagged());
                section.is_media = true;
                described.section_count += 1;
            } else if let Some(attribute) = line.strip_prefix("a=") {
                described.take(attribute);
                section.take(attribute);
            } else if let Some(origin) = line.strip_prefix("o=") {
                fill(&mut described.session, || origin.split(' ').nth(1));
            }
        }
        described.sections.extend(section.tagged());
        described.sdp_mid = described.mids.first().cloned();
        described
    }

    /// The ICE generation of a description, and nothing else of it.
    pub(crate) fn username_fragment_of(sdp: &str) -> Option<&str> {
        sdp.lines().find_map(|line| line.trim_end().strip_prefix(ICE_UFRAG_LINE))
    }

    fn take(&mut self, attribute: &str) {
        match attribute.split_once(':') {
            Some(("ice-ufrag", ufrag)) => fill(&mut self.username_fragment, || Some(ufrag)),
            Some(("mid", mid)) => self.mids.push(mid.to_owned()),
            Some(("msid", msid)) => self.tracks.extend(msid.split(' ').nth(1).map(str::to_owned)),
            _ => {}
        }
    }

    /// Fills in what `webrtc` 0.21.1 leaves out of a trickled candidate of ours: `sdpMid` is empty there,
    /// and there is no `usernameFragment`.
    pub(crate) fn complete(&self, found: RTCIceCandidateInit) -> Candidate {
        let given_mid = found.sdp_mid.filter(|mid| !mid.is_empty());
        Candidate {
            candidate: found.candidate,
            sdp_mid: given_mid.or_else(|| self.sdp_mid.clone()),
            sdp_mline_index: found.sdp_mline_index.or(Some(0)),
            username_fragment: found.username_fragment.or_else(|| self.username_fragment.clone()),
        }
    }

    /// Why `candidate` belongs to no section of this description; `None` where it does (W3C webrtc-pc
    /// §4.4.1.5, `addIceCandidate`: an OperationError). The tag goes before the place.
    pub(crate) fn has_no_place_for(&self, candidate: &Candidate) -> Option<String> {
        match (candidate.sdp_mid.as_deref().filter(|mid| !mid.is_empty()), candidate.sdp_mline_index) {
            (Some(mid), _) if !self.mids.is_empty() => {
                let is_known = self.mids.iter().any(|known| known == mid);
                (!is_known).then(|| format!("OperationError: there is no media section `{mid}`"))
            }
            (_, Some(index)) if usize::from(index) >= self.section_count => {
                Some(format!("OperationError: there is no media section {index}"))
            }
            _ => None,
        }
    }

    /// Whether `self` was made by another peer connection than `before`: another session, with ICE of its own. A
    /// description without an origin is taken for the same one's.
    ///
    /// `webrtc` 0.21.1 draws its session anew while its version is 0, and its first version is the nanoseconds of the
    /// second in which it is made: the session alone says nothing.
    pub(crate) fn is_rebuilt_since(&self, before: &Self) -> bool {
        let is_another = matches!((&self.session, &before.session), (Some(now), Some(then)) if now != then);
        is_another && self.restarts_ice_of(before)
    }

    /// Whether `self` restarts the ICE of `before` (RFC 8839 §4.4.3).
    pub(crate) fn restarts_ice_of(&self, before: &Self) -> bool {
        before.username_fragment.is_some() && self.username_fragment != before.username_fragment
    }
}

/// A media section while it is read.
#[derive(Default)]
struct Section<'a> {
    is_media: bool,
    mid: Option<&'a str>,
    direction: Option<Direction>,
}

impl<'a> Section<'a> {
    fn take(&mut self, attribute: &'a str) {
        if let Some(mid) = attribute.strip_prefix("mid:") {
            self.mid.get_or_insert(mid);
        } else if self.direction.is_none() {
            self.direction =
                Some(Direction::from(attribute)).filter(|found| *found != Direction::Unspecified);
        }
    }

    fn tagged(self) -> Option<(String, Direction)> {
        let mid = self.mid.filter(|_| self.is_media)?;
        Some((mid.to_owned(), self.direction?))
    }
}

/// The first one counts.
fn fill<'a>(slot: &mut Option<String>, value: impl FnOnce() -> Option<&'a str>) {
    if slot.is_none() {
        *slot = value().map(str::to_owned);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SDP: &str = "v=0\r\no=- 4711 2 IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\nm=audio 9\r\na=mid:audio0\r\na=sendonly\r\n\
                       a=msid:stream microphone\r\nm=video 9\r\na=mid:1\r\na=msid:stream camera\r\n";

    #[test]
    fn reads_session_generation_and_tracks() {
        let described = Described::of(SDP);
        assert_eq!(described.session.as_deref(), Some("4711"));
        assert_eq!(described.username_fragment.as_deref(), Some("abcd"));
        assert_eq!(described.tracks, ["microphone", "camera"]);
        assert_eq!(described.sections, [("audio0".to_owned(), Direction::Sendonly)]);
        assert_eq!(
            (described.section_count, &*described.mids),
            (2, &["audio0".to_owned(), "1".to_owned()][..])
        );
        assert_eq!(described.sdp_mid.as_deref(), Some("audio0"));
        assert_eq!(Described::username_fragment_of(SDP), Some("abcd"));
    }

    #[test]
    fn the_first_of_each_counts_and_sections_have_their_own() {
        let described = Described::of(
            "o=- 1 1\no=- 2 2\na=sendonly\na=mid:session\na=ice-ufrag:one\nm=audio 9\na=ice-ufrag:two\na=mid:a\na=mid:b\n\
             a=inactive\na=recvonly\nm=video 9\na=recvonly\nm=application 9\na=mid:c\na=sendrecv\n",
        );
        assert_eq!(
            (described.session.as_deref(), described.username_fragment.as_deref()),
            (Some("1"), Some("one"))
        );
        let sections = [("a".to_owned(), Direction::Inactive), ("c".to_owned(), Direction::Sendrecv)];
        assert_eq!((described.section_count, described.sections), (3, sections.to_vec()));
        assert_eq!(described.mids, ["session", "a", "b", "c"]);
    }

    #[test]
    fn a_candidate_gets_the_mid_and_the_fragment_of_its_description() {
        let bare = RTCIceCandidateInit { sdp_mid: Some(String::new()), ..RTCIceCandidateInit::default() };
        let complete = Described::of(SDP).complete(bare);
        assert_eq!(complete.sdp_mid.as_deref(), Some("audio0"));
        assert_eq!(complete.username_fragment.as_deref(), Some("abcd"));
        assert_eq!(complete.sdp_mline_index, Some(0));
    }

    #[test]
    fn a_candidate_of_no_section_has_no_place() {
        let described = Described::of(SDP);
        let candidate = |mid: Option<&str>, sdp_mline_index| Candidate {
            sdp_mid: mid.map(str::to_owned),
            sdp_mline_index,
            ..Candidate::default()
        };
        let refused = |mid, index| described.has_no_place_for(&candidate(mid, index)).is_some();
        assert!(!refused(Some("audio0"), None) && !refused(None, Some(1)) && !refused(None, None));
        assert!(!refused(Some("1"), Some(7)), "the tag goes before the place");
        assert!(refused(Some("screen"), Some(0)) && refused(None, Some(2)) && refused(Some(""), Some(2)));
    }

    #[test]
    fn in_a_description_without_tags_only_the_place_counts() {
        let described = Described::of("v=0\r\nm=audio 9\r\n");
        let candidate = |index| Candidate {
            sdp_mid: Some("0".to_owned()),
            sdp_mline_index: Some(index),
            ..Candidate::default()
        };
        assert_eq!(described.has_no_place_for(&candidate(0)), None);
        assert!(described.has_no_place_for(&candidate(1)).is_some());
    }

    #[test]
    fn a_rebuild_is_told_from_an_ice_restart() {
        let first = Described::of(SDP);
        let restarted = Described::of(&SDP.replace("abcd", "efgh"));
        let rebuilt = Described::of(&SDP.replace("abcd", "ijkl").replace("4711", "4712"));
        assert!(restarted.restarts_ice_of(&first) && !restarted.is_rebuilt_since(&first));
        assert!(rebuilt.is_rebuilt_since(&first));
        assert!(
            !Described::of(&SDP.replace("4711", "4712")).is_rebuilt_since(&first),
            "it has its ICE still"
        );
        assert!(!first.restarts_ice_of(&first) && !first.is_rebuilt_since(&first));
        assert!(!first.restarts_ice_of(&Described::default()), "the first description restarts nothing");
    }

    proptest! {
        #[test]
        fn mangled_descriptions_never_panic(
            at in 0..SDP.len(),
            junk in "\\PC{0,8}",
            cut in 0..SDP.len(),
        ) {
            let mut sdp = SDP.to_owned();
            sdp.insert_str(at, &junk);
            Described::of(&sdp);
            Described::of(&SDP[cut..]);
            Described::of(&junk);
        }
    }
}
