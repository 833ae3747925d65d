//! Of a peer connection that was not captured: what its messages say that its application must have done.

use std::collections::{BTreeMap, BTreeSet};

use capture::{
    Trace,
    trace::{Message, Peer, PeerEvent, SignalKind},
};
use timeline::{Name, VirtualTime};

use super::{
    CANDIDATES, Made, Sides,
    described::{Described, find, number, of_candidate},
};
use crate::plan::{ApiCall, LocalWord};

/// The descriptions that it sent.
pub(super) fn described(peer: &Peer, trace: &Trace) -> Vec<Described> {
    let mut sent: Vec<Described> = trace
        .messages
        .iter()
        .filter(|message| message.from == peer.id && message.signal.kind.is_description())
        .filter_map(|message| {
            let at = message.departed().unwrap_or(message.first_seen());
            match &message.signal.description {
                Some(description) => Described::new(at, description),
                None => Some(Described::bare(at, word_of(&message.signal.kind))),
            }
        })
        .collect();
    // Of an answer and an offer at one instant the answer comes first: in `have-remote-offer` nobody offers.
    sent.sort_by_key(|described| (described.at, described.word == LocalWord::Offer));
    sent
}

const fn word_of(kind: &SignalKind) -> LocalWord {
    match kind {
        SignalKind::Answer => LocalWord::Answer,
        SignalKind::Pranswer => LocalWord::Pranswer,
        _ => LocalWord::Offer,
    }
}

