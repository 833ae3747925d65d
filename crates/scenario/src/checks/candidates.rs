//! `no-candidate-lost`: every candidate that was sent while both ends of a call lived was applied, was
//! refused aloud, or is accounted for.
//!
//! A candidate is accounted for if it could not arrive (an outage that nothing ends, a call that is
//! over before it could come, a TCP connection that lost segments and has delivered nothing since), or if it had nothing to be applied to (the remote description never
//! came, or the call ended on the spot). Candidates are told apart by their text, which is the `detail`
//! of a `candidate` message and the `candidate` of what became of it.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use timeline::{CandidateFate, Event, Machine, Name, Verdict, VirtualTime};

use super::Findings;
use crate::{
    plan::{Action, AlwaysOn, Plan},
    record::{Fate, MessageRecord, RunRecord, state_word},
};

/// How long a message may take on a network that works, besides what the signaller keeps it.
const DELIVERY: Duration = Duration::from_secs(2);
/// How long a received candidate may take to be applied.
const APPLYING: Duration = Duration::from_millis(200);

pub(super) fn check(plan: &Plan, record: &RunRecord, findings: &mut Findings<'_>) {
    for receiver in record.peers.keys() {
        let mut seen = Seen::of(receiver, record);
        for sent in sent_to(receiver, record) {
            let Some(problem) = seen.problem_with(&sent, receiver, plan, record) else { continue };
            let Sent { at, from, candidate, .. } = sent;
            let message = format!("{candidate}, sent by {from} to {receiver}: {problem}");
            findings.add_at(at, AlwaysOn::NoCandidateLost.as_str(), message);
        }
    }
}

/// A candidate that was sent.
struct Sent<'a> {
    at: VirtualTime,
    from: &'a Name,
    candidate: &'a str,
    /// How many messages of any kind its sender had sent to its receiver before.
    before: usize,
}

fn sent_to<'a>(receiver: &'a Name, record: &'a RunRecord) -> impl Iterator<Item = Sent<'a>> {
    let mut sent_by: BTreeMap<&Name, usize> = BTreeMap::new();
    record.timeline.entries.iter().filter_map(move |entry| match &entry.event {
        Event::MessageSent { kind, to, detail } if to == receiver => {
            let count = sent_by.entry(&entry.actor).or_default();
            let before = std::mem::replace(count, *count + 1);
            let sent = Sent { at: entry.at, from: &entry.actor, candidate: detail, before };
            (kind == "candidate").then_some(sent)
        }
        _ => None,
    })
}

/// What a receiver saw of candidates, and has not yet been matched with one that was sent.
struct Seen<'a> {
    arrived: BTreeMap<(&'a Name, &'a str), VecDeque<Arrival>>,
}

/// One that arrived, and whether something became of it.
#[derive(Clone, Copy)]
struct Arrival {
    at: VirtualTime,
    settled: bool,
}

impl<'a> Seen<'a> {
    fn of(receiver: &Name, record: &'a RunRecord) -> Self {
        let mut seen = Self { arrived: BTreeMap::new() };
        for entry in record.timeline.entries.iter().filter(|entry| entry.actor == *receiver) {
            match &entry.event {
                Event::MessageReceived { kind, from, detail } if kind == "candidate" => {
                    let arrival = Arrival { at: entry.at, settled: false };
                    seen.arrived.entry((from, detail)).or_default().push_back(arrival);
                }
                Event::Candidate { fate: CandidateFate::Applied | CandidateFate::Rejected, candidate } => {
                    // Behind one that was refused stands why.
                    let candidate = candidate.split_once(": ").map_or(&**candidate, |(text, _)| text);
                    seen.settle(candidate);
                }
                _ => {}
            }
        }
        seen
    }

    /// Something becomes of this candidate: of the one that arrived last, for one that came before may have
    /// been of another call.
    fn settle(&mut self, candidate: &str) {
        let same = self.arrived.iter_mut().filter(|((_, text), _)| *text == candidate);
        let open = same.flat_map(|(_, arrivals)| arrivals).filter(|arrival| !arrival.settled);
        if let Some(newest) = open.max_by_key(|arrival| arrival.at) {
            newest.settled = true;
        }
    }

    fn problem_with(
        &mut self,
        sent: &Sent<'a>,
        receiver: &Name,
        plan: &Plan,
        record: &RunRecord,
    ) -> Option<String> {
        let arrivals = self.arrived.get_mut(&(sent.from, sent.candidate));
        let Some(arrived) = arrivals.and_then(VecDeque::pop_front) else {
            let ends = [sent.from, receiver].map(|peer| over_by(record, peer, sent.at));
            if signalling_accounts_for(sent, receiver, plan, record) {
                return None;
            }
            let due = due(plan, sent, receiver)?;
            let accounted = due > record.elapsed || ends.into_iter().flatten().any(|over| over <= due);
            let accounted = accounted || is_held_by_tcp(sent, receiver, record);
            return (!accounted).then(|| format!("it should have arrived by {due} ms and never did"));
        };
        let Arrival { at: arrived, settled } = arrived;
        if settled || is_of_a_call_that_is_over(sent, receiver, arrived, record) {
            return None;
        }
        let described = remote_description(record, receiver)?;
        let due = arrived.max(described) + APPLYING;
        let over = over_by(record, receiver, arrived).is_some_and(|over| over <= due);
        (!over).then(|| format!("it arrived at {arrived} ms and was neither applied nor refused"))
    }
}

