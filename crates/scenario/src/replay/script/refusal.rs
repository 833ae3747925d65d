//! What our engine cannot play again.

use std::{collections::BTreeSet, time::Duration};

use capture::{
    Trace,
    sdp::Description,
    trace::{CallResult, Connection, Message, Method, Peer, SignalKind},
};

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
/// Why the call cannot be played again at all, as half a sentence.
pub(super) fn sides(trace: &Trace) -> Result<[&Peer; 2], String> {
    let [first, second] = trace.peers.as_slice() else {
        return Err(format!("{} took part, and a replay has two peers", trace.peers.len()));
    };
    if let Some(peer) = trace.peers.iter().find(|peer| peer.connections.len() > 1) {
        return Err(format!(
            "{} made {} peer connections one after the other, and a replay has one for each",
            peer.id,
            peer.connections.len()
        ));
    }
    if trace.peers.iter().flat_map(|peer| &peer.connections).any(Connection::was_found) {
        let why = "the capture began when a connection stood, or had failed, already: how it was set up is not in it";
        return Err(why.to_owned());
    }
    if trace.messages.iter().all(|message| !message.signal.kind.is_description()) {
        return Err(match says_descriptions_were_set(trace) {
            true => {
                "the descriptions were left out of the capture: what was negotiated is not in it".to_owned()
            }
            false => "the capture shows no offer".to_owned(),
        });
    }
    if let Some(peer) = trace.peers.iter().find(|peer| has_another_connection(peer, trace)) {
        return Err(format!(
            "{} negotiated from several peer connections one after the other (its descriptions have several certificates; \
             was its page reloaded?), and a replay has one for each",
            peer.id
        ));
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
/// The call is longer than a world lasts, as half a sentence.
pub(super) fn length(trace: &Trace) -> Result<(), String> {
    let began = trace.messages.iter().map(Message::first_seen).min().unwrap_or_default();
    let lasted = trace.ended_at.since(began);
    if lasted <= LONGEST {
        return Ok(());
    }
    Err(format!(
        "the capture goes on for {} hours after the first message, and a replay lasts {} at most",
        lasted.as_secs() / 3600,
        LONGEST.as_secs() / 3600
    ))
}

/// The only negotiation of `trace`.
///
/// # Errors
/// Why our engine cannot play the call again, as half a sentence.
pub(super) fn only_round(trace: &Trace) -> Result<Round<'_>, String> {
    let [first, second] = sides(trace)?;
    let of = |kind: SignalKind| trace.messages.iter().filter(move |message| message.signal.kind == kind);
    let offers: Vec<&Message> = of(SignalKind::Offer).collect();
    let [offer] = *offers.as_slice() else {
        return Err(match offers.len() {
            0 => "the capture shows no offer".to_owned(),
            count => format!("its applications made {count} offers, by rules of their own"),
        });
    };
    if of(SignalKind::Pranswer).next().is_some() {
        return Err("it was answered provisionally, which our engine never does".to_owned());
    }
    if of(SignalKind::Reject).next().is_some() {
        return Err("the callee declined the offer, and our engine offers only what was accepted".to_owned());
    }
    let (caller, callee) = if first.id == offer.from { (first, second) } else { (second, first) };
    failed_call(caller).or(failed_call(callee)).map_or(Ok(()), Err)?;
    let answer = of(SignalKind::Answer).next();
    Ok(Round { caller, callee, offer, answer })
}

/// A call of the API that failed in the application's hands.
fn failed_call(peer: &Peer) -> Option<String> {
    let mut calls = peer.connections.iter().flat_map(|connection| connection.calls());
    calls.find_map(|(at, call)| match (&call.method, &call.result) {
        (
            Method::SetLocalDescription | Method::SetRemoteDescription | Method::AddIceCandidate,
            CallResult::Failed(_),
        ) => {
            let (who, method) = (&peer.id, call.method);
            Some(format!("{method} of {who} failed at {at} ms, in a way that our engine avoids"))
        }
        _ => None,
    })
}
