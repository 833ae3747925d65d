//! What our engine cannot play again.

use capture::{
    Trace,
    trace::{CallResult, Message, Method, Peer, SignalKind},
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
    if trace.messages.iter().all(|message| !message.signal.kind.is_description()) {
        return Err("the capture shows no offer".to_owned());
    }
    Ok([first, second])
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
