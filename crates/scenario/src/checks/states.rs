//! Which states machines pass: `never`, `sequence`.

use timeline::{Event, Name};

use super::Findings;
use crate::{
    metrics::FirstCall,
    plan::{Plan, Sequence},
    record::{RunRecord, state_word},
};

pub(super) fn check_never(plan: &Plan, record: &RunRecord, findings: &mut Findings<'_>) {
    for never in &plan.expect.never {
        for entry in &record.timeline.entries {
            let Event::Transition { machine, from, to, cause } = &entry.event else { continue };
            let concerned = never.peer.as_ref().is_none_or(|peer| *peer == entry.actor);
            if concerned && *machine == never.machine && state_word(to) == never.state {
                let message =
                    format!("{}: {machine} must never be {to}, but {from} → {to} ({cause})", entry.actor);
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
    let passed: Vec<&str> =
        record.timeline.transitions(peer, sequence.machine).map(|(_, state)| state_word(state)).collect();
    let mut rest = passed.iter();
    let missing = sequence.states.iter().find(|wanted| !rest.any(|state| state == wanted));
    if let Some(missing) = missing {
        let message = format!(
            "{peer}: {} should pass {}; {missing} is missing, it passed {}",
            sequence.machine,
            sequence.states.join(", "),
            if passed.is_empty() { "nothing".to_owned() } else { passed.join(", ") },
        );
        findings.add("sequence", message);
    }
}