/// Whether the call that a candidate belongs to may have ended at either end before it `arrived`; both may be
/// in another one then.
fn is_of_a_call_that_is_over(
    sent: &Sent<'_>,
    receiver: &Name,
    arrived: VirtualTime,
    record: &RunRecord,
) -> bool {
    let ended = |peer: &Name, from: VirtualTime| {
        let mut states = record.timeline.transitions(peer, Machine::Call);
        states.any(|(at, to)| from <= at && at <= arrived && state_word(to) == "ended")
    };
    let began = record
        .timeline
        .transitions(sent.from, Machine::Call)
        .filter(|(at, to)| *at <= sent.at && matches!(state_word(to), "dialling" | "ringing"));
    let began = began.map(|(at, _)| at).last().unwrap_or(sent.at);
    ended(sent.from, sent.at) || ended(receiver, began)
}

/// Whether a candidate that never arrived is the business of `signalling-exactly-once`: a rule of the scenario
/// dropped it, it went with the signaller's store, or it waits while the scenario disturbs the signalling.
fn signalling_accounts_for(sent: &Sent<'_>, receiver: &Name, plan: &Plan, record: &RunRecord) -> bool {
    let is_it = |message: &&MessageRecord| {
        message.kind == "candidate"
            && (&message.from, &message.to) == (sent.from, receiver)
            && (message.handed_over, message.detail.as_str()) == (sent.at, sent.candidate)
            && message.taken.is_empty()
    };
    let Some(message) = record.signalling.messages().iter().find(is_it) else { return false };
    let lost = |accepted| record.signalling.stores_lost().iter().any(|lost| *lost >= accepted);
    let is_settled = matches!(message.fate, Some(Fate::Dropped | Fate::Refused | Fate::Forgotten));
    let is_disturbed = !plan.signaller.faults.is_empty()
        || plan.steps.iter().any(|step| matches!(step.action, Action::Signaller { .. }));
    let waits = message.waits || message.accepted.is_none();
    is_settled || message.accepted.is_some_and(lost) || (is_disturbed && waits)
}

/// When a message must have arrived; `None` where an outage that nothing ends keeps it.
fn due(plan: &Plan, sent: &Sent<'_>, receiver: &Name) -> Option<VirtualTime> {
    let kept = plan.signaller.delays.iter().map(|delay| delay.by).max().unwrap_or_default();
    let mut due = sent.at + DELIVERY + kept;
    for host in [sent.from.as_str(), receiver.as_str(), Plan::SIGNALLER] {
        for (down, up) in outages(plan, host) {
            if down > due || up.is_some_and(|up| up < sent.at) {
                continue;
            }
            // TCP waits twice as long after each loss: it may sleep as long again as the outage took.
            let up = up?;
            due = due.max(up + up.since(down.min(sent.at)) + DELIVERY + kept);
        }
    }
    Some(due)
}

/// Whether TCP may still have it: a lost segment waits twice as long after each loss (RFC 6298 §5.5), and
/// since TCP keeps the order, nothing that was sent after it has arrived either.
fn is_held_by_tcp(sent: &Sent<'_>, receiver: &Name, record: &RunRecord) -> bool {
    let ends = [Some(sent.from), Some(receiver)];
    let was_lost = record.timeline.packets.iter().any(|packet| {
        matches!(packet.verdict, Verdict::Held | Verdict::DeliveredLate)
            && [Some(&packet.from_host), packet.to_host.as_ref()].iter().any(|end| ends.contains(end))
    });
    let arrived = record.timeline.entries.iter().filter(|entry| {
        entry.actor == *receiver
            && matches!(&entry.event, Event::MessageReceived { from, .. } if from == sent.from)
    });
    was_lost && arrived.count() <= sent.before
}

/// When a host's link went down, and when it came up again, if it did.
fn outages(plan: &Plan, host: &str) -> Vec<(VirtualTime, Option<VirtualTime>)> {
    let mut outages: Vec<(VirtualTime, Option<VirtualTime>)> = Vec::new();
    for step in plan.steps.iter().filter(|step| *step.action.subject() == host) {
        let open = outages.last().is_some_and(|(_, up)| up.is_none());
        match step.action {
            Action::LinkDown { .. } if !open => outages.push((step.at.into(), None)),
            Action::LinkUp { .. } => {
                if let Some((_, up @ None)) = outages.last_mut() {
                    *up = Some(step.at.into());
                }
            }
            _ => {}
        }
    }
    outages
}

/// The first moment from `at` on at which `peer` is in no call; `None` if it is in one to the end.
fn over_by(record: &RunRecord, peer: &Name, at: VirtualTime) -> Option<VirtualTime> {
    let mut state = "idle";
    for (when, to) in record.timeline.transitions(peer, Machine::Call) {
        let to = state_word(to);
        if when > at && matches!(state, "idle" | "ended") {
            return Some(at);
        }
        if when >= at && matches!(to, "idle" | "ended") {
            return Some(when);
        }
        state = to;
    }
    matches!(state, "idle" | "ended").then_some(at)
}

/// When `peer` first had a remote description.
fn remote_description(record: &RunRecord, peer: &Name) -> Option<VirtualTime> {
    let mut offered = false;
    for (at, state) in record.timeline.transitions(peer, Machine::Signaling) {
        match state {
            "have-remote-offer" | "have-remote-pranswer" => return Some(at),
            "stable" if offered => return Some(at),
            "have-local-offer" => offered = true,
            _ => {}
        }
    }
    None
}
