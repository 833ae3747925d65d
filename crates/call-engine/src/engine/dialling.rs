//! The beginning of a call: dialling, ringing, accepting, and what they need of devices and peer.

use std::sync::Arc;

use rtc::shared::error::Result;
use signaller::{CallId, Envelope, Message, ParticipantId};

use super::{
    actor::Actor,
    call::{Call, Purpose, TimerKind},
};
use crate::{
    CallEvent, CallState, Enabled, EndReason, EngineEvent, MediaError, MediaKind, MediaStream, Role,
    Settings,
    peer::{Negotiation, Outbox, Peer, PeerParts},
    state::{bye_for, reject_for},
};

/// Which of two calls goes on, when both sides dial each other at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Crossing {
    /// Ours.
    Ours,
    /// Theirs: we become its callee.
    Theirs,
}

impl Actor {
    pub(super) async fn dial(&mut self, to: ParticipantId, id: CallId) {
        if let Some(call) = &self.call {
            return self.problem(format!("cannot dial {to}: in a call with {}", call.remote));
        }
        self.begin(id, to, Role::Caller);
        self.happen(CallEvent::Dial).await;
        self.start_timer(TimerKind::Ring, self.settings.timers.ring);
        self.ask_for_media();
    }

    /// Makes the call that [`Self::happen`] moves from now on.
    fn begin(&mut self, id: CallId, remote: ParticipantId, role: Role) {
        self.generation += 1;
        self.call = Some(Call::new(id, remote, role, self.generation, self.settings.guards));
    }

    pub(super) async fn on_ring(&mut self, envelope: Envelope) {
        if self.over.contains(&envelope.call, &envelope.from) {
            return self.problem("a ring that comes when its call is over".to_owned());
        }
        if let Some(call) = &self.call {
            if call.id == envelope.call && call.remote == envelope.from && call.role == Role::Callee {
                return self.happen(CallEvent::RingReceived).await;
            }
            if call.remote == envelope.from && call.state == CallState::Dialling {
                return self.on_crossing(envelope).await;
            }
            let reason = reject_for(EndReason::Busy);
            return self.send_to(envelope.from, envelope.call, Message::Reject { reason });
        }
        self.begin(envelope.call.clone(), envelope.from.clone(), Role::Callee);
        self.send(Message::Ringing);
        self.happen(CallEvent::RingReceived).await;
        self.start_timer(TimerKind::Ring, self.settings.timers.ring);
        self.observer.on_event(EngineEvent::IncomingCall { call: envelope.call, from: envelope.from });
    }

    /// The one whom we dial dials us. Where their call goes on, having dialled is having accepted.
    async fn on_crossing(&mut self, envelope: Envelope) {
        let Some(call) = &self.call else { return };
        // They will find our ring, and become our callee by the same rule.
        if crossing(call, &envelope, &self.settings.participant) == Crossing::Ours {
            return;
        }
        // They may have given theirs up and not have heard of ours yet, which rings there then.
        if call.announced {
            self.send(Message::Bye { reason: bye_for(EndReason::Cancelled) });
        }
        self.happen(CallEvent::RingCrossed).await;
        let Some(call) = &mut self.call else { return };
        self.over.add(call.id.clone(), call.remote.clone());
        call.id = envelope.call;
        call.role = Role::Callee;
        call.announced = true;
        if call.stream.is_some() {
            self.accept_with_media().await;
        }
    }

    pub(super) fn accept(&mut self) {
        let Some(call) = &self.call else {
            return self.problem("cannot accept: nothing rings".to_owned());
        };
        if (call.role, call.state) != (Role::Callee, CallState::Ringing) {
            return self.problem(format!("cannot accept a call that is {}", call.state));
        }
        if call.media.is_none() {
            self.ask_for_media();
        }
    }

    fn ask_for_media(&mut self) {
        let request = self.devices.user_media(self.settings.media);
        if let Some(call) = &mut self.call {
            call.media = Some((Purpose::Call, request));
        }
    }

    pub(super) fn set_enabled(&mut self, kind: MediaKind, enabled: Enabled) {
        match self.call.as_ref().and_then(|call| call.stream.as_ref()) {
            Some(stream) => stream.set_enabled(kind, enabled),
            None => self.problem(format!("there is no local {kind} to enable or disable")),
        }
    }

