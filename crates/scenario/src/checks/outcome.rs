//! How a run came out: `outcome`, `path`, `end-reason`, `final-state`, `connected`, `milestone`,
//! `steps-understood`, `ended-by-itself`.

use timeline::{CallState, EndReason, VirtualTime};

use super::{Findings, one_of};
use crate::{
    metrics::{self, FirstCall, Milestones},
    plan::{AlwaysOn, Plan, Reached},
    record::{NotUnderstood, RunRecord, WorldEnd},
};

pub(super) fn check(plan: &Plan, record: &RunRecord, findings: &mut Findings<'_>) {
    let (allowed, found) = (&plan.expect.outcomes, metrics::outcome(plan, record));
    if !allowed.is_empty() && !allowed.contains(&found) {
        findings.add("outcome", format!("expected {}, the call came out as {found}", one_of(allowed)));
    }
}

pub(super) fn check_path(plan: &Plan, record: &RunRecord, findings: &mut Findings<'_>) {
    let allowed = &plan.expect.paths;
    let Some(FirstCall { caller, callee, .. }) = FirstCall::of(plan).filter(|_| !allowed.is_empty()) else {
        return;
    };
    let found = metrics::simulated_path(record, caller, callee);
    if !allowed.contains(&found) {
        findings.add("path", format!("expected the call to go by {}, found {found}", one_of(allowed)));
    }
}

pub(super) fn check_peers(plan: &Plan, record: &RunRecord, findings: &mut Findings<'_>) {
    for (name, expect) in &plan.expect.peers {
        let Some(peer) = record.peers.get(name) else {
            findings.add("final-state", format!("the run has no record of {name}"));
            continue;
        };
        let is_allowed = peer.end_reason.is_some_and(|reason| expect.ends.contains(&reason));
        if !expect.ends.is_empty() && !is_allowed {
            let reason = peer.end_reason.map_or("nothing: it did not end", EndReason::as_str);
            let allowed = one_of(&expect.ends);
            findings.add("end-reason", format!("{name}: expected the end {allowed}, found {reason}"));
        }
        if let Some(state) = expect.state.filter(|state| !state.is_same(peer.call_state)) {
            let [state, found] = [state, peer.call_state].map(CallState::as_str);
            findings.add("final-state", format!("{name}: expected its call {state}, it is {found}"));
        }
        match (expect.connected, peer.connected_at) {
            (Some(Reached::Yes), None) => {
                findings.add("connected", format!("{name}: expected to be connected, never was"));
            }
            (Some(Reached::No), Some(at)) => {
                findings.add_at(at, "connected", format!("{name}: expected never to be connected, was"));
            }
            _ => {}
        }
    }
}

pub(super) fn check_milestones(plan: &Plan, milestones: &Milestones, findings: &mut Findings<'_>) {
    let dialled = FirstCall::of(plan).map_or(VirtualTime::ZERO, |call| call.dialled);
    for bound in &plan.expect.milestones {
        let of = bound.peer.as_ref().map(|peer| format!(" of {peer}")).unwrap_or_default();
        let Some(at) = milestones.at(bound.milestone, bound.peer.as_ref()) else {
            findings.add("milestone", format!("{}{of} was never reached", bound.milestone));
            continue;
        };
        let found = at.since(dialled);
        if let Some(expected) = bound.range.broken_by(found) {
            let message =
                format!("{}{of} came {found:?} after the dial, expected {expected}", bound.milestone);
            findings.add_at(at, "milestone", message);
        }
    }
}

pub(super) fn check_steps(record: &RunRecord, findings: &mut Findings<'_>) {
    for NotUnderstood { at, peer, what } in &record.not_understood {
        findings.add_at(*at, "steps-understood", format!("{peer}: {what}"));
    }
}

pub(super) fn check_end(record: &RunRecord, findings: &mut Findings<'_>) {
    let what = match record.end {
        WorldEnd::Finished => return,
        WorldEnd::Deadline => "its virtual deadline stopped it".to_owned(),
        WorldEnd::EventBudget => "its event budget was used up".to_owned(),
        WorldEnd::Stalled => "nothing could happen any more, yet tasks were waiting".to_owned(),
        WorldEnd::Escaped => {
            let escapes: Vec<String> = record.escapes.iter().map(ToString::to_string).collect();
            format!("a program called the machine instead of the world: {}", escapes.join("; "))
        }
    };
    findings.add(AlwaysOn::EndedByItself.as_str(), format!("the run did not come to its end: {what}"));
}
