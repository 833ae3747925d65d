//! Carries out what the [negotiation](crate::peer::Negotiation) decides.

use signaller::Message;

use super::actor::Actor;
use crate::{
    CallEvent, CallState, EngineEvent, Needed,
    peer::{Answered, Next, Offer, OnAnswer, OnOffer, Origin, Peer},
    recovery::Input,
};

impl Actor {
    /// `negotiationneeded`, whoever reports it.
    pub(super) async fn on_negotiation_needed(&mut self) {
        let Some(peer) = self.peer() else {
            return self.problem("negotiationneeded without a peer".to_owned());
        };
        let needed = peer.negotiation.needed();
        self.observer.on_event(EngineEvent::NegotiationNeeded { verdict: needed });
        if needed == Needed::Offer {
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

    /// Step 6: an offer arrives.
    pub(super) async fn on_offer(&mut self, offer: Offer) {
        let Some(peer) = self.peer() else {
            return self.problem("an offer before the call was accepted".to_owned());
        };
        let origin = peer.origin_of(&offer.sdp);
        let round = offer.round;
        match peer.negotiation.on_offer(round, origin) {
            OnOffer::IgnoreStale => {
                self.ignore_candidates_of(&offer.sdp).await;
                self.problem(format!("offer of round {round} ignored: stale or repeated"));
            }
            OnOffer::IgnoreGlare => {
                self.ignore_candidates_of(&offer.sdp).await;
                self.problem(format!(
                    "offer of round {round} ignored: it crosses ours, and the other side yields"
                ));
            }
            OnOffer::Wait => peer.negotiation.keep(offer),
            OnOffer::Accept | OnOffer::RollBackAndAccept if origin == Origin::Rebuilt => {
                if self.follow_rebuild().await {
                    self.answer(offer).await;
                }
            }
            OnOffer::Accept => self.answer(offer).await,
            OnOffer::RollBackAndAccept => match peer.roll_back().await {
                Ok(()) => self.answer(offer).await,
                Err(error) => self.negotiation_failed(&format!("cannot roll back: {error}")).await,
            },
        }
    }

    /// Applies the offer, then what waited for it, then answers.
    async fn answer(&mut self, offer: Offer) {
        let Offer { sdp, round } = offer;
        let Some(peer) = self.peer() else { return };
        let restarted = match peer.apply_offer(sdp.clone()).await {
            Ok(restarted) => restarted,
            Err(error) => return self.negotiation_failed(&format!("cannot apply the offer: {error}")).await,
        };
        self.release_candidates(&sdp).await;
        self.end_tracks_not_sent();
        if restarted {
            self.recover(Input::RemoteRestarted).await;
        }
        let Some(peer) = self.peer() else { return };
        let answered = match peer.answer().await {
            Ok(sdp) => peer.covers().await.map(|covers| (sdp, Answered { covers, restarted })),
            Err(error) => Err(error),
        };
        match answered {
            Ok((sdp, answered)) => {
                let next = peer.negotiation.accepted(round, answered);
                self.entered_gathering();
                self.send(Message::Answer { sdp, negotiation: round });
                self.follow_directions().await;
                self.go_on(next).await;
            }
            Err(error) => self.negotiation_failed(&format!("cannot answer: {error}")).await,
        }
    }

    /// Step 7: apply the answer, then what waited for it.
    pub(super) async fn on_answer(&mut self, sdp: String, round: u64) {
        let Some(peer) = self.peer() else {
            return self.problem("an answer without an offer".to_owned());
        };
        if peer.negotiation.on_answer(round) == OnAnswer::IgnoreStale {
            self.ignore_candidates_of(&sdp).await;
            return self.problem(format!("answer of round {round} ignored: no such offer is in flight"));
        }
        if let Err(error) = peer.apply_answer(sdp.clone()).await {
            return self.negotiation_failed(&format!("cannot apply the answer: {error}")).await;
        }
        let next = peer.negotiation.answered();
        // An answer to an offer that came before the restart says nothing about that.
        let is_newest = !peer.negotiation.wants_restart();
        self.release_candidates(&sdp).await;
        if is_newest {
            self.recover(Input::Answered).await;
        }
        self.follow_directions().await;
        self.go_on(next).await;
    }

    /// An exchange is complete: media goes where it says.
    async fn follow_directions(&mut self) {
        let Some(peer) = self.peer() else { return };
        if let Err(error) = peer.follow_directions().await {
            self.problem(format!("cannot follow the directions that were negotiated: {error}"));
        }
    }

    /// An exchange is complete. Boxed, for what follows may be another one.
    async fn go_on(&mut self, next: Next) {
        match next {
            Next::Handle(offer) => Box::pin(self.on_offer(offer)).await,
            Next::Offer => self.offer().await,
            Next::Nothing => {}
        }
    }

    /// Reports `what`. Ends the call for it, unless the connection stood already: then it is rebuilt.
    pub(super) async fn negotiation_failed(&mut self, what: &str) {
        self.problem(what.to_owned());
        let Some(call) = &self.call else { return };
        match call.state {
            CallState::Connected | CallState::Reconnecting if call.recovery.is_some() => {
                // Boxed, for a rebuild may fail here again; the ladder bounds it.
                Box::pin(self.recover(Input::NegotiationFailed)).await;
            }
            _ => self.happen(CallEvent::NegotiationFailed).await,
        }
    }

    pub(super) fn peer(&mut self) -> Option<&mut Peer> {
        self.call.as_mut()?.peer.as_mut()
    }
}
