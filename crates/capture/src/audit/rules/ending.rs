//! Calls that did not come about.

use std::time::Duration;

use timeline::{Name, VirtualTime};

use crate::{
    audit::{
        Code, Findings, Severity,
        rounds::{Round, crossing, rounds},
    },
    format::Format,
    sdp::SdpType,
    trace::{Message, Report, Role, ServerEvent, SignalKind, Trace},
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

/// More messages than a call has before it is taken.
const MANY: usize = 1000;

fn refusal(trace: &Trace) -> Option<&Message> {
    let answered = rounds(trace).iter().filter(|round| round.succeeded()).filter_map(Round::closed).min();
    let is_callee =
        |message: &Message| trace.peer(message.from.as_str()).is_some_and(|peer| peer.role == Role::Callee);
    trace.messages.iter().find(|message| {
        let declines = match message.signal.kind {
            // Who takes an own offer back refuses nothing, whatever word the application has for it.
            SignalKind::Reject => !trace.messages.iter().take(MANY).any(|other| {
                other.signal.kind == SignalKind::Offer
                    && other.from == message.from
                    && other.first_seen() <= message.first_seen()
            }),
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
    // Where messages were not understood, the answer may be among them.
    let claims = !refusal && trace.not_understood() == 0;
    for round in rounds.iter().filter(|round| round.answer.is_none() && claims && !in_glare(round)) {
        let offer = round.offer;
        let at = round.began();
        // A repeated or newer offer of the same side takes its place.
        let superseded = rounds.iter().any(|other| other.offer.from == offer.from && other.began() > at);
        // An offer as the call is ended has no time to be answered.
        let ended = goodbye_after(trace, at).or(left_after(trace, &offer.from, at));
        let ended = ended.unwrap_or(trace.observed_until);
        let later = rounds.iter().any(|other| other.began() < at && other.succeeded());
        if superseded || (later && ended.since(at) < findings.thresholds.end) {
            continue;
        }
        // What a server answered instead, and what its author took back, is said by other rules.
        if was_refused_by_server(trace, at) || was_rolled_back(trace, offer) || is_pasted(trace) {
            continue;
        }
        let to = offer.to.as_ref().map_or("the other side", |to| to.as_str());
        let gone = offer.to.as_ref().zip(offer.arrived());
        let gone = gone.and_then(|(to, came)| Some((to, came, left_after(trace, to, came)?)));
        // A callee that left the server could not answer, whatever its page did.
        let gone = gone.filter(|(.., left)| left.since(at) < ANSWERED_WITHIN && *left < ended);
        if let Some((to, came, left)) = gone {
            let ago = super::human(left.since(came));
            let message = format!(
                "{to}'s connection to the server ended {ago} after the offer of {} had reached it",
                offer.from
            );
            findings.usual(Code::PeerLeftTheServer, Severity::Error, Some(to), left, message);
            continue;
        }
        let (what, advice) = match fate(trace, offer) {
            // What was lost on its way is another rule's.
            Fate::Lost => continue,
            Fate::Rang => (
                "reached it, it rang, and nobody answered",
                "Nothing, if nobody was there; the app should give up after its own time-out.",
            ),
            _ if left_by(trace, offer, at).is_some() => (
                "was not answered: the other side ended the call",
                "Look at why it did: its own log, or the reason that it gave.",
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

/// Whether the other side said goodbye after an offer at `at`, instead of answering.
fn left_by(trace: &Trace, offer: &Message, at: VirtualTime) -> Option<VirtualTime> {
    let goodbyes = trace.messages.iter().filter(|message| message.signal.kind == SignalKind::Bye);
    goodbyes.filter(|bye| bye.from != offer.from && bye.first_seen() >= at).map(Message::first_seen).min()
}

/// Whether a server answered with an error, or reported a failure, after `at`.
fn was_refused_by_server(trace: &Trace, at: VirtualTime) -> bool {
    trace.messages.iter().filter(|message| message.first_seen() >= at).any(|message| {
        let failed = matches!(message.signal.report, Some(Report::Failed { .. }));
        failed || message.signal.kind == SignalKind::Error && message.signal.reason.is_some()
    })
}

/// Whether the author of an offer rolled it back.
fn was_rolled_back(trace: &Trace, offer: &Message) -> bool {
    let peer = trace.peer(offer.from.as_str());
    let mut calls = peer.into_iter().flat_map(|peer| &peer.connections).flat_map(|it| it.calls());
    calls.any(|(at, call)| {
        at >= offer.first_seen()
            && call.description.as_ref().is_some_and(|description| description.kind == SdpType::Rollback)
    })
}

fn is_pasted(trace: &Trace) -> bool {
    trace.sources.iter().all(|source| source.format == Format::Descriptions)
}

/// A callee that leaves later than that had its time to answer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(60);

/// When `peer` left the server after `at`.
fn left_after(trace: &Trace, peer: &Name, at: VirtualTime) -> Option<VirtualTime> {
    let closed = trace.server.iter().filter(|entry| matches!(entry.event, ServerEvent::Closed(_)));
    closed.filter(|entry| entry.peer == *peer && entry.at >= at).map(|entry| entry.at).min()
}

enum Fate {
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
    if trace.loss(offer).is_some() {
        Fate::Lost
    } else if rings {
        Fate::Rang
    } else if offer.arrived().is_some() {
        Fate::Arrived
    } else {
        Fate::Unknown
    }
}

fn goodbye_after(trace: &Trace, at: VirtualTime) -> Option<VirtualTime> {
    let goodbyes = trace.messages.iter().filter(|message| message.signal.kind == SignalKind::Bye);
    let closed =
        trace.peers.iter().flat_map(|peer| &peer.connections).filter_map(crate::trace::Connection::closed_at);
    goodbyes.map(Message::first_seen).chain(closed).filter(|when| *when >= at).min()
}
