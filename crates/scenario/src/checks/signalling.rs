//! How messages and peers fared with the signaller: `signalling-exactly-once`, `ways`, `reconnects`.
//!
//! A message is not lost while it waits: with its sender, where the signaller has not accepted it, or at the
//! signaller, where its addressee does not come for it. What a rule of the scenario drops, what was in a store
//! that was lost, and what a framed stream took with it when it died, is nobody's mistake.

use std::collections::BTreeMap;

use timeline::{Name, VirtualTime};

use super::Findings;
use crate::{
    plan::{AlwaysOn, Plan, TransportPlan},
    record::{Fate, MessageRecord, PeerSignalling, RunRecord},
};

pub(super) fn check(plan: &Plan, record: &RunRecord, findings: &mut Findings<'_>) {
    let check = AlwaysOn::SignallingExactlyOnce.as_str();
    let messages = record.signalling.messages();
    let mut highest_accepted: BTreeMap<&Name, u64> = BTreeMap::new();
    for message in messages.iter().filter(|message| message.accepted.is_some()) {
        let highest = highest_accepted.entry(&message.from).or_default();
        *highest = (*highest).max(message.id);
    }
    for message in messages {
        let later_was_accepted =
            highest_accepted.get(&message.from).is_some_and(|highest| message.id < *highest);
        if let Some(problem) = lost(message, later_was_accepted, plan, record) {
            findings.add_at(message.handed_over, check, format!("{} {problem}", of(message)));
        }
        if message.taken.len() > 1 && message.fate != Some(Fate::Duplicated) {
            let (at, times) = (message.taken[1].0, message.taken.len());
            findings.add_at(at, check, format!("{} was taken {times} times", of(message)));
        }
    }
    for (at, problem) in out_of_order(messages) {
        findings.add_at(at, check, problem);
    }
}

pub(super) fn check_peers(plan: &Plan, record: &RunRecord, findings: &mut Findings<'_>) {
    let nothing = PeerSignalling::default();
    for (name, expect) in &plan.expect.peers {
        let found = record.signalling.peer(name).unwrap_or(&nothing);
        let taken = found.ways_taken();
        if let Some(ways) = &expect.ways
            && !ways.iter().map(|way| way.as_str()).eq(taken.iter().copied())
        {
            let ways: Vec<&str> = ways.iter().map(|way| way.as_str()).collect();
            let (ways, taken) = (in_words(&ways), in_words(&taken));
            findings.add("ways", format!("{name}: expected to signal by {ways}, found {taken}"));
        }
        let again = (found.ways.len() as u64).saturating_sub(1);
        if let Some(expected) = expect.reconnects.filter(|expected| !expected.contains(again)) {
            let message =
                format!("{name}: expected to reach the signaller again {expected} times, found {again}");
            findings.add("reconnects", message);
        }
    }
}

/// What is wrong where a message never reached its addressee; `None` where that is accounted for.
fn lost(
    message: &MessageRecord,
    later_was_accepted: bool,
    plan: &Plan,
    record: &RunRecord,
) -> Option<&'static str> {
    if !message.taken.is_empty() || died_with_a_stream(message, plan, record) {
        return None;
    }
    let Some(accepted) = message.accepted else {
        let refused = message.fate == Some(Fate::Refused);
        return (later_was_accepted && !refused)
            .then_some("never came to the signaller, and a later one of its sender did");
    };
    let is_settled = matches!(message.fate, Some(Fate::Dropped | Fate::Forgotten | Fate::Refused));
    let went_with_the_store = record.signalling.stores_lost().iter().any(|lost| *lost >= accepted);
    let accounted = message.waits || is_settled || went_with_the_store;
    (!accounted).then_some("was accepted by the signaller, waits there no more, and was never taken")
}

/// Framed streams have no acknowledgements: what was written to one that then died, or that its reader had
/// done with, is gone.
fn died_with_a_stream(message: &MessageRecord, plan: &Plan, record: &RunRecord) -> bool {
    let by_stream = |name: &Name| {
        let peer = plan.peer(name);
        peer.is_some_and(|peer| {
            peer.signaling.transport.unwrap_or(plan.signaller.transport) == TransportPlan::Stream
        })
    };
    let lost_since = |name: &Name, since: VirtualTime| {
        let peer = record.signalling.peer(name);
        peer.is_some_and(|peer| peer.downs.iter().any(|at| *at >= since))
    };
    match message.accepted {
        None => by_stream(&message.from) && lost_since(&message.from, message.handed_over),
        // A stream that is still there at the end is closed with whatever is in it.
        Some(_) => by_stream(&message.to),
    }
}

/// Messages of one sender that one addressee took after a later one, though nobody had kept them back.
fn out_of_order(messages: &[MessageRecord]) -> Vec<(VirtualTime, String)> {
    let mut taken: Vec<(u64, VirtualTime, &MessageRecord)> = messages
        .iter()
        .flat_map(|message| message.taken.iter().map(move |(at, place)| (*place, *at, message)))
        .collect();
    taken.sort_by_key(|(place, ..)| *place);
    let mut highest: BTreeMap<(&Name, &Name), u64> = BTreeMap::new();
    let mut problems = Vec::new();
    for (_, at, message) in taken {
        let highest = highest.entry((&message.from, &message.to)).or_default();
        let may_be_late = matches!(message.fate, Some(Fate::Held | Fate::Duplicated));
        if message.id < *highest && !may_be_late {
            problems.push((at, format!("{} was taken after a later one of its sender", of(message))));
        }
        *highest = (*highest).max(message.id);
    }
    problems
}

fn of(message: &MessageRecord) -> String {
    let MessageRecord { from, to, id, kind, .. } = message;
    format!("message {id}, {kind} from {from} to {to},")
}

fn in_words(ways: &[&str]) -> String {
    if ways.is_empty() { "no way at all".to_owned() } else { ways.join(", then ") }
}
