//! Step 5: candidates, out and in.

use signaller::Message;
use timeline::CandidateAddress;
use webrtc::peer_connection::{RTCPeerConnectionIceErrorEvent, RTCPeerConnectionIceEvent};

use super::actor::Actor;
use crate::{
    CandidateRef, Cause, EngineEvent, GatheringState, MessageRef, State, Trickle,
    peer::{Arrived, HasPeer, Incoming, OVER, Trickled},
};

impl Actor {
    /// The sending half: a candidate is sent at once.
    pub(super) fn on_gathered(&mut self, event: RTCPeerConnectionIceEvent) {
        let init = match event.candidate.to_json() {
            Ok(init) => init,
            Err(error) => return self.problem(format!("a gathered candidate has no text form: {error}")),
        };
        let Some(call) = &mut self.call else { return };
        let Some(peer) = &call.peer else { return };
        let candidate = peer.complete(init);
        if is_nowhere(&candidate.summary()) {
            return;
        }
        call.endpoints.gathered(&candidate.summary());
        self.observer.on_event(EngineEvent::CandidateGathered { candidate: candidate.summary() });
        if self.settings.guards.trickle_at_once {
            self.send(Message::Candidate(candidate));
        } else {
            call.trickle.kept.push(candidate);
        }
    }

    pub(super) fn on_candidate_error(&self, event: RTCPeerConnectionIceErrorEvent) {
        self.observer.on_event(EngineEvent::CandidateError {
            url: event.url,
            code: event.error_code,
            text: event.error_text,
        });
    }

    /// `webrtc` 0.21.1 never reports `gathering`, and `complete` more than once.
    pub(super) fn entered_gathering(&mut self) {
        if self.machines().gathering == GatheringState::New {
            self.enter(State::Gathering(GatheringState::Gathering), Some(Cause::LocalDescription));
        }
    }

    pub(super) fn on_gathering(&mut self, state: GatheringState) {
        self.enter(State::Gathering(state), None);
        if state == GatheringState::Complete {
            self.end_candidates();
        }
    }

    /// Sends the end-of-candidates that `webrtc` 0.21.1 does not (RFC 8838 §13), once for each ICE
    /// generation.
    fn end_candidates(&mut self) {
        let guards = self.settings.guards;
        let Some(call) = &mut self.call else { return };
        let Some(peer) = &call.peer else { return };
        let generation = peer.local_fragment().unwrap_or_default().to_owned();
        let end = peer.end_of_candidates();
        let kept = std::mem::take(&mut call.trickle.kept);
        let is_new = call.trickle.ended.replace(generation.clone()).is_none_or(|ended| ended != generation);
        for candidate in kept {
            self.send(Message::Candidate(candidate));
        }
        if is_new && guards.send_end_of_candidates {
            self.send(end);
        }
    }

    /// The receiving half.
    pub(super) async fn on_candidate(&mut self, trickled: Trickled, message: MessageRef) {
        let Some(call) = &mut self.call else { return };
        let incoming = Incoming { trickled, message };
        let has_peer = if call.peer.is_some() { HasPeer::Yes } else { HasPeer::No };
        let arrived = call.held.arrived(incoming.clone(), has_peer);
        let renamed = call.endpoints.arrived(&incoming.trickled.summary());
        self.settle(incoming, arrived).await;
        self.report_pair(renamed);
    }

    /// The remote description `sdp` is in place: applies what was held back for it, in order.
    pub(super) async fn release_candidates(&mut self, sdp: &str) {
        let Some(call) = &mut self.call else { return };
        for (incoming, arrived) in call.held.described(sdp) {
            self.settle(incoming, arrived).await;
        }
    }

    /// The description `sdp` is ignored, and so are its candidates.
    pub(super) async fn ignore_candidates_of(&mut self, sdp: &str) {
        let Some(call) = &mut self.call else { return };
        for incoming in call.held.ignored(sdp) {
            self.settle(incoming, Arrived::Ignored(OVER)).await;
        }
    }

    /// A candidate that cannot be applied is reported and changes nothing: one of an offer that was
    /// ignored may be refused, and the others still connect the call (W3C webrtc-pc §10.7).
    async fn settle(&mut self, incoming: Incoming, arrived: Arrived) {
        let (candidate, message) = (incoming.trickled.summary(), Some(incoming.message));
        let event = match arrived {
            Arrived::Held => EngineEvent::CandidateHeld { candidate, message },
            Arrived::Ignored(why) => {
                EngineEvent::CandidateRejected { candidate, message, error: why.to_owned() }
            }
            Arrived::Apply(Incoming { trickled, .. }) => {
                let Some(peer) = self.peer() else { return };
                match peer.apply_candidate(trickled).await {
                    Ok(()) => EngineEvent::CandidateApplied { candidate, message },
                    Err(error) => {
                        EngineEvent::CandidateRejected { candidate, message, error: error.to_string() }
                    }
                }
            }
        };
        self.observer.on_event(event);
    }
}

/// Whether a candidate is at no address: `webrtc` 0.21.1 gathers the wildcard itself where no interface has an
/// address of its family.
fn is_nowhere(candidate: &Trickle) -> bool {
    match candidate {
        Trickle::Candidate(CandidateRef { address: CandidateAddress::Ip(address), .. }) => {
            address.ip().is_unspecified()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use timeline::{CandidateType, IceProtocol};

    use super::*;

    #[test]
    fn a_wildcard_is_nobodys_address() {
        let at = |host| {
            let address = CandidateAddress::new(host, 5_000);
            Trickle::Candidate(CandidateRef {
                kind: CandidateType::Host,
                protocol: IceProtocol::Udp,
                address,
            })
        };
        assert!(is_nowhere(&at("::")) && is_nowhere(&at("0.0.0.0")));
        assert!(
            !is_nowhere(&at("10.0.0.1")) && !is_nowhere(&at("2001:db8::1")) && !is_nowhere(&at("x.local"))
        );
        assert!(!is_nowhere(&Trickle::EndOfCandidates));
    }
}
