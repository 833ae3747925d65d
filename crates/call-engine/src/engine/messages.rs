//! What the engine does with each signalling message.

use signaller::{Envelope, Kind, Message};

use super::actor::Actor;
use crate::{
    CallEvent, EngineEvent, MessageRef, Role,
    peer::{Negotiation, Offer, Trickled},
    recovery::Input,
    state::{reason_of_bye, reason_of_reject},
};

impl Actor {
    pub(super) async fn on_message(&mut self, envelope: Envelope) {
        self.observer.on_event(EngineEvent::MessageReceived {
            id: envelope.id,
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
        if let Message::Absent { participant } | Message::Present { participant } = &envelope.body {
            let is_about = |call: &super::call::Call| call.id == envelope.call && call.remote == *participant;
            if self.call.as_ref().is_some_and(is_about) {
                let is_absent = envelope.body.kind() == Kind::Absent;
                self.recover(if is_absent { Input::RemoteAbsent } else { Input::RemotePresent }).await;
            }
            return;
        }
        // A message of a call that is over, or of somebody else's, concerns nobody here.
        let is_ours = |call: &super::call::Call| call.id == envelope.call && call.remote == envelope.from;
        if !self.call.as_ref().is_some_and(is_ours) {
            if let Message::Bye { .. } = envelope.body {
                self.over.add(envelope.call, envelope.from);
            }
            return;
        }
        self.recover(Input::RemotePresent).await;
        let message = MessageRef { from: envelope.from, id: envelope.id };
        match envelope.body {
            Message::Ringing => self.happen(CallEvent::RingingReceived).await,
            Message::Accept => self.on_accept().await,
            Message::Reject { reason } => {
                self.happen(CallEvent::RejectReceived(reason_of_reject(&reason))).await;
            }
            Message::Bye { reason } => self.happen(CallEvent::ByeReceived(reason_of_bye(&reason))).await,
            Message::Offer { sdp, negotiation } => self.on_offer(Offer { sdp, round: negotiation }).await,
            Message::Answer { sdp, negotiation } => self.on_answer(sdp, negotiation).await,
            Message::Renegotiate { negotiation } => self.on_renegotiate(negotiation).await,
            Message::Candidate(candidate) => self.on_candidate(Trickled::Candidate(candidate), message).await,
            Message::EndOfCandidates { sdp_mid, username_fragment } => {
                self.on_candidate(Trickled::End { sdp_mid, username_fragment }, message).await;
            }
            _ => {}
        }
    }

    /// Step 4 begins: the peer is built, its tracks are added, and an offer is needed.
    ///
    /// `webrtc` 0.21.1 queues `negotiationneeded` when a track is added but does not wake its driver for
    /// it, so that the event comes with the driver's next packet or timer, which for a peer that has not
    /// negotiated yet is never. The engine looks for itself; the event, when it comes, is coalesced.
    async fn on_accept(&mut self) {
        self.happen(CallEvent::AcceptReceived).await;
        let is_first = |call: &super::call::Call| call.role == Role::Caller && call.peer.is_none();
        let negotiation = Negotiation::caller(self.settings.guards);
        if self.call.as_ref().is_some_and(is_first) && self.build_peer(negotiation).await {
            self.on_negotiation_needed().await;
        }
    }
}