    pub(super) async fn on_media(&mut self, result: std::result::Result<MediaStream, MediaError>) {
        let stream = match result {
            Ok(stream) => stream,
            Err(error) => {
                self.problem(error.to_string());
                let missing = matches!(error, MediaError::NotFound(_));
                let event = if missing { CallEvent::MediaMissing } else { CallEvent::MediaDenied };
                return self.happen(event).await;
            }
        };
        stream.set_enabled(MediaKind::Video, self.settings.start_video);
        let Some(call) = &mut self.call else { return stream.stop() };
        call.stream = Some(stream);
        match call.role {
            Role::Caller => {
                let video = self.settings.media.video.is_some() && self.settings.start_video == Enabled::Yes;
                let media = signaller::Media { audio: self.settings.media.audio, video };
                call.announced = true;
                self.send(Message::Ring { media });
            }
            Role::Callee => self.accept_with_media().await,
        }
    }

    /// The callee has its devices: it builds its peer and says that it accepts.
    async fn accept_with_media(&mut self) {
        if self.build_peer(Negotiation::callee(self.settings.guards)).await {
            self.send(Message::Accept);
            self.happen(CallEvent::Accept).await;
        }
    }

    /// Builds the peer and adds the local stream. False where that failed; the call has ended then.
    pub(super) async fn build_peer(&mut self, negotiation: Negotiation) -> bool {
        let Some(call) = &mut self.call else { return false };
        let certificate = self.settings.peer.certificate.take();
        let parts = PeerParts {
            settings: &self.settings.peer,
            certificate,
            guards: self.settings.guards,
            addresses: self.addresses.clone(),
            runtime: self.runtime.clone(),
            observer: self.observer.clone(),
            events: self.peer_events_in.clone(),
            generation: call.generation,
            negotiation,
            data: self.settings.data,
            silence: self.settings.media_silence,
            wants_frames: self.settings.frames,
            hold: call.hold,
        };
        let built = Peer::build(parts).await;
        match furnish(call, built, &self.settings).await {
            Ok(()) => {
                self.start_recovery().await;
                true
            }
            Err(error) => {
                self.negotiation_failed(&format!("cannot build the peer: {error}")).await;
                false
            }
        }
    }
}

/// Gives a peer that was just built what the call has.
async fn furnish(call: &mut Call, built: Result<Peer>, settings: &Settings) -> Result<()> {
    let peer = call.peer.insert(built?);
    if let Some(stream) = &call.stream {
        peer.add_stream(stream, settings.session).await?;
    }
    if let Some(screen) = &call.screen {
        peer.add_tracks(screen).await?;
    }
    if let Some(data) = settings.data {
        let outbox = call.outbox.get_or_insert_with(|| Arc::new(Outbox::new(data)));
        call.data_open |= settings.guards.data_channel_in_first_offer;
        // The side that offers opens them; the other one is told.
        if call.data_open && call.role == Role::Caller {
            peer.open_data(outbox).await?;
        }
    }
    Ok(())
}

/// The smaller call id wins; of equal ones the call of the participant with the smaller name. A call
/// that the other side has not heard of yields in any case.
fn crossing(ours: &Call, theirs: &Envelope, participant: &ParticipantId) -> Crossing {
    let our_order = (ours.id.as_str(), participant.as_str());
    let their_order = (theirs.call.as_str(), theirs.from.as_str());
    if ours.announced && our_order < their_order { Crossing::Ours } else { Crossing::Theirs }
}

#[cfg(test)]
mod tests {
    use signaller::{Media, message::VERSION};

    use super::*;
    use crate::Guards;

    #[track_caller]
    fn check(ours: (&str, &str), theirs: (&str, &str), announced: bool, expect: Crossing) {
        let ring = Envelope {
            version: VERSION,
            id: 1,
            call: theirs.0.into(),
            from: theirs.1.into(),
            to: ours.1.into(),
            body: Message::Ring { media: Media { audio: true, video: true } },
        };
        let mut call = Call::new(ours.0.into(), theirs.1.into(), Role::Caller, 1, Guards::ALL_ON);
        call.announced = announced;
        assert_eq!(crossing(&call, &ring, &ours.1.into()), expect);
    }

    #[test]
    fn of_two_calls_that_cross_both_sides_choose_the_same() {
        check(("call-1", "alice"), ("call-2", "bob"), true, Crossing::Ours);
        check(("call-2", "bob"), ("call-1", "alice"), true, Crossing::Theirs);
        check(("call", "alice"), ("call", "bob"), true, Crossing::Ours);
        check(("call", "bob"), ("call", "alice"), true, Crossing::Theirs);
    }

    #[test]
    fn a_call_that_nobody_has_heard_of_yields() {
        check(("call-1", "alice"), ("call-2", "bob"), false, Crossing::Theirs);
    }
}
