//! Which states machines pass: `never`, `sequence`.

use timeline::{Event, Name, State};

use super::Findings;
use crate::{
    metrics::FirstCall,
    plan::{Plan, Sequence},
    record::RunRecord,
};

pub(super) fn check_never(plan: &Plan, record: &RunRecord, findings: &mut Findings<'_>) {
    for never in &plan.expect.never {
        for entry in &record.timeline.entries {
            let Event::Transition { from, to, cause } = &entry.event else { continue };
            let concerned = never.peer.as_ref().is_none_or(|peer| *peer == entry.actor);
            if concerned && to.is_same(never.state) {
                let (who, machine) = (&entry.actor, to.machine());
                let cause = cause.map(|cause| format!(" ({cause})")).unwrap_or_default();
                let message = format!("{who}: {machine} must never be {to}, but {from} → {to}{cause}");
                findings.add_at(entry.at, "never", message);
            }
        }
    }
}

pub(super) fn check_sequences(plan: &Plan, record: &RunRecord, findings: &mut Findings<'_>) {
    for sequence in &plan.expect.sequences {
        match &sequence.peer {
            Some(peer) => check_sequence(sequence, peer, record, findings),
            None => {
                let sides = FirstCall::of(plan).map(|call| call.sides());
                sides.iter().flatten().for_each(|side| check_sequence(sequence, side, record, findings));
            }
        }
    }
}

fn check_sequence(sequence: &Sequence, peer: &Name, record: &RunRecord, findings: &mut Findings<'_>) {
    let passed: Vec<State> =
        record.timeline.transitions(peer, sequence.machine).map(|(_, state)| state).collect();
    let mut rest = passed.iter();
    let missing = sequence.states.iter().find(|wanted| !rest.any(|state| state.is_same(**wanted)));
    if let Some(missing) = missing {
        let message = format!(
            "{peer}: {} should pass {}; {} is missing, it passed {}",
            sequence.machine,
            in_words(&sequence.states),
            missing.as_str(),
            if passed.is_empty() { "nothing".to_owned() } else { in_words(&passed) },
        );
        findings.add("sequence", message);
    }
}

fn in_words(states: &[State]) -> String {
    states.iter().map(|state| state.as_str()).collect::<Vec<_>>().join(", ")
}
