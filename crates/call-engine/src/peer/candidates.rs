//! Trickled candidates (RFC 8838) of the other side: each is applied when the description of its ICE
//! generation is in place.

use std::collections::VecDeque;

use rtc::peer_connection::transport::RTCIceCandidateInit;
use signaller::Candidate;
use timeline::{MessageRef, Trickle};

use super::Described;
use crate::Guards;

/// What arrived about the other side's candidates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trickled {
    /// One of them.
    Candidate(Candidate),
    /// There are no more (RFC 8838 §13).
    End { sdp_mid: Option<String>, username_fragment: Option<String> },
}

/// The same with the message that brought it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Incoming {
    pub(crate) trickled: Trickled,
    pub(crate) message: MessageRef,
}

/// The most candidates that wait at a time; more are refused, for they are no call's.
const MOST_WAITING: usize = 256;
/// Why a candidate of a generation that is over, or never came to be, has no effect.
pub(crate) const OVER: &str = "its ICE generation is over";
/// How many ICE generations of the past are remembered.
const MOST_PAST: usize = 16;

/// Remote candidates, sorted by the ICE generation that they belong to: that is their `ufrag`
/// (RFC 8838 §4, RFC 8839 §5.4).
///
/// A candidate waits until a remote description of its generation is in place: `addIceCandidate`
/// without a remote description is an `InvalidStateError` (W3C webrtc-pc §4.4.1.7), and a candidate that
/// is dropped for that is the failure that calling apps report most. One of a past generation has no
/// effect. One that names no generation belongs to whatever is in place.
#[derive(Debug)]
pub(crate) struct HoldBack {
    guards: Guards,
    /// The generation of the remote description that is in place; empty where that names none.
    present: Option<String>,
    past: VecDeque<String>,
    waiting: VecDeque<Incoming>,
}

/// What to do with a candidate.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Arrived {
    /// Apply it.
    Apply(Incoming),
    /// It waits.
    Held,
    /// It has no effect, and this is why.
    Ignored(&'static str),
}

impl HoldBack {
    /// Of a call that has no remote description yet.
    pub(crate) fn new(guards: Guards) -> Self {
        Self { guards, present: None, past: VecDeque::new(), waiting: VecDeque::new() }
    }

    /// Sorts a candidate that arrived; `has_peer` says whether there is a peer connection.
    pub(crate) fn arrived(&mut self, incoming: Incoming, has_peer: HasPeer) -> Arrived {
        if has_peer == HasPeer::No && !self.guards.hold_candidates_before_peer {
            return Arrived::Ignored("there is no peer connection yet");
        }
        match self.place(&incoming.trickled) {
            Place::Present => Arrived::Apply(incoming),
            Place::Past => Arrived::Ignored(OVER),
            Place::Ahead if has_peer == HasPeer::Yes && !self.guards.hold_early_candidates => {
                Arrived::Apply(incoming)
            }
            Place::Ahead if self.waiting.len() >= MOST_WAITING => Arrived::Ignored("too many wait already"),
            Place::Ahead => {
                self.waiting.push_back(incoming);
                Arrived::Held
            }
        }
    }

    /// A remote description with this `ufrag` is in place: what waited for it, oldest first, and what
    /// turns out to be of a past generation.
    pub(crate) fn described(&mut self, sdp: &str) -> VecDeque<(Incoming, Arrived)> {
        let ufrag = Described::username_fragment_of(sdp).unwrap_or_default().to_owned();
        if let Some(before) = self.present.replace(ufrag.clone())
            && before != ufrag
        {
            self.over(before);
        }
        self.past.retain(|past| *past != ufrag);
        let mut sorted = VecDeque::new();
        for incoming in std::mem::take(&mut self.waiting) {
            match self.place(&incoming.trickled) {
                Place::Present => sorted.push_back((incoming.clone(), Arrived::Apply(incoming))),
                Place::Past => sorted.push_back((incoming, Arrived::Ignored(OVER))),
                Place::Ahead => self.waiting.push_back(incoming),
            }
        }
        sorted
    }

    /// The description `sdp` is ignored: what waited for it. The generation that an ICE restart describes
    /// dies with its description; that of a first offer may come back in its maker's answer.
    pub(crate) fn ignored(&mut self, sdp: &str) -> VecDeque<Incoming> {
        let ufrag = Described::username_fragment_of(sdp).unwrap_or_default().to_owned();
        if self.present.as_ref().is_none_or(|present| *present == ufrag) {
            return VecDeque::new();
        }
        self.over(ufrag);
        let (dead, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|incoming| matches!(self.place(&incoming.trickled), Place::Past));
        self.waiting = waiting;
        dead
    }