/// The calls that its messages tell of.
pub(super) fn calls(sides: &Sides<'_>, side: usize) -> Vec<Made> {
    let mut walk = Walk {
        sides,
        side,
        out: Vec::new(),
        set: 0,
        offered: false,
        candidates: BTreeMap::new(),
        applied: BTreeSet::new(),
        held: BTreeMap::new(),
        waiting: None,
    };
    let mut seen: Vec<(VirtualTime, Seen<'_>)> = Vec::new();
    let own = &sides.peers[side].id;
    for message in &sides.trace.messages {
        if message.from == *own {
            seen.push((message.departed().unwrap_or(message.first_seen()), Seen::Sent(message)));
        } else if let Some(at) = arrival(message, sides, side) {
            seen.push((at, Seen::Arrived(message)));
        }
    }
    seen.sort_by_key(|(at, one)| (*at, matches!(one, Seen::Sent(_))));
    walk.gathered_unseen(own);
    for (index, &(at, one)) in seen.iter().enumerate() {
        match one {
            Seen::Sent(message) => walk.sent(at, message),
            Seen::Arrived(message) => walk.arrived(at, message, &seen[index + 1..]),
        }
    }
    walk.out
}

/// When a message was there for `side`. Where nobody looked at its way, it takes no longer than the network does.
fn arrival(message: &Message, sides: &Sides<'_>, side: usize) -> Option<VirtualTime> {
    let unseen =
        !sides.peers[side].signalling_captured && message.relay_in.is_none() && message.dropped.is_none();
    message.arrived().or_else(|| unseen.then(|| message.departed().map(|at| at + sides.one_way)).flatten())
}

#[derive(Clone, Copy)]
enum Seen<'t> {
    Sent(&'t Message),
    Arrived(&'t Message),
}

struct Walk<'s, 't> {
    sides: &'s Sides<'t>,
    side: usize,
    out: Vec<Made>,
    set: usize,
    /// Whether an offer of its own waits for its answer.
    offered: bool,
    candidates: BTreeMap<usize, usize>,
    /// Which descriptions of the other side it applied.
    applied: BTreeSet<usize>,
    /// An offer that overtook the answer to its own.
    waiting: Option<&'t Message>,
    /// Candidates of descriptions that it has not applied yet: they wait, as well-behaved applications let them.
    held: BTreeMap<usize, u32>,
}

impl<'t> Walk<'_, 't> {
    /// Candidates of the other side that nobody saw on their way.
    fn gathered_unseen(&mut self, own: &Name) {
        let is_theirs =
            |message: &Message| message.from != *own && message.signal.kind == SignalKind::Candidate;
        if self.sides.peers[self.side].signalling_captured || self.sides.trace.messages.iter().any(is_theirs)
        {
            return;
        }
        let other = Sides::other(self.side);
        let Some(connection) = self.sides.peers[other].connections.first() else { return };
        for entry in &connection.entries {
            let PeerEvent::CandidateGathered { candidate } = &entry.event else { continue };
            let nth = of_candidate(&self.sides.described[other], candidate, entry.at);
            if let Some(nth) = nth.filter(|_| !candidate.is_end()) {
                let held = self.held.entry(nth).or_default();
                *held = (*held + 1).min(CANDIDATES as u32);
            }
        }
    }

    fn push(&mut self, at: VirtualTime, call: ApiCall) {
        self.out.push(Made { at, call });
    }

    fn sent(&mut self, at: VirtualTime, message: &Message) {
        match message.signal.kind {
            SignalKind::Offer | SignalKind::Answer | SignalKind::Pranswer => self.set_local(at),
            SignalKind::Bye => self.close(at),
            _ => {}
        }
    }

    fn set_local(&mut self, at: VirtualTime) {
        let own = &self.sides.described[self.side];
        let Some(now) = own.get(self.set) else { return };
        let restarts = self.set.checked_sub(1).is_some_and(|before| now.restarts(&own[before]));
        let before: Vec<ApiCall> = match self.set {
            0 => now.needs(),
            nth => more_than(&own[nth - 1].needs(), &now.needs()),
        };
        let word = now.word;
        for call in before {
            self.push(at, call);
        }
        if restarts && word == LocalWord::Offer {
            self.push(at, ApiCall::RestartIce);
        }
        self.set += 1;
        self.offered = word == LocalWord::Offer;
        self.push(at, ApiCall::SetLocalDescription(word));
    }

    fn arrived(&mut self, at: VirtualTime, message: &'t Message, later: &[(VirtualTime, Seen<'_>)]) {
        match message.signal.kind {
            SignalKind::Offer => match fate(later) {
                Offered::Answered => self.set_remote(at, message),
                Offered::Waited if self.offered => self.waiting = Some(message),
                Offered::Waited | Offered::Ignored => {}
            },
            SignalKind::Answer | SignalKind::Pranswer if self.offered => {
                self.set_remote(at, message);
                if let Some(offer) = self.waiting.take().filter(|_| !self.offered) {
                    self.set_remote(at, offer);
                }
            }
            SignalKind::Candidate => self.add_candidate(at, message),
            SignalKind::Bye | SignalKind::Reject => self.close(at),
            _ => {}
        }
    }

    fn set_remote(&mut self, at: VirtualTime, message: &Message) {
        let other = Sides::other(self.side);
        let made = &self.sides.described[other];
        let word = word_of(&message.signal.kind);
        let departed = message.departed().unwrap_or(at);
        let nth = match &message.signal.description {
            Some(description) => find(made, description, departed),
            None => super::described::newest(made, word, departed).map(|position| position + 1),
        };
        let Some(nth) = nth else { return };
        if word == LocalWord::Answer {
            self.offered = false;
        }
        self.applied.insert(nth);
        let sdp = self.sides.foreign(other, nth);
        self.push(at, ApiCall::SetRemoteDescription { nth: number(nth), sdp });
        for candidate in made[nth - 1].candidates(nth) {
            self.push(at, candidate);
        }
        for _ in 0..self.held.remove(&nth).unwrap_or_default() {
            self.push(at, ApiCall::AddIceCandidate { nth: number(nth) });
        }
    }

    fn add_candidate(&mut self, at: VirtualTime, message: &Message) {
        let Some(candidate) = message.signal.candidate.as_ref().filter(|candidate| !candidate.is_end())
        else {
            return;
        };
        let made = &self.sides.described[Sides::other(self.side)];
        let departed = message.departed().unwrap_or(at);
        let Some(nth) = of_candidate(made, candidate, departed) else { return };
        let count = self.candidates.entry(nth).or_default();
        *count += 1;
        if *count > CANDIDATES {
            return;
        }
        if self.applied.contains(&nth) {
            self.push(at, ApiCall::AddIceCandidate { nth: number(nth) });
        } else {
            *self.held.entry(nth).or_default() += 1;
        }
    }

    fn close(&mut self, at: VirtualTime) {
        if !self.out.is_empty() && self.out.iter().all(|made| made.call != ApiCall::Close) {
            self.push(at, ApiCall::Close);
        }
    }
}

/// What became of an offer that arrived.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Offered {
    /// It was answered.
    Answered,
    /// It overtook the answer to an offer of this side's, was kept until that came, and answered then.
    Waited,
    /// Nothing that could be seen.
    Ignored,
}

fn fate(later: &[(VirtualTime, Seen<'_>)]) -> Offered {
    let mut answer_came = false;
    for (_, seen) in later {
        match seen {
            Seen::Sent(message) if is_answer(message) && answer_came => return Offered::Waited,
            Seen::Sent(message) if is_answer(message) => return Offered::Answered,
            Seen::Arrived(message) if is_answer(message) => answer_came = true,
            // The answer that follows is this one's.
            Seen::Arrived(message) if message.signal.kind == SignalKind::Offer && answer_came => break,
            _ => {}
        }
    }
    Offered::Ignored
}

fn is_answer(message: &Message) -> bool {
    matches!(message.signal.kind, SignalKind::Answer | SignalKind::Pranswer)
}

/// The calls of `now` that `before` does not have.
fn more_than(before: &[ApiCall], now: &[ApiCall]) -> Vec<ApiCall> {
    let mut left = before.to_vec();
    let is_new = |call: &&ApiCall| match left.iter().position(|known| known == *call) {
        Some(at) => {
            left.remove(at);
            false
        }
        None => true,
    };
    now.iter().filter(is_new).cloned().collect()
}
