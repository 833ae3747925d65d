//! Descriptions that were refused.

use timeline::{Machine, SignalingState, State};

use crate::{
    audit::{Code, Findings, Severity},
    sdp::SdpType,
    trace::{ApiCall, CallResult, Connection, Method, Peer, Trace},
};

/// `setLocalDescription` and `setRemoteDescription` that failed.
pub(in crate::audit) fn descriptions(trace: &Trace, findings: &mut Findings<'_>) {
    for peer in &trace.peers {
        for connection in &peer.connections {
            for (at, call) in connection.calls() {
                let sets = matches!(call.method, Method::SetLocalDescription | Method::SetRemoteDescription);
                if let (true, CallResult::Failed(reason)) = (sets, &call.result) {
                    refused(peer, connection, at, call, reason, findings);
                }
            }
        }
    }
}

fn refused(
    peer: &Peer,
    connection: &Connection,
    at: timeline::VirtualTime,
    call: &ApiCall,
    reason: &str,
    findings: &mut Findings<'_>,
) {
    let before = connection.transitions(Machine::Signaling).take_while(|(when, _)| *when < at).last();
    let state = match before {
        Some((_, State::Signaling(state))) => state,
        _ => SignalingState::Stable,
    };
    let kind = call.description.as_ref().map(|description| description.kind);
    let word = kind.map_or("description", SdpType::as_str);
    let which = if call.method == Method::SetLocalDescription { "local" } else { "remote" };
    let lower = reason.to_ascii_lowercase();
    let wrong_state = lower.contains("wrong state")
        || lower.contains("invalid state")
        || lower.contains("invalidstate")
        || kind.is_some_and(|kind| !is_allowed(state, call.method, kind));
    if wrong_state {
        let message = format!(
            "the app of {} set a {which} {word} while the signaling state was `{state}` ({reason})",
            peer.id
        );
        let advice = "Set an answer only while an offer is open, and an offer only in `stable` (or to roll one's own \
             back); keep incoming descriptions in a queue.";
        findings.add(Code::DescriptionInWrongState, Severity::Error, Some(&peer.id), at, message, advice);
    } else {
        let message = format!("the browser of {} refused the {which} {word} ({reason})", peer.id);
        let advice =
            "Compare the description with the one that its author made: rewritten or cut SDP is refused.";
        findings.add(Code::DescriptionRefused, Severity::Error, Some(&peer.id), at, message, advice);
    }
}

/// The table of RFC 8829 §3.2, with the implicit rollback of W3C webrtc-pc §4.4.1.5 for remote offers.
fn is_allowed(state: SignalingState, method: Method, kind: SdpType) -> bool {
    use SignalingState::{HaveLocalOffer, HaveLocalPranswer, HaveRemoteOffer, HaveRemotePranswer, Stable};
    let local = method == Method::SetLocalDescription;
    match (kind, local) {
        (SdpType::Offer, true) => matches!(state, Stable | HaveLocalOffer),
        (SdpType::Offer, false) => matches!(state, Stable | HaveRemoteOffer | HaveLocalOffer),
        (SdpType::Answer | SdpType::Pranswer, true) => {
            matches!(state, HaveRemoteOffer | HaveLocalPranswer)
        }
        (SdpType::Answer | SdpType::Pranswer, false) => {
            matches!(state, HaveLocalOffer | HaveRemotePranswer)
        }
        (SdpType::Rollback, _) => state != Stable,
    }
}