    fn over(&mut self, ufrag: String) {
        self.past.push_back(ufrag);
        while self.past.len() > MOST_PAST {
            self.past.pop_front();
        }
    }

    fn place(&self, trickled: &Trickled) -> Place {
        let Some(present) = &self.present else { return Place::Ahead };
        let Some(ufrag) = trickled.username_fragment() else { return Place::Present };
        if ufrag == present || !self.guards.match_candidate_generation {
            Place::Present
        } else if self.past.iter().any(|past| past == ufrag) {
            Place::Past
        } else {
            Place::Ahead
        }
    }
}

/// Where a candidate's generation stands to the one in place.
enum Place {
    Present,
    Past,
    Ahead,
}

/// Whether there is a peer connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HasPeer {
    Yes,
    No,
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

    /// The ICE generation that it belongs to, where it says so.
    fn username_fragment(&self) -> Option<&str> {
        let given = match self {
            Self::Candidate(candidate) => candidate.username_fragment.as_deref(),
            Self::End { username_fragment, .. } => username_fragment.as_deref(),
        };
        given.filter(|ufrag| !ufrag.is_empty())
    }

    /// What of it is reported.
    pub(crate) fn summary(&self) -> Trickle {
        match self {
            Self::Candidate(candidate) => candidate.summary(),
            Self::End { .. } => Trickle::EndOfCandidates,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ufrag: &str, number: u32) -> Incoming {
        let username_fragment = (!ufrag.is_empty()).then(|| ufrag.to_owned());
        let candidate =
            Candidate { candidate: number.to_string(), username_fragment, ..Candidate::default() };
        brought(number, Trickled::Candidate(candidate))
    }

    fn brought(id: u32, trickled: Trickled) -> Incoming {
        Incoming { trickled, message: MessageRef { from: "bob".into(), id: id.into() } }
    }

    fn description(ufrag: &str) -> String {
        format!("v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\na=ice-ufrag:{ufrag}\r\n")
    }

    #[track_caller]
    fn check_described(hold: &mut HoldBack, ufrag: &str, expect: &[&str]) {
        let found: Vec<String> = hold
            .described(&description(ufrag))
            .into_iter()
            .map(|(incoming, arrived)| match (incoming.trickled, arrived) {
                (Trickled::Candidate(candidate), Arrived::Apply(_)) => candidate.candidate,
                (Trickled::Candidate(candidate), other) => format!("{} {other:?}", candidate.candidate),
                (Trickled::End { .. }, _) => "end".to_owned(),
            })
            .collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn early_candidates_come_out_once_and_in_order() {
        let mut hold = HoldBack::new(Guards::ALL_ON);
        for (number, has_peer) in [(1, HasPeer::No), (2, HasPeer::Yes), (3, HasPeer::Yes)] {
            assert_eq!(hold.arrived(of("a", number), has_peer), Arrived::Held);
        }
        check_described(&mut hold, "a", &["1", "2", "3"]);
        assert_eq!(hold.arrived(of("a", 4), HasPeer::Yes), Arrived::Apply(of("a", 4)));
        assert_eq!(hold.arrived(of("", 5), HasPeer::Yes), Arrived::Apply(of("", 5)));
        check_described(&mut hold, "a", &[]);
    }

    #[test]
    fn candidates_of_the_next_generation_wait_and_those_of_the_last_have_no_effect() {
        let mut hold = HoldBack::new(Guards::ALL_ON);
        check_described(&mut hold, "a", &[]);
        assert_eq!(hold.arrived(of("b", 1), HasPeer::Yes), Arrived::Held);
        assert_eq!(hold.arrived(of("c", 2), HasPeer::Yes), Arrived::Held);
        check_described(&mut hold, "b", &["1"]);
        assert_eq!(hold.arrived(of("a", 3), HasPeer::Yes), Arrived::Ignored(OVER));
        check_described(&mut hold, "c", &["2"]);
    }

    #[test]
    fn a_generation_that_comes_back_is_in_place_again() {
        let mut hold = HoldBack::new(Guards::ALL_ON);
        for generation in ["a", "b", "a"] {
            check_described(&mut hold, generation, &[]);
        }
        assert_eq!(hold.arrived(of("b", 1), HasPeer::Yes), Arrived::Ignored(OVER));
        check_described(&mut hold, "b", &[]);
        assert_eq!(hold.past, ["a"], "the present generation is none of the past");
    }

    #[test]
    fn candidates_of_an_ignored_first_offer_are_applied_when_its_maker_answers_with_them() {
        let mut hold = HoldBack::new(Guards::ALL_ON);
        assert_eq!(hold.arrived(of("polite", 1), HasPeer::Yes), Arrived::Held);
        assert!(hold.ignored(&description("polite")).is_empty());
        check_described(&mut hold, "polite", &["1"]);
    }

    #[test]
    fn candidates_of_an_ignored_restart_are_dead_before_and_after_it() {
        let mut hold = HoldBack::new(Guards::ALL_ON);
        check_described(&mut hold, "a", &[]);
        hold.arrived(of("restart", 1), HasPeer::Yes);
        hold.arrived(of("later", 2), HasPeer::Yes);
        assert_eq!(hold.ignored(&description("restart")), [of("restart", 1)]);
        assert_eq!(hold.arrived(of("restart", 3), HasPeer::Yes), Arrived::Ignored(OVER));
        check_described(&mut hold, "later", &["2"]);
    }

    #[test]
    fn what_a_message_says_of_a_candidate_is_what_is_applied() {
        let candidate = Candidate {
            candidate: "candidate:1 1 udp 2122260223 10.0.0.1 50000 typ host".to_owned(),
            sdp_mid: Some("0".to_owned()),
            sdp_mline_index: Some(1),
            username_fragment: Some("a".to_owned()),
        };
        let trickled = Trickled::Candidate(candidate.clone());
        assert_eq!(trickled.summary().to_string(), "host udp 10.0.0.1:50000");
        let init = trickled.into_init();
        assert_eq!(init.candidate, candidate.candidate);
        assert_eq!((init.sdp_mid, init.sdp_mline_index), (candidate.sdp_mid, candidate.sdp_mline_index));
        assert_eq!(init.username_fragment, candidate.username_fragment);
    }

    #[test]
    fn the_end_of_candidates_is_an_empty_one_of_its_section_and_generation() {
        let end = Trickled::End { sdp_mid: Some("0".to_owned()), username_fragment: Some("a".to_owned()) };
        assert_eq!(end.summary(), Trickle::EndOfCandidates);
        let init = end.into_init();
        assert_eq!(init.candidate, "");
        assert_eq!((init.sdp_mid.as_deref(), init.username_fragment.as_deref()), (Some("0"), Some("a")));
    }

    #[test]
    fn the_end_of_candidates_waits_for_its_generation() {
        let end = |ufrag: &str| {
            brought(1, Trickled::End { sdp_mid: None, username_fragment: Some(ufrag.to_owned()) })
        };
        let mut hold = HoldBack::new(Guards::ALL_ON);
        check_described(&mut hold, "a", &[]);
        assert_eq!(hold.arrived(end("b"), HasPeer::Yes), Arrived::Held);
        assert_eq!(hold.arrived(end("a"), HasPeer::Yes), Arrived::Apply(end("a")));
        check_described(&mut hold, "b", &["end"]);
    }

    #[test]
    fn a_flood_of_early_candidates_is_bounded() {
        let mut hold = HoldBack::new(Guards::ALL_ON);
        for number in 0..256 {
            assert_eq!(hold.arrived(of("a", number), HasPeer::No), Arrived::Held);
        }
        assert_eq!(hold.arrived(of("a", 256), HasPeer::No), Arrived::Ignored("too many wait already"));
        for generation in 0..100 {
            hold.described(&description(&generation.to_string()));
        }
        assert_eq!(hold.past.len(), MOST_PAST);
    }

    #[test]
    fn without_its_guard_each_failure_of_candidates_is_back() {
        let without = |name| {
            let mut guards = Guards::ALL_ON;
            guards.set(name, false).unwrap();
            HoldBack::new(guards)
        };
        let mut hold = without("hold_early_candidates");
        assert_eq!(hold.arrived(of("a", 1), HasPeer::Yes), Arrived::Apply(of("a", 1)));
        assert_eq!(hold.arrived(of("a", 1), HasPeer::No), Arrived::Held);
        let mut hold = without("hold_candidates_before_peer");
        assert!(matches!(hold.arrived(of("a", 1), HasPeer::No), Arrived::Ignored(_)));
        assert_eq!(hold.arrived(of("a", 1), HasPeer::Yes), Arrived::Held);
        let mut hold = without("match_candidate_generation");
        hold.described(&description("a"));
        assert_eq!(hold.arrived(of("b", 1), HasPeer::Yes), Arrived::Apply(of("b", 1)));
    }
}
