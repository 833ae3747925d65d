//! What our engine cannot play again.

use std::{collections::BTreeSet, time::Duration};

use capture::{
    Trace,
    sdp::{Description, SdpType},
    trace::{CallResult, Connection, Message, Method, Peer, SignalKind},
};

use crate::replay::Unplayable;

/// The only negotiation of a call.
pub(super) struct Round<'t> {
    pub(super) caller: &'t Peer,
    pub(super) callee: &'t Peer,
    pub(super) offer: &'t Message,
    pub(super) answer: Option<&'t Message>,
}

/// The two who took part, the caller first.
///
/// # Errors
/// Why the call cannot be played again at all.
pub(super) fn sides(trace: &Trace) -> Result<[&Peer; 2], Unplayable> {
    let [first, second] = trace.peers.as_slice() else {
        return Err(Unplayable::Participants { count: trace.peers.len() });
    };
    if let Some(peer) = trace.peers.iter().find(|peer| peer.connections.len() > 1) {
        return Err(Unplayable::Connections { peer: peer.id.clone(), count: peer.connections.len() });
    }
    if trace.peers.iter().flat_map(|peer| &peer.connections).any(Connection::was_found) {
        return Err(Unplayable::BegunLate);
    }
    if trace.messages.iter().all(|message| !message.signal.kind.is_description()) {
        return Err(match says_descriptions_were_set(trace) {
            true => Unplayable::NoDescriptions,
            false => Unplayable::NoOffer,
        });
    }
    if let Some(peer) = trace.peers.iter().find(|peer| has_another_connection(peer, trace)) {
        return Err(Unplayable::Certificates { peer: peer.id.clone() });
    }
    Ok([first, second])
}

/// Whether descriptions were set of which the capture shows nothing.
fn says_descriptions_were_set(trace: &Trace) -> bool {
    let mut calls = trace.peers.iter().flat_map(|peer| &peer.connections).flat_map(Connection::calls);
    calls.any(|(_, call)| {
        matches!(call.method, Method::SetLocalDescription | Method::SetRemoteDescription)
            && call.description.is_none()
    })
}

/// Whether descriptions of `peer` came from another connection than the captured one, or where none was captured, from
/// several: a peer connection has one certificate, for as long as it lives (W3C webrtc-pc §4.4.1.6).
fn has_another_connection(peer: &Peer, trace: &Trace) -> bool {
    let made: Vec<&Description> = peer
        .connections
        .iter()
        .flat_map(|connection| connection.calls_of(Method::SetLocalDescription))
        .filter_map(|(_, call)| call.description.as_ref())
        .collect();
    let is_captured = |one: &Description| made.iter().any(|own| own.identity() == one.identity());
    let own = trace.messages.iter().filter(|message| message.from == peer.id);
    let sent = own.filter_map(|message| message.signal.description.as_ref());
    let others: BTreeSet<&str> =
        sent.filter(|one| !is_captured(one)).filter_map(Description::fingerprint).collect();
    match made.iter().find_map(|own| own.fingerprint()) {
        Some(own) => others.iter().any(|other| *other != own),
        None => others.len() > 1,
    }
}

/// What a world lasts at most, less what a replay goes on after the capture ends.
const LONGEST: Duration = Duration::from_secs(23 * 3600);

/// # Errors
/// The call is longer than a world lasts.
pub(super) fn length(trace: &Trace) -> Result<(), Unplayable> {
    let began = trace.messages.iter().map(Message::first_seen).min().unwrap_or_default();
    let lasted = trace.ended_at.since(began);
    if lasted <= LONGEST {
        return Ok(());
    }
    Err(Unplayable::TooLong { lasted, most: LONGEST })
}

/// The only negotiation of `trace`.
///
/// # Errors
/// Why our engine cannot play the call again.
pub(super) fn only_round(trace: &Trace) -> Result<Round<'_>, Unplayable> {
    let [first, second] = sides(trace)?;
    let of = |kind: SignalKind| trace.messages.iter().filter(move |message| message.signal.kind == kind);
    let offers: Vec<&Message> = of(SignalKind::Offer).collect();
    let [offer] = *offers.as_slice() else {
        return Err(match offers.len() {
            0 => Unplayable::NoOffer,
            count => Unplayable::Offers { count },
        });
    };
    if of(SignalKind::Pranswer).next().is_some() {
        return Err(Unplayable::AnsweredProvisionally);
    }
    if of(SignalKind::Reject).next().is_some() {
        return Err(Unplayable::Declined);
    }
    let (caller, callee) = if first.id == offer.from { (first, second) } else { (second, first) };
    failed_call(caller).or(failed_call(callee)).map_or(Ok(()), Err)?;
    rolled_back(caller).or(rolled_back(callee)).map_or(Ok(()), Err)?;
    let answer = of(SignalKind::Answer).next();
    if answer.is_none() && offer.applied.is_some() {
        return Err(Unplayable::LeftUnanswered { peer: callee.id.clone() });
    }
    Ok(Round { caller, callee, offer, answer })
}

fn rolled_back(peer: &Peer) -> Option<Unplayable> {
    let mut calls =
        peer.connections.iter().flat_map(|connection| connection.calls_of(Method::SetLocalDescription));
    let rolled = calls.any(|(_, call)| {
        call.description.as_ref().is_some_and(|description| description.kind == SdpType::Rollback)
    });
    rolled.then(|| Unplayable::RolledBack { peer: peer.id.clone() })
}

/// A call of the API that failed in the application's hands.
fn failed_call(peer: &Peer) -> Option<Unplayable> {
    let mut calls = peer.connections.iter().flat_map(|connection| connection.calls());
    calls.find_map(|(at, call)| match (&call.method, &call.result) {
        (
            Method::SetLocalDescription | Method::SetRemoteDescription | Method::AddIceCandidate,
            CallResult::Failed(_),
        ) => Some(Unplayable::FailedCall { method: call.method, peer: peer.id.clone(), at }),
        _ => None,
    })
}
