//! How long messages took beyond their way through the network, until they were applied: in the world the
//! signaller keeps them back for as long.

use std::time::Duration;

use capture::{
    Trace,
    trace::{Message, SignalKind},
};

use timeline::MessageKind;

use super::{Delay, Drop, Script, is_applied, refusal::Round, whole_millis};

/// What is shorter is not worth an entry.
const WORTH: Duration = Duration::from_millis(2);

pub(super) fn fill(script: &mut Script, round: &Round<'_>, trace: &Trace) {
    let (caller, callee) = (script.peers[0].name.clone(), script.peers[1].name.clone());
    let offer_applied = round.offer.applied.as_ref().map(|applied| applied.at);
    if !is_applied(round.offer, trace) && round.answer.is_none() {
        let whom = &round.callee.id;
        script.assumptions.push(format!(
            "The offer was never applied at {whom}: in the world it is lost on its way to the engine there."
        ));
        script.drops.push(Drop { message: MessageKind::Offer, from: caller.clone() });
    } else {
        let until = offer_applied.or(round.offer.arrived());
        let took = until.zip(round.offer.departed()).map(|(until, from)| until.since(from));
        script.keep_back(MessageKind::Offer, &caller, took);
    }
    if let Some(answer) = round.answer {
        let from = offer_applied.or(round.offer.arrived()).or(answer.departed());
        let until = answer.applied.as_ref().map(|applied| applied.at).or(answer.arrived());
        let looked = round.caller.signalling_captured || !round.caller.connections.is_empty();
        if until.is_none() && looked || trace.loss(answer).is_some() {
            script.assumptions.push(format!("The answer never reached {}.", round.caller.id));
            script.drops.push(Drop { message: MessageKind::Answer, from: callee.clone() });
        }
        let took = until.zip(from).map(|(until, from)| until.since(from));
        script.keep_back(MessageKind::Answer, &callee, took);
    }
    for (peer, name) in [(round.caller, &caller), (round.callee, &callee)] {
        let candidates: Vec<&Message> = trace
            .messages
            .iter()
            .filter(|message| message.signal.kind == SignalKind::Candidate && message.from == peer.id)
            .collect();
        let mut took: Vec<Duration> = candidates.iter().filter_map(|message| on_its_way(message)).collect();
        took.sort();
        let other = if peer.id == round.caller.id { round.callee } else { round.caller };
        let arrivals_captured = other.signalling_captured;
        if arrivals_captured && !candidates.is_empty() && candidates.iter().all(|it| it.arrived().is_none()) {
            script.assumptions.push(format!("No candidate of {} ever arrived.", peer.id));
            script.drops.push(Drop { message: MessageKind::Candidate, from: name.clone() });
        }
        script.keep_back(MessageKind::Candidate, name, took.get(took.len() / 2).copied());
    }
}

/// Until it was received: what the application then does with it is the receiving engine's own affair.
fn on_its_way(message: &Message) -> Option<Duration> {
    let until = message.received.or(message.relay_out).or(message.relay_in)?;
    Some(until.since(message.departed()?))
}

impl Script {
    fn keep_back(&mut self, message: MessageKind, from: &str, took: Option<Duration>) {
        let by = whole_millis(took.unwrap_or_default().saturating_sub(self.delay * 2));
        if by >= WORTH {
            self.delays.push(Delay { message, from: from.to_owned(), by });
        }
    }
}
