//! Offers and answers after the first ones, and those that come twice or too late.

use std::{collections::BTreeMap, time::Duration};

use timeline::VirtualTime;

use crate::{
    audit::{
        Code, Findings, Severity,
        rounds::{Round, crossing, rounds, surplus_answers, was_refused},
    },
    sdp::{Description, SdpType},
    trace::{CallResult, Message, Method, SignalKind, Trace},
};

/// One offer, sent or applied twice.
pub(in crate::audit) fn repeated(trace: &Trace, findings: &mut Findings<'_>) {
    const ADVICE: &str = "Number the negotiations, and drop an offer whose number was seen: a retried message, or two \
        connections to the server, deliver it twice.";
    let mut seen: BTreeMap<String, &Description> = BTreeMap::new();
    let offers = trace.messages.iter().filter(|message| message.signal.kind == SignalKind::Offer);
    // Where nobody saw the messages, what was applied is all there is to judge.
    for offer in offers.filter(|message| !message.inferred) {
        let Some(description) = &offer.signal.description else { continue };
        if is_again(&mut seen, format!("{}|{}", offer.from, description.identity()), description) {
            let to = offer.to.as_ref().map_or("the other side", |to| to.as_str());
            let message = format!("the same offer of {} went to {to} a second time", offer.from);
            findings.add(
                Code::DuplicateOffer,
                Severity::Warning,
                Some(&offer.from),
                offer.first_seen(),
                message,
                ADVICE,
            );
        }
    }
    for peer in &trace.peers {
        for connection in &peer.connections {
            let mut applied: BTreeMap<String, &Description> = BTreeMap::new();
            for (at, call) in connection.calls_of(Method::SetRemoteDescription) {
                let offer =
                    call.description.as_ref().filter(|d| d.kind == SdpType::Offer && !d.sdp.is_empty());
                let Some(offer) = offer else { continue };
                let failed = matches!(call.result, CallResult::Failed(_));
                if is_again(&mut applied, offer.identity(), offer) && !failed {
                    let message = format!("the app of {} applied the same offer twice", peer.id);
                    // Clients of some servers apply the server's last offer again, to answer it with other tracks.
                    let is_known = author_is_known(trace, offer);
                    findings.add(
                        Code::DuplicateOffer,
                        if is_known { Severity::Warning } else { Severity::Note },
                        Some(&peer.id),
                        at,
                        message,
                        ADVICE,
                    );
                }
            }
        }
    }
}

/// Whether the messages that brought this offer were captured, or who made it.
fn author_is_known(trace: &Trace, offer: &Description) -> bool {
    let same = |message: &&Message| {
        message.signal.description.as_ref().is_some_and(|other| other.identity() == offer.identity())
    };
    trace.messages.iter().filter(same).any(|message| !message.inferred || message.sent.is_some())
}

/// Whether `description` is the last that was there of its version. Some servers change their descriptions without
/// counting their versions, and change them back.
fn is_again<'t>(
    seen: &mut BTreeMap<String, &'t Description>,
    identity: String,
    description: &'t Description,
) -> bool {
    seen.insert(identity, description).is_some_and(|before| before.says_the_same(description))
}

/// Answers to offers that were no longer open.
pub(in crate::audit) fn stale(trace: &Trace, findings: &mut Findings<'_>) {
    let rounds = rounds(trace);
    let crossed = crossing(&rounds);
    let in_glare = |answer: &Message| {
        let is_of = |round: &Round<'_>| round.answer.is_some_and(|found| std::ptr::eq(found, answer));
        crossed.iter().any(|(a, b)| is_of(a) || is_of(b))
    };
    let late = rounds.iter().filter_map(|round| {
        let answer = round.answer?;
        // The offerer had offered again before it could have the answer, and the answerer did not know.
        let again = rounds.iter().find(|other| {
            other.offer.from == round.offer.from
                && other.began() > round.began()
                && answer.arrived().is_some_and(|arrived| other.began() < arrived)
        });
        again.map(|_| answer)
    });
    let surplus = surplus_answers(trace, &rounds);
    // One that was sent again and did not arrive did no harm.
    let came = |answer: &&Message| {
        answer.arrived().is_some() || trace.loss(answer).is_none() && !is_repeated(trace, answer)
    };
    for answer in surplus.into_iter().chain(late).filter(|answer| !in_glare(answer)).filter(came) {
        let at = answer.arrived().unwrap_or_else(|| answer.first_seen());
        let to = answer.to.as_ref().map_or("the other side", |to| to.as_str());
        let how = if was_refused(answer) { ", and was refused" } else { "" };
        let message = format!("an answer of {} reached {to} when no offer was open for it{how}", answer.from);
        let advice = "Number the negotiations, and drop answers to other rounds than the open one.";
        findings.add(Code::StaleAnswer, Severity::Warning, Some(&answer.from), at, message, advice);
    }
}

/// Whether the same answer is there twice.
fn is_repeated(trace: &Trace, answer: &Message) -> bool {
    let description = answer.signal.description.as_ref();
    trace.messages.iter().any(|other| {
        let same = other.signal.description.as_ref().zip(description);
        !std::ptr::eq(other, answer)
            && other.from == answer.from
            && same.is_some_and(|(a, b)| a.says_the_same(b))
    })
}

/// Negotiations of a running call: ICE restarts, and others.
pub(in crate::audit) fn later_rounds(trace: &Trace, findings: &mut Findings<'_>) {
    let rounds = rounds(trace);
    let Some(first) = rounds
        .iter()
        .filter(|round| round.succeeded())
        .find_map(|round| Some((round.began(), round.closed()?)))
    else {
        return;
    };
    for round in rounds.iter().filter(|round| round.began() > first.0 && round.began() >= first.1) {
        let peer = &round.offer.from;
        let at = round.began();
        if restarts(&rounds, round, at) || asked_to(trace, round) {
            let message = format!("{peer} restarted ICE");
            findings.add(Code::IceRestart, Severity::Note, Some(peer), at, message, "");
        } else {
            let message = format!("{peer} negotiated again");
            findings.add(Code::Renegotiation, Severity::Note, Some(peer), at, message, "");
        }
    }
}

/// Whether the application called `restartIce` for this offer: the only sign in captures without bodies.
fn asked_to(trace: &Trace, round: &Round<'_>) -> bool {
    let offerer = trace.peer(round.offer.from.as_str());
    let asked =
        offerer.iter().flat_map(|peer| &peer.connections).flat_map(|c| c.calls_of(Method::RestartIce));
    let bodiless = round.offer.signal.description.is_none();
    bodiless
        && asked
            .into_iter()
            .any(|(at, _)| at <= round.began() && round.began().since(at) < Duration::from_secs(5))
}

/// Whether the ICE credentials of the offer differ from those that its author used last.
fn restarts(rounds: &[Round<'_>], round: &Round<'_>, at: VirtualTime) -> bool {
    let author = &round.offer.from;
    let before =
        rounds.iter().filter(|other| other.began() < at && other.succeeded()).rev().find_map(|other| {
            let own = [other.answer, Some(other.offer)]
                .into_iter()
                .flatten()
                .find(|message| message.from == *author)?;
            own.signal.description.as_ref()?.ufrag()
        });
    let now = round.offer.signal.description.as_ref().and_then(|description| description.ufrag());
    matches!((before, now), (Some(before), Some(now)) if before != now)
}
