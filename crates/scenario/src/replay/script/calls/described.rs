use capture::{
    candidate::Candidate,
    sdp::{Description, SdpType},
};
use timeline::VirtualTime;

use crate::plan::{ApiCall, LocalWord, MediaKind};

/// A description that one side made and set.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Described {
    pub(super) at: VirtualTime,
    pub(super) word: LocalWord,
    /// Empty where the capture holds no bodies.
    pub(super) sdp: String,
    ufrag: Option<String>,
    identity: String,
    candidates_within: usize,
    /// What its author sends, and the channels it offers.
    sends: Vec<String>,
}

impl Described {
    /// `None` for a rollback.
    pub(super) fn new(at: VirtualTime, description: &Description) -> Option<Self> {
        let word = match description.kind {
            SdpType::Offer => LocalWord::Offer,
            SdpType::Pranswer => LocalWord::Pranswer,
            SdpType::Answer => LocalWord::Answer,
            SdpType::Rollback => return None,
        };
        Some(Self {
            at,
            word,
            sdp: description.sdp.clone(),
            ufrag: description.ufrag().map(str::to_owned),
            identity: description.identity(),
            candidates_within: description.candidates().count(),
            sends: description
                .media()
                .into_iter()
                .filter(|section| section.sends() || (section.active && section.kind == "application"))
                .map(|section| section.kind)
                .collect(),
        })
    }

    /// One of which only the type is known.
    pub(super) fn bare(at: VirtualTime, word: LocalWord) -> Self {
        Self {
            at,
            word,
            sdp: String::new(),
            ufrag: None,
            identity: String::new(),
            candidates_within: 0,
            sends: Vec::new(),
        }
    }

    /// Whether its ICE generation is another one than that of `before`.
    pub(super) fn restarts(&self, before: &Self) -> bool {
        self.ufrag.is_some() && before.ufrag.is_some() && self.ufrag != before.ufrag
    }

    /// The tracks and channels that its author must have had to write it.
    pub(super) fn needs(&self) -> Vec<ApiCall> {
        let kinds = self.sends.iter().map(String::as_str);
        let mut calls: Vec<ApiCall> = kinds
            .filter_map(|kind| match kind {
                "audio" => Some(ApiCall::AddTrack(MediaKind::Audio)),
                "video" => Some(ApiCall::AddTrack(MediaKind::Video)),
                // Who answers is told of the channels by the other side.
                "application" if self.word == LocalWord::Offer => Some(ApiCall::CreateDataChannel),
                _ => None,
            })
            .collect();
        if self.sdp.trim().is_empty() {
            calls = vec![ApiCall::AddTrack(MediaKind::Audio), ApiCall::AddTrack(MediaKind::Video)];
        }
        calls
    }

    /// `addIceCandidate` for those that came within it.
    pub(super) fn candidates(&self, nth: usize) -> Vec<ApiCall> {
        let count = self.candidates_within.min(super::CANDIDATES);
        vec![ApiCall::AddIceCandidate { nth: number(nth) }; count]
    }
}

/// Which of `made`, from 1, was applied at `at` as `description`: the same one, else the newest of its type.
pub(super) fn find(made: &[Described], description: &Description, at: VirtualTime) -> Option<usize> {
    let identity = description.identity();
    let word = Described::new(at, description)?.word;
    let same = |one: &Described| !one.sdp.is_empty() && one.identity == identity;
    // Some servers do not count the versions of their descriptions: the body tells them apart, and the time.
    let very_same = |one: &Described| same(one) && one.sdp == description.sdp;
    let position = last_before(made, at, very_same)
        .or_else(|| last_before(made, at, same))
        .or_else(|| newest(made, word, at));
    position.map(|position| position + 1)
}

/// The newest of this type before `at`; where clocks disagree, the first.
pub(super) fn newest(made: &[Described], word: LocalWord, at: VirtualTime) -> Option<usize> {
    last_before(made, at, |one| one.word == word)
}

fn last_before(made: &[Described], at: VirtualTime, is: impl Fn(&Described) -> bool) -> Option<usize> {
    made.iter().rposition(|one| is(one) && one.at <= at).or_else(|| made.iter().position(is))
}

/// After which of `made`, from 1, a candidate that was seen at `at` was gathered.
pub(super) fn of_candidate(made: &[Described], candidate: &Candidate, at: VirtualTime) -> Option<usize> {
    let same = |one: &Described| one.ufrag.is_some() && one.ufrag == candidate.ufrag;
    let position = made.iter().position(same).or_else(|| {
        let before = made.iter().rposition(|one| one.at <= at);
        before.or((!made.is_empty()).then_some(0))
    });
    position.map(|position| position + 1)
}

pub(super) fn number(nth: usize) -> u32 {
    u32::try_from(nth).unwrap_or(u32::MAX)
}
