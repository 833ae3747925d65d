//! Calls that did not come about.

use crate::{
    audit::{
        Code, Findings, Severity,
        rounds::{Round, crossing, rounds},
    },
    trace::{Message, Role, SignalKind, Trace},
};

/// Reasons of a goodbye with which a callee declines.
const DECLINES: [&str; 8] = [
    "busy",
    "declined",
    "decline",
    "rejected",
    "reject",
    "permission-denied",
    "device-missing",
    "not-available",
];

/// The callee did not take the call.
pub(in crate::audit) fn rejected(trace: &Trace, findings: &mut Findings<'_>) {
    if let Some(refusal) = refusal(trace) {
        let reason =
            refusal.signal.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        let message = format!("{} did not take the call{reason}", refusal.from);
        findings.add(
            Code::CallRejected,
            Severity::Note,
            Some(&refusal.from),
            refusal.first_seen(),
            message,
            "",
        );
    }
}

fn refusal(trace: &Trace) -> Option<&Message> {
    let answered = rounds(trace).iter().filter(|round| round.succeeded()).filter_map(Round::closed).min();
    let is_callee =
        |message: &Message| trace.peer(message.from.as_str()).is_some_and(|peer| peer.role == Role::Callee);
    trace.messages.iter().find(|message| {
        let declines = match message.signal.kind {
            SignalKind::Reject => true,
            SignalKind::Bye => {
                let reason = message.signal.reason.as_deref().unwrap_or_default().to_ascii_lowercase();
                is_callee(message) && DECLINES.contains(&reason.as_str())
            }
            _ => false,
        };
        declines && answered.is_none_or(|answered| message.first_seen() < answered)
    })
}

/// Offers without an answer.
pub(in crate::audit) fn unanswered(trace: &Trace, findings: &mut Findings<'_>) {
    let rounds = rounds(trace);
    let crossed = crossing(&rounds);
    let in_glare = |round: &Round<'_>| {
        let same = |other: &Round<'_>| std::ptr::eq(other.offer, round.offer);
        crossed.iter().any(|(a, b)| same(a) || same(b))
    };
    let refusal = refusal(trace).is_some();
    for round in rounds.iter().filter(|round| round.answer.is_none() && !refusal && !in_glare(round)) {
        let offer = round.offer;
        let at = round.began();
        // A repeated or newer offer of the same side takes its place.
        let superseded = rounds.iter().any(|other| other.offer.from == offer.from && other.began() > at);
        // An offer as the call is ended has no time to be answered.
        let ended = goodbye_after(trace, at).unwrap_or(trace.ended_at);
        let later = rounds.iter().any(|other| other.began() < at && other.succeeded());
        if superseded || (later && ended.since(at) < findings.thresholds.end) {
            continue;
        }
        let to = offer.to.as_ref().map_or("the other side", |to| to.as_str());
        let (what, advice) = match fate(trace, offer) {
            Fate::Dropped => ("was dropped by the server", SERVER),
            Fate::Lost => ("never reached it", SERVER),
            Fate::Rang => (
                "reached it, it rang, and nobody answered",
                "Nothing, if nobody was there; the app should give up after its own time-out.",
            ),
            Fate::Arrived => (
                "reached it and was not answered",
                "Look at the callee's page: was the offer ignored, or did creating the answer fail?",
            ),
            Fate::Unknown => ("was not answered", "Ask for the other side's capture, or the server's log."),
        };
        let message =
            format!("the offer of {} to {to} {what} within {}", offer.from, super::human(ended.since(at)));
        findings.add(Code::OfferUnanswered, Severity::Warning, Some(&offer.from), at, message, advice);
    }
}

const SERVER: &str = "Look at the signalling server and at the callee's connection to it at that time.";

enum Fate {
    Dropped,
    Lost,
    Rang,
    Arrived,
    Unknown,
}

fn fate(trace: &Trace, offer: &Message) -> Fate {
    let rings = trace
        .messages
        .iter()
        .any(|message| message.signal.kind == SignalKind::Ringing && message.from != offer.from);
    let receives = offer.to.as_ref().and_then(|to| trace.peer(to.as_str())).is_some_and(|to| {
        to.signalling_captured
            || to.connections.iter().any(|c| c.calls().any(|(_, call)| call.description.is_some()))
    });
    let relayed = trace.messages.iter().any(|message| message.relay_out.is_some());
    if offer.dropped.is_some() {
        Fate::Dropped
    } else if rings {
        Fate::Rang
    } else if offer.arrived().is_some() {
        Fate::Arrived
    } else if receives || (relayed && offer.relay_in.is_some()) {
        Fate::Lost
    } else {
        Fate::Unknown
    }
}

fn goodbye_after(trace: &Trace, at: timeline::VirtualTime) -> Option<timeline::VirtualTime> {
    let goodbyes = trace.messages.iter().filter(|message| message.signal.kind == SignalKind::Bye);
    let closed =
        trace.peers.iter().flat_map(|peer| &peer.connections).filter_map(crate::trace::Connection::closed_at);
    goodbyes.map(Message::first_seen).chain(closed).filter(|when| *when >= at).min()
}
