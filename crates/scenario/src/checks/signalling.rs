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
            let message = format!("{name} reached the signaller again {again} times, expected {expected}");
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        checks,
        record::SignallingRecord,
        testing::{Sketch, plan_with},
    };

    /// A run whose signalling is what `tell` makes it; all that is wrong with it.
    fn failures(
        transport: TransportPlan,
        expect: &str,
        tell: impl FnOnce(&mut SignallingRecord),
    ) -> Vec<String> {
        let mut plan = plan_with("", expect);
        plan.signaller.transport = transport;
        let mut record = Sketch::connected().record();
        tell(&mut record.signalling);
        let failures = checks::check(&plan, &record);
        failures.into_iter().map(|failure| format!("{}: {}", failure.check, failure.message)).collect()
    }

    #[track_caller]
    fn check(tell: impl FnOnce(&mut SignallingRecord), expect: &[&str]) {
        assert_eq!(failures(TransportPlan::Rest, "", tell), expect);
    }

    /// The caller hands messages 1 to `count` over, and the signaller accepts them.
    fn send(record: &mut SignallingRecord, count: u64) {
        for id in 1..=count {
            record.handed_over(message(id));
            record.accepted(&"caller".into(), id, VirtualTime::from_millis(1200 + id));
        }
    }

    fn message(id: u64) -> MessageRecord {
        MessageRecord {
            from: "caller".into(),
            to: "callee".into(),
            id,
            kind: timeline::MessageKind::Offer,
            detail: String::new(),
            handed_over: VirtualTime::from_millis(1100 + id),
            accepted: None,
            fate: None,
            taken: Vec::new(),
            waits: false,
        }
    }

    fn take(record: &mut SignallingRecord, ids: &[u64]) {
        for (later, id) in (0..).zip(ids) {
            record.taken(&"caller".into(), *id, VirtualTime::from_millis(1300 + later));
        }
    }

    const LOST: &str = "signalling-exactly-once: message 2, offer from caller to callee, was accepted by the \
                        signaller, waits there no more, and was never taken";

    #[test]
    fn what_arrives_once_and_in_order_is_well() {
        check(|record| (send(record, 3), take(record, &[1, 2, 3])).0, &[]);
    }

    #[test]
    fn what_was_accepted_and_never_taken_is_lost() {
        check(|record| (send(record, 2), take(record, &[1])).0, &[LOST]);
    }

    #[test]
    fn what_waits_was_dropped_or_went_with_the_store_is_accounted_for() {
        let sent = |record: &mut SignallingRecord| (send(record, 2), take(record, &[1])).0;
        check(|record| (sent(record), record.waits(&"caller".into(), 2)).0, &[]);
        check(|record| (sent(record), record.fated(&"caller".into(), 2, Fate::Dropped)).0, &[]);
        check(|record| (sent(record), record.forgotten(&"callee".into())).0, &[]);
        check(|record| (sent(record), record.store_lost(VirtualTime::from_millis(1202))).0, &[]);
        // A store that was lost before the message came took nothing with it.
        check(|record| (sent(record), record.store_lost(VirtualTime::from_millis(1201))).0, &[LOST]);
        check(|record| (sent(record), record.fated(&"caller".into(), 2, Fate::Held)).0, &[LOST]);
    }

    #[test]
    fn what_never_came_is_lost_if_a_later_one_did() {
        let gap = |record: &mut SignallingRecord| {
            record.handed_over(message(1));
            record.handed_over(message(2));
            record.accepted(&"caller".into(), 2, VirtualTime::from_millis(1300));
            take(record, &[2]);
        };
        let lost = "signalling-exactly-once: message 1, offer from caller to callee, never came to the \
                    signaller, and a later one of its sender did";
        check(gap, &[lost]);
        check(|record| (gap(record), record.fated(&"caller".into(), 1, Fate::Refused)).0, &[]);
        // The last one may still be with its sender.
        check(|record| (send(record, 1), take(record, &[1]), record.handed_over(message(2))).0, &[]);
    }

    #[test]
    fn twice_or_late_is_well_only_where_the_scenario_did_it() {
        let twice = "signalling-exactly-once: message 1, offer from caller to callee, was taken 2 times";
        let late = "signalling-exactly-once: message 1, offer from caller to callee, was taken after a later \
                    one of its sender";
        let twice_over = |record: &mut SignallingRecord| (send(record, 1), take(record, &[1, 1])).0;
        check(twice_over, &[twice]);
        check(|record| (twice_over(record), record.fated(&"caller".into(), 1, Fate::Duplicated)).0, &[]);
        let reordered = |record: &mut SignallingRecord| (send(record, 2), take(record, &[2, 1])).0;
        check(reordered, &[late]);
        check(|record| (reordered(record), record.fated(&"caller".into(), 1, Fate::Held)).0, &[]);
    }

    #[test]
    fn a_stream_may_take_its_last_messages_with_it() {
        let lost = |record: &mut SignallingRecord| (send(record, 2), take(record, &[1])).0;
        assert_eq!(failures(TransportPlan::Stream, "", lost), [""; 0]);
        let twice = |record: &mut SignallingRecord| (send(record, 1), take(record, &[1, 1])).0;
        assert_eq!(failures(TransportPlan::Stream, "", twice).len(), 1);
    }

    #[test]
    fn the_check_can_be_waived() {
        let waived = "waive = { signalling-exactly-once = \"because\" }";
        let lost = |record: &mut SignallingRecord| (send(record, 2), take(record, &[1])).0;
        assert_eq!(failures(TransportPlan::Rest, waived, lost), [""; 0]);
    }

    #[test]
    fn ways_and_reconnects_are_counted() {
        let tell = |record: &mut SignallingRecord| {
            for way in ["websocket", "websocket", "rest"] {
                record.way(&"callee".into(), way.to_owned(), VirtualTime::ZERO);
            }
        };
        let expect = |words| failures(TransportPlan::Rest, &format!("peers.callee = {{ {words} }}"), tell);
        assert_eq!(expect("ways = [\"websocket\", \"rest\"], reconnects = 2"), [""; 0]);
        assert_eq!(
            expect("ways = [\"rest\"], reconnects = 1"),
            [
                "ways: callee: expected to signal by rest, found websocket, then rest",
                "reconnects: callee reached the signaller again 2 times, expected exactly 1",
            ]
        );
        assert_eq!(expect("ways = []").len(), 1);
    }
}
