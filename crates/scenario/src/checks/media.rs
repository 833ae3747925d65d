//! Which way media flows: `media-both-ways`, `media-none`, `media-only`.

use timeline::{Name, VirtualTime};

use super::Findings;
use crate::{
    metrics::FirstCall,
    plan::{FlowExpect, MediaExpect, Plan},
    record::RunRecord,
};

pub(super) fn check(plan: &Plan, record: &RunRecord, findings: &mut Findings<'_>) {
    for expect in &plan.expect.media {
        match &expect.flow {
            FlowExpect::BothWays => {
                let Some(call) = FirstCall::of(plan) else { continue };
                let pairs = [(call.caller, call.callee), (call.callee, call.caller)];
                require("media-both-ways", expect, &pairs, record, findings);
            }
            FlowExpect::None => forbid("media-none", expect, &[], record, findings),
            FlowExpect::Only(pairs) => {
                let pairs: Vec<(&Name, &Name)> = pairs.iter().map(|(from, to)| (from, to)).collect();
                require("media-only", expect, &pairs, record, findings);
                forbid("media-only", expect, &pairs, record, findings);
            }
        }
    }
}

fn require(
    check: &'static str,
    expect: &MediaExpect,
    pairs: &[(&Name, &Name)],
    record: &RunRecord,
    findings: &mut Findings<'_>,
) {
    for (from, to) in pairs {
        if packets(record, from, to, expect) == 0 {
            let message = format!("no {} arrived from {from} at {to}{}", expect.kind, window(expect));
            findings.add(check, message);
        }
    }
}

fn forbid(
    check: &'static str,
    expect: &MediaExpect,
    except: &[(&Name, &Name)],
    record: &RunRecord,
    findings: &mut Findings<'_>,
) {
    for (to, peer) in &record.peers {
        for (from, kind) in peer.received.keys() {
            let allowed = *kind != expect.kind || except.contains(&(from, to));
            let count = packets(record, from, to, expect);
            if !allowed && count > 0 {
                let message =
                    format!("{count} packets of {kind} arrived from {from} at {to}{}", window(expect));
                // The first one that counts is not kept, only the bounds of all.
                let at =
                    expect.after.map_or(peer.received[&(from.clone(), *kind)].first, |at| Some(at.into()));
                findings.add_at(at.unwrap_or(VirtualTime::ZERO), check, message);
            }
        }
    }
}

fn packets(record: &RunRecord, from: &Name, to: &Name, expect: &MediaExpect) -> u64 {
    let flow = record.peers.get(to).and_then(|peer| peer.received.get(&(from.clone(), expect.kind)));
    flow.map_or(0, |flow| flow.packets_between(expect.after, expect.before))
}

fn window(expect: &MediaExpect) -> String {
    match (expect.after, expect.before) {
        (None, None) => String::new(),
        (Some(after), None) => format!(" after {after:?}"),
        (None, Some(before)) => format!(" before {before:?}"),
        (Some(after), Some(before)) => format!(" between {after:?} and {before:?}"),
    }
}
