//! How many there are: `offers`, `recoveries`, `recovery-time`, `held-candidates`, `candidate-ends`, `nothing-leaked`.

use timeline::{Event, MessageKind};

use super::Findings;
use crate::{
    metrics::{self, Recovery},
    plan::{AlwaysOn, Plan},
    record::{Leftovers, RunRecord},
};

pub(super) fn check(plan: &Plan, record: &RunRecord, findings: &mut Findings<'_>) {
    let offers: u64 = record.peers.values().map(|peer| peer.offers_sent).sum();
    if let Some(expected) = plan.expect.offers.filter(|expected| !expected.contains(offers)) {
        findings.add("offers", format!("expected {expected}, {offers} were sent"));
    }
    let recoveries: u64 = record.peers.values().map(|peer| peer.recoveries).sum();
    if let Some(expected) = plan.expect.recoveries.filter(|expected| !expected.contains(recoveries)) {
        findings.add("recoveries", format!("expected {expected}, {recoveries} were counted"));
    }
    let held: u64 = record.peers.values().map(|peer| peer.candidates.held).sum();
    if let Some(expected) = plan.expect.held_candidates.filter(|expected| !expected.contains(held)) {
        findings.add("held-candidates", format!("expected {expected}, {held} were held back"));
    }
    let entries = record.timeline.entries.iter();
    let ends = entries
        .filter(|entry| matches!(entry.event, Event::MessageSent { kind: MessageKind::EndOfCandidates, .. }));
    let ends = u64::try_from(ends.count()).unwrap_or(u64::MAX);
    if let Some(expected) = plan.expect.candidate_ends.filter(|expected| !expected.contains(ends)) {
        findings.add("candidate-ends", format!("expected {expected}, {ends} were sent"));
    }
}

/// How long they take: `recovery-time`.
pub(super) fn check_recovery_time(plan: &Plan, record: &RunRecord, findings: &mut Findings<'_>) {
    let Some(range) = plan.expect.recovery_time else { return };
    let recoveries = metrics::recoveries(record);
    if recoveries.is_empty() {
        findings.add("recovery-time", "no connection was lost and stood again".to_owned());
    }
    for recovery in recoveries {
        let Recovery { of, from, to } = &recovery;
        if let Some(expected) = range.broken_by(recovery.took()) {
            let took = recovery.took();
            let message =
                format!("{of} was without a connection for {took:?} from {from} ms, expected {expected}");
            findings.add_at(*to, "recovery-time", message);
        }
    }
}

pub(super) fn check_leftovers(record: &RunRecord, findings: &mut Findings<'_>) {
    let check = AlwaysOn::NothingLeaked.as_str();
    for (host, left) in record.leftovers.iter().filter(|(_, left)| !left.is_empty()) {
        findings.add(check, format!("{host} still holds {}", in_words(left)));
    }
    for (name, peer) in &record.peers {
        for left in peer.left_behind.iter().filter(|left| !left.is_empty()) {
            findings.add(check, format!("{name} has left, and still holds {}", in_words(left)));
        }
    }
    for (name, peer) in record.peers.iter().filter(|(_, peer)| peer.tracks_live > 0) {
        findings.add(check, format!("{name} still has {} tracks that were not stopped", peer.tracks_live));
    }
}

fn in_words(left: &Leftovers) -> String {
    let counts = [(left.tasks, "tasks"), (left.timers, "timers"), (left.sockets, "sockets")];
    let some = counts.iter().filter(|(count, _)| *count > 0);
    some.map(|(count, what)| format!("{count} {what}")).collect::<Vec<_>>().join(", ")
}
