//! What the engine does with each event of its peer connection.

use std::sync::Arc;

use webrtc::{
    media_stream::track_remote::TrackRemote,
    peer_connection::{
        RTCIceGatheringState, RTCPeerConnectionIceErrorEvent, RTCPeerConnectionIceEvent,
        RTCPeerConnectionState,
    },
};

use super::actor::Actor;
use crate::{
    CallEvent, EngineEvent, MediaKind, StateMachine,
    peer::{PeerEvent, PeerEventKind},
};

impl Actor {
    pub(super) async fn on_peer_event(&mut self, event: PeerEvent) {
        // An event of a peer that is gone touches nobody.
        if self.call.as_ref().is_none_or(|call| call.generation != event.generation) {
            return;
        }
        match event.kind {
            PeerEventKind::NegotiationNeeded => self.on_negotiation_needed().await,
            PeerEventKind::Candidate(event) => self.on_gathered(event),
            PeerEventKind::CandidateError(event) => self.on_candidate_error(event),
            PeerEventKind::Signaling(state) => self.on_signaling(&state.to_string()),
            PeerEventKind::Gathering(state) => self.on_gathering(state),
            PeerEventKind::Ice(state) => self.enter(StateMachine::Ice, &state.to_string(), ""),
            PeerEventKind::Connection(state) => self.on_connection(state).await,
            PeerEventKind::Track(track) => self.on_track(track).await,
            PeerEventKind::TrackEnded { kind, stream } => self.on_track_ended(kind, stream),
        }
    }

    /// Step 5, the sending half: a candidate is sent at once.
    fn on_gathered(&mut self, event: RTCPeerConnectionIceEvent) {
        let init = match event.candidate.to_json() {
            Ok(init) => init,
            Err(error) => return self.problem(format!("a gathered candidate has no text form: {error}")),
        };
        let Some(peer) = self.call.as_ref().and_then(|call| call.peer.as_ref()) else { return };
        let candidate = peer.complete(init);
        self.observer.on_event(EngineEvent::CandidateGathered { candidate: candidate.summary() });
        self.send(signaller::Message::Candidate(candidate));
    }

    fn on_candidate_error(&self, event: RTCPeerConnectionIceErrorEvent) {
        self.observer.on_event(EngineEvent::CandidateError {
            url: event.url,
            code: event.error_code,
            text: event.error_text,
        });
    }

    fn on_signaling(&mut self, state: &str) {
        let from = self.machine(StateMachine::Signaling);
        let cause = match (from.as_str(), state) {
            ("stable", "have-local-offer") => "setLocalDescription(offer)",
            ("stable", "have-remote-offer") => "setRemoteDescription(offer)",
            ("have-local-offer", "stable") => "setRemoteDescription(answer)",
            ("have-remote-offer", "stable") => "setLocalDescription(answer)",
            _ => "",
        };
        self.enter(StateMachine::Signaling, state, cause);
    }

    /// `webrtc` 0.21.1 never reports `gathering`, and `complete` more than once.
    pub(super) fn entered_gathering(&mut self) {
        if self.machine(StateMachine::Gathering) == "new" {
            self.enter(StateMachine::Gathering, "gathering", "setLocalDescription");
        }
    }

    fn on_gathering(&mut self, state: RTCIceGatheringState) {
        self.enter(StateMachine::Gathering, &state.to_string(), "");
        if state == RTCIceGatheringState::Complete {
            self.end_candidates();
        }
    }

    /// Sends the end-of-candidates that `webrtc` 0.21.1 does not (RFC 8838 §13), once.
    fn end_candidates(&mut self) {
        let Some(call) = &mut self.call else { return };
        let Some(peer) = &call.peer else { return };
        if !std::mem::replace(&mut call.candidates_ended, true) {
            let end = peer.end_of_candidates();
            self.send(end);
        }
    }

    async fn on_connection(&mut self, state: RTCPeerConnectionState) {
        // `webrtc` reports the connection's failure before that of ICE.
        let ice_holds = self.machine(StateMachine::Ice) == "connected";
        let cause = match state {
            RTCPeerConnectionState::Connected => "ice and dtls are connected",
            RTCPeerConnectionState::Disconnected => "ice is disconnected",
            RTCPeerConnectionState::Failed if ice_holds => "dtls failed",
            RTCPeerConnectionState::Failed => "ice failed",
            _ => "",
        };
        self.enter(StateMachine::Connection, &state.to_string(), cause);
        if state == RTCPeerConnectionState::Connected {
            self.observe_pair().await;
        }
        match state {
            RTCPeerConnectionState::Connected => self.happen(CallEvent::PeerConnected).await,
            RTCPeerConnectionState::Failed => self.happen(CallEvent::PeerFailed).await,
            _ => {}
        }
    }

    async fn observe_pair(&mut self) {
        let Some(peer) = self.call.as_mut().and_then(|call| call.peer.as_mut()) else { return };
        if let Some((local, remote)) = peer.selected_pair().await {
            self.observer.on_event(EngineEvent::PairSelected { local, remote });
        }
    }

    async fn on_track(&mut self, track: Arc<dyn TrackRemote>) {
        let Some(call) = &mut self.call else { return };
        let Some(peer) = &mut call.peer else { return };
        let Some((kind, stream)) = peer.receive(track).await else { return };
        let tracks = call.remote_streams.entry(stream.clone()).or_default();
        *tracks += 1;
        let is_first = *tracks == 1;
        self.observer.on_event(EngineEvent::TrackAdded { kind });
        if is_first {
            self.observer.on_event(EngineEvent::StreamAdded { id: stream });
        }
    }

    fn on_track_ended(&mut self, kind: MediaKind, stream: String) {
        let Some(call) = &mut self.call else { return };
        self.observer.on_event(EngineEvent::TrackEnded { kind });
        let Some(tracks) = call.remote_streams.get_mut(&stream) else { return };
        *tracks -= 1;
        if *tracks == 0 {
            call.remote_streams.remove(&stream);
            self.observer.on_event(EngineEvent::StreamRemoved { id: stream });
        }
    }

    fn machine(&self, machine: StateMachine) -> String {
        let call = self.call.as_ref();
        call.map(|call| call.machines.state(machine).to_owned()).unwrap_or_default()
    }

    fn enter(&mut self, machine: StateMachine, state: &str, cause: &str) {
        let Some(call) = &mut self.call else { return };
        let Some(from) = call.machines.enter(machine, state) else { return };
        self.observer.on_event(EngineEvent::StateChanged {
            machine,
            from,
            to: state.to_owned(),
            cause: cause.to_owned(),
        });
    }
}
