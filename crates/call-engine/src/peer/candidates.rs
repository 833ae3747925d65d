//! Trickled candidates (RFC 8838): completing those that `webrtc` 0.21.1 gives, and holding back those
//! that come before the remote description.

use std::collections::VecDeque;

use rtc::peer_connection::transport::RTCIceCandidateInit;
use signaller::Candidate;

/// What arrived about the other side's candidates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trickled {
    /// One of them.
    Candidate(Candidate),
    /// There are no more (RFC 8838 §13).
    End { sdp_mid: Option<String>, username_fragment: Option<String> },
}

/// The candidates that wait for a remote description, in the order in which they came.
///
/// `addIceCandidate` without a remote description is an `InvalidStateError` (W3C webrtc-pc §4.4.1.7),
/// and a candidate that is dropped for that is the failure that calling apps report most.
#[derive(Debug, Default)]
pub(crate) struct HoldBack {
    open: bool,
    waiting: VecDeque<Trickled>,
}

impl HoldBack {
    /// Gives back what may be applied at once, or keeps it.
    pub(crate) fn offer(&mut self, trickled: Trickled) -> Option<Trickled> {
        if self.open {
            return Some(trickled);
        }
        self.waiting.push_back(trickled);
        None
    }

    /// A remote description is in place: what waited comes out, oldest first, and nothing waits again.
    pub(crate) fn release(&mut self) -> VecDeque<Trickled> {
        self.open = true;
        std::mem::take(&mut self.waiting)
    }
}

/// What the local description says of the transport that all candidates belong to (RFC 9143: with
/// BUNDLE that is the first media section's).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LocalTransport {
    pub(crate) sdp_mid: Option<String>,
    pub(crate) username_fragment: Option<String>,
}

impl LocalTransport {
    /// Reads the first `a=mid` and the first `a=ice-ufrag` of a description.
    pub(crate) fn of(sdp: &str) -> Self {
        let first = |prefix: &str| sdp.lines().find_map(|line| line.trim_end().strip_prefix(prefix));
        Self {
            sdp_mid: first("a=mid:").map(str::to_owned),
            username_fragment: first("a=ice-ufrag:").map(str::to_owned),
        }
    }

    /// Fills in what `webrtc` 0.21.1 leaves out of a trickled candidate: `sdpMid` is empty there, and
    /// there is no `usernameFragment`.
    pub(crate) fn complete(&self, found: RTCIceCandidateInit) -> Candidate {
        let given_mid = found.sdp_mid.filter(|mid| !mid.is_empty());
        Candidate {
            candidate: found.candidate,
            sdp_mid: given_mid.or_else(|| self.sdp_mid.clone()),
            sdp_mline_index: found.sdp_mline_index.or(Some(0)),
            username_fragment: found.username_fragment.or_else(|| self.username_fragment.clone()),
        }
    }
}

impl Trickled {
    /// The form that `addIceCandidate` takes; an empty candidate ends them.
    pub(crate) fn into_init(self) -> RTCIceCandidateInit {
        match self {
            Self::Candidate(candidate) => RTCIceCandidateInit {
                candidate: candidate.candidate,
                sdp_mid: candidate.sdp_mid,
                sdp_mline_index: candidate.sdp_mline_index,
                username_fragment: candidate.username_fragment,
                url: None,
            },
            Self::End { sdp_mid, username_fragment } => {
                RTCIceCandidateInit { sdp_mid, username_fragment, ..RTCIceCandidateInit::default() }
            }
        }
    }

    /// Type, protocol and address, or `end of candidates`.
    pub(crate) fn summary(&self) -> String {
        match self {
            Self::Candidate(candidate) => candidate.summary(),
            Self::End { .. } => "end of candidates".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(number: u32) -> Trickled {
        Trickled::Candidate(Candidate { candidate: number.to_string(), ..Candidate::default() })
    }

    #[test]
    fn held_candidates_come_out_once_and_in_order() {
        let mut hold = HoldBack::default();
        assert_eq!((1..=3).filter_map(|number| hold.offer(numbered(number))).count(), 0);
        assert_eq!(hold.release(), (1..=3).map(numbered).collect::<VecDeque<_>>());
        assert_eq!(hold.offer(numbered(4)), Some(numbered(4)));
        assert!(hold.release().is_empty());
    }

    #[test]
    fn a_candidate_gets_the_mid_and_the_fragment_of_its_description() {
        let local = LocalTransport::of("v=0\r\na=ice-ufrag:abcd\r\nm=audio 9\r\na=mid:audio0\r\na=mid:1\r\n");
        let bare = RTCIceCandidateInit { sdp_mid: Some(String::new()), ..RTCIceCandidateInit::default() };
        let complete = local.complete(bare);
        assert_eq!(complete.sdp_mid.as_deref(), Some("audio0"));
        assert_eq!(complete.username_fragment.as_deref(), Some("abcd"));
        assert_eq!(complete.sdp_mline_index, Some(0));
    }
}
