//! What the engine does with each signalling message.

use signaller::{Envelope, Message};

use super::actor::Actor;
use crate::{
    CallEvent, EndReason, EngineEvent, Role,
    peer::{Negotiation, Peer, Trickled},
};

impl Actor {
    pub(super) async fn on_message(&mut self, envelope: Envelope) {
        self.observer.on_event(EngineEvent::MessageReceived {
            kind: envelope.body.kind(),
            from: envelope.from.clone(),
            detail: envelope.body.detail(),
        });
        if let Message::Error { code, message, .. } = &envelope.body {
            return self.problem(format!("the signaller refuses a message: {code}: {message}"));
        }
        if let Message::Ring { .. } = envelope.body {
            return self.on_ring(envelope).await;
        }
        // A message of a call that is over, or of somebody else's, concerns nobody here.
        let is_ours = |call: &super::call::Call| call.id == envelope.call && call.remote == envelope.from;
        if !self.call.as_ref().is_some_and(is_ours) {
            return;
        }
        match envelope.body {
            Message::Ringing => self.happen(CallEvent::RingingReceived).await,
            Message::Accept => self.on_accept().await,
            Message::Reject { reason } => {
                self.happen(CallEvent::RejectReceived(EndReason::from(&reason))).await;
            }
            Message::Bye { reason } => self.happen(CallEvent::ByeReceived(EndReason::from(&reason))).await,
            Message::Offer { sdp, negotiation } => self.on_offer(sdp, negotiation).await,
            Message::Answer { sdp, negotiation } => self.on_answer(sdp, negotiation).await,
            Message::Candidate(candidate) => self.on_candidate(Trickled::Candidate(candidate)).await,
            Message::EndOfCandidates { sdp_mid, username_fragment } => {
                self.on_candidate(Trickled::End { sdp_mid, username_fragment }).await;
            }
            _ => {}
        }
    }

    async fn on_ring(&mut self, envelope: Envelope) {
        if let Some(call) = &self.call {
            if call.id == envelope.call && call.remote == envelope.from {
                return self.happen(CallEvent::RingReceived).await;
            }
            let reason = EndReason::Busy.to_reject();
            return self.send_to(envelope.from, envelope.call, Message::Reject { reason });
        }
        self.begin(envelope.call.clone(), envelope.from.clone(), Role::Callee);
        self.send(Message::Ringing);
        self.happen(CallEvent::RingReceived).await;
        self.start_ring_timer();
        self.observer.on_event(EngineEvent::IncomingCall { call: envelope.call, from: envelope.from });
    }

    /// Step 4 begins: the peer is built, its tracks are added, and an offer is needed.
    ///
    /// `webrtc` 0.21.1 queues `negotiationneeded` when a track is added but does not wake its driver for
    /// it, so that the event comes with the driver's next packet or timer, which for a peer that has not
    /// negotiated yet is never. The engine looks for itself; the event, when it comes, is coalesced.
    async fn on_accept(&mut self) {
        self.happen(CallEvent::AcceptReceived).await;
        let is_first = |call: &super::call::Call| call.role == Role::Caller && call.peer.is_none();
        if self.call.as_ref().is_some_and(is_first) && self.build_peer(Negotiation::offerer()).await {
            self.on_negotiation_needed().await;
        }
    }

    /// `negotiationneeded`, whoever reports it.
    pub(super) async fn on_negotiation_needed(&mut self) {
        let Some(peer) = self.peer() else {
            return self.problem("negotiationneeded without a peer".to_owned());
        };
        let needed = peer.negotiation.needed();
        self.observer.on_event(EngineEvent::NegotiationNeeded { verdict: needed.as_str() });
        if needed == crate::peer::Needed::Offer {
            self.offer().await;
        }
    }

    /// Step 4: make an offer, apply it, send it.
    async fn offer(&mut self) {
        let Some(peer) = self.peer() else { return };
        match peer.offer().await {
            Ok(sdp) => {
                let negotiation = peer.negotiation.offered();
                self.entered_gathering();
                self.send(Message::Offer { sdp, negotiation });
            }
            Err(error) => self.negotiation_failed(&format!("cannot make an offer: {error}")).await,
        }
    }

    /// Step 6: apply the offer, then what waited for it, then answer.
    async fn on_offer(&mut self, sdp: String, negotiation: u64) {
        let Some(peer) = self.peer() else {
            return self.problem("an offer before the call was accepted".to_owned());
        };
        if !peer.negotiation.can_accept_offer(negotiation) {
            return self.problem(format!("offer of round {negotiation} ignored: stale, or it crosses ours"));
        }
        if let Err(error) = peer.apply_offer(sdp).await {
            return self.negotiation_failed(&format!("cannot apply the offer: {error}")).await;
        }
        self.release_candidates().await;
        let Some(peer) = self.peer() else { return };
        match peer.answer().await {
            Ok(sdp) => {
                peer.negotiation.accepted_offer(negotiation);
                self.entered_gathering();
                self.send(Message::Answer { sdp, negotiation });
            }
            Err(error) => self.negotiation_failed(&format!("cannot answer: {error}")).await,
        }
    }

    /// Step 7: apply the answer, then what waited for it.
    async fn on_answer(&mut self, sdp: String, negotiation: u64) {
        let Some(peer) = self.peer() else {
            return self.problem("an answer without an offer".to_owned());
        };
        if !peer.negotiation.awaits_answer(negotiation) {
            return self
                .problem(format!("answer of round {negotiation} ignored: no such offer is in flight"));
        }
        if let Err(error) = peer.apply_answer(sdp).await {
            return self.negotiation_failed(&format!("cannot apply the answer: {error}")).await;
        }
        let again = peer.negotiation.answered();
        self.release_candidates().await;
        if again {
            self.offer().await;
        }
    }

    /// Step 5, the receiving half.
    async fn on_candidate(&mut self, trickled: Trickled) {
        let Some(call) = &mut self.call else { return };
        let summary = trickled.summary();
        let Some(ready) = call.held.offer(trickled) else {
            return self.observer.on_event(EngineEvent::CandidateHeld { candidate: summary });
        };
        let Some(peer) = &mut call.peer else { return };
        let result = peer.apply_candidate(ready).await;
        self.tell_candidate(summary, result.map_err(|error| error.to_string()));
    }

    /// A remote description is in place: applies what was held back for it, in order.
    async fn release_candidates(&mut self) {
        let Some(call) = &mut self.call else { return };
        let Some(peer) = &mut call.peer else { return };
        let waiting = call.held.release();
        let results = peer.apply_all(waiting).await;
        for (summary, result) in results {
            self.tell_candidate(summary, result);
        }
    }

    fn tell_candidate(&self, candidate: String, result: Result<(), String>) {
        self.observer.on_event(match result {
            Ok(()) => EngineEvent::CandidateApplied { candidate },
            Err(error) => EngineEvent::CandidateRejected { candidate, error },
        });
    }

    fn peer(&mut self) -> Option<&mut Peer> {
        self.call.as_mut()?.peer.as_mut()
    }
}
