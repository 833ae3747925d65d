//! What happens to the signaller in the course of a script, and what only the whole file can show to be wrong
//! with it.

use timeline::Name;

use super::{SignallerRead, faults::faults};
use crate::{
    format::{
        error::{ProblemKind, Problems, Span},
        peers::PeerRead,
        reader::Value,
    },
    plan::{Action, Admission, Plan, SignallerChange, Step, StoreFate, TransportPlan},
};

/// The actions of the signaller that are one word.
const SIGNALLER_WORDS: &[&str] =
    &["power-off-keeping-store", "power-off-losing-store", "power-on", "restart"];

/// `"restart"`, or `{ faults = [ … ] }`.
pub(in crate::format) fn signaller_action(
    value: Value<'_>,
    peers: &[Name],
    problems: &Problems,
) -> Option<Action> {
    let change = if value.is_table() {
        let mut table = value.table("signaller", problems)?;
        let read = table.require("faults", problems).map(|value| faults(value, peers, problems));
        table.finish(problems);
        SignallerChange::SetFaults(read?)
    } else {
        match value.known_text("action", SIGNALLER_WORDS, problems)?.as_str() {
            "power-off-keeping-store" => SignallerChange::PowerOff { store: StoreFate::Kept },
            "power-off-losing-store" => SignallerChange::PowerOff { store: StoreFate::Lost },
            "power-on" => SignallerChange::PowerOn,
            _ => SignallerChange::Restart,
        }
    };
    Some(Action::Signaller { host: Name::new(Plan::SIGNALLER), change })
}

/// What single values cannot show.
pub(in crate::format) fn check(
    signaller: &SignallerRead,
    peers: &[PeerRead],
    steps: &[(Step, Span)],
    problems: &Problems,
) {
    check_power(steps, problems);
    if signaller.plan.admission == Admission::Open {
        return;
    }
    let dials = steps.iter().filter(|(step, _)| matches!(step.action, Action::Dial { .. })).count();
    if dials > 1 {
        problems.add(ProblemKind::TokenForOneCall { dials }, signaller.admission_at.clone());
    }
    for peer in peers {
        let transport = peer.plan.signaling.transport.unwrap_or(signaller.plan.transport);
        if transport == TransportPlan::Stream {
            let kind = ProblemKind::StreamWithToken { peer: peer.name.to_string() };
            problems.add(kind, signaller.admission_at.clone());
        }
    }
}

/// Power comes back only where it was lost, and is lost only where there is some.
fn check_power(steps: &[(Step, Span)], problems: &Problems) {
    let mut is_on = true;
    for (step, at) in steps {
        let Action::Signaller { change, .. } = &step.action else { continue };
        let (needs, becomes) = match change {
            SignallerChange::PowerOff { .. } => (true, false),
            SignallerChange::PowerOn => (false, true),
            SignallerChange::Restart => (true, true),
            SignallerChange::SetFaults(_) => continue,
        };
        if needs != is_on {
            let state = if is_on { "has power" } else { "has no power" };
            problems.add(ProblemKind::SignallerPower { state }, at.clone());
        }
        is_on = becomes;
    }
}
