//! `no-candidate-lost`: every candidate that was sent while both ends of a call lived was applied, was
//! refused aloud, or is accounted for.
//!
//! A candidate is accounted for if it could not arrive (an outage that nothing ends, a call that is
//! over before it could come, a TCP connection that lost segments and has delivered nothing since), or if it had
//! nothing to be applied to (the remote description never came, or the call ended on the spot). What became of a
//! candidate names the message that brought it, by its sender and the sender's number.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use timeline::{
    CallState, CandidateFate, Event, Machine, MessageKind, MessageRef, Name, SignalingState, State, Verdict,
    VirtualTime,
};

use super::Findings;
use crate::{
    plan::{Action, AlwaysOn, Plan},
    record::{Fate, RunRecord},
};

/// How long a message may take on a network that works, besides what the signaller keeps it.
const DELIVERY: Duration = Duration::from_secs(2);
/// How long a received candidate may take to be applied.
const APPLYING: Duration = Duration::from_millis(200);

pub(super) fn check(plan: &Plan, record: &RunRecord, findings: &mut Findings<'_>) {
    for receiver in record.peers.keys() {
        let seen = Seen::of(receiver, record);
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
    /// Its sender's number for the message.
    id: u64,
    /// As the message says it.
    candidate: &'a str,
    /// How many messages of any kind its sender had sent to its receiver before.
    before: usize,
}

fn sent_to<'a>(receiver: &'a Name, record: &'a RunRecord) -> impl Iterator<Item = Sent<'a>> {
    let mut sent_by: BTreeMap<&Name, usize> = BTreeMap::new();
    record.timeline.entries.iter().filter_map(move |entry| match &entry.event {
        Event::MessageSent { id, kind, to, detail } if to == receiver => {
            let count = sent_by.entry(&entry.actor).or_default();
            let before = std::mem::replace(count, *count + 1);
            let sent = Sent { at: entry.at, from: &entry.actor, id: *id, candidate: detail, before };
            (*kind == MessageKind::Candidate).then_some(sent)
        }
        _ => None,
    })
}

/// What a receiver saw of candidates, by the messages that brought them.
struct Seen<'a> {
    arrived: BTreeMap<(&'a Name, u64), VirtualTime>,
    settled: BTreeSet<(&'a Name, u64)>,
}

impl<'a> Seen<'a> {
    fn of(receiver: &Name, record: &'a RunRecord) -> Self {
        let mut seen = Self { arrived: BTreeMap::new(), settled: BTreeSet::new() };
        for entry in record.timeline.entries.iter().filter(|entry| entry.actor == *receiver) {
            match &entry.event {
                Event::MessageReceived { id, kind: MessageKind::Candidate, from, .. } => {
                    seen.arrived.entry((from, *id)).or_insert(entry.at);
                }
                Event::Candidate {
                    fate: CandidateFate::Applied | CandidateFate::Rejected,
                    message: Some(MessageRef { from, id }),
                    ..
                } => {
                    seen.settled.insert((from, *id));
                }
                _ => {}
            }
        }
        seen
    }

    fn problem_with(
        &self,
        sent: &Sent<'a>,
        receiver: &Name,
        plan: &Plan,
        record: &RunRecord,
    ) -> Option<String> {
        let message = (sent.from, sent.id);
        let Some(arrived) = self.arrived.get(&message).copied() else {
            let ends = [sent.from, receiver].map(|peer| over_by(record, peer, sent.at));
            if signalling_accounts_for(sent, receiver, plan, record) {
                return None;
            }
            let due = due(plan, sent, receiver)?;
            let accounted = due > record.elapsed || ends.into_iter().flatten().any(|over| over <= due);
            let accounted = accounted || is_held_by_tcp(sent, receiver, record);
            return (!accounted).then(|| format!("it should have arrived by {due} ms and never did"));
        };
        if self.settled.contains(&message) || is_of_a_call_that_is_over(sent, receiver, arrived, record) {
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
        states.any(|(at, to)| from <= at && at <= arrived && matches!(to, State::Call(CallState::Ended(_))))
    };
    let began = record.timeline.transitions(sent.from, Machine::Call).filter(|(at, to)| {
        *at <= sent.at && matches!(to, State::Call(CallState::Dialling | CallState::Ringing))
    });
    let began = began.map(|(at, _)| at).last().unwrap_or(sent.at);
    ended(sent.from, sent.at) || ended(receiver, began)
}

/// Whether a candidate that never arrived is the business of `signalling-exactly-once`: a rule of the scenario
/// dropped it, it went with the signaller's store, or it waits while the scenario disturbs the signalling.
fn signalling_accounts_for(sent: &Sent<'_>, receiver: &Name, plan: &Plan, record: &RunRecord) -> bool {
    let known = record.signalling.get(sent.from, sent.id);
    let Some(message) = known.filter(|message| message.to == *receiver && message.taken.is_empty()) else {
        return false;
    };
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
    let is_over = |state| matches!(state, State::Call(CallState::Idle | CallState::Ended(_)));
    let mut state = Machine::Call.initial();
    for (when, to) in record.timeline.transitions(peer, Machine::Call) {
        if when > at && is_over(state) {
            return Some(at);
        }
        if when >= at && is_over(to) {
            return Some(when);
        }
        state = to;
    }
    is_over(state).then_some(at)
}

/// When `peer` first had a remote description.
fn remote_description(record: &RunRecord, peer: &Name) -> Option<VirtualTime> {
    let mut offered = false;
    for (at, state) in record.timeline.transitions(peer, Machine::Signaling) {
        use SignalingState::{HaveLocalOffer, HaveRemoteOffer, HaveRemotePranswer, Stable};
        match state {
            State::Signaling(HaveRemoteOffer | HaveRemotePranswer) => return Some(at),
            State::Signaling(Stable) if offered => return Some(at),
            State::Signaling(HaveLocalOffer) => offered = true,
            _ => {}
        }
    }
    None
}
