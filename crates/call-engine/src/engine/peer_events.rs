//! What the engine does with each event of its peer connection.

use std::sync::Arc;

use webrtc::media_stream::track_remote::TrackRemote;

use super::{actor::Actor, call::Machines};
use crate::{
    CallEvent, CandidateRef, Cause, ConnectionState, EngineEvent, IceState, SignalingState, State,
    peer::{PeerEvent, PeerEventKind},
    recovery::Input,
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
            PeerEventKind::Signaling(state) => self.on_signaling(state),
            PeerEventKind::Gathering(state) => self.on_gathering(state),
            PeerEventKind::Ice(state) => self.on_ice(state).await,
            PeerEventKind::Connection(state) => self.on_connection(state).await,
            PeerEventKind::Track(track) => self.on_track(track).await,
            PeerEventKind::DataChannel(channel) => self.on_data_channel(channel).await,
            PeerEventKind::TrackEnded { id } => self.on_track_ended(&id),
        }
    }

    fn on_signaling(&mut self, state: SignalingState) {
        use SignalingState::{HaveLocalOffer, HaveRemoteOffer, Stable};
        let cause = match (self.machines().signaling, state) {
            (Stable, HaveLocalOffer) => Some(Cause::LocalOffer),
            (Stable, HaveRemoteOffer) => Some(Cause::RemoteOffer),
            (HaveLocalOffer, Stable) => Some(Cause::RemoteAnswer),
            (HaveRemoteOffer, Stable) => Some(Cause::LocalAnswer),
            _ => None,
        };
        self.enter(State::Signaling(state), cause);
    }

    async fn on_ice(&mut self, state: IceState) {
        self.enter(State::Ice(state), None);
        match state {
            IceState::Checking => self.recover(Input::Checking).await,
            IceState::Connected | IceState::Completed => self.recover(Input::IceConnected).await,
            IceState::New | IceState::Disconnected | IceState::Failed | IceState::Closed => {}
        }
    }

    async fn on_connection(&mut self, state: ConnectionState) {
        // `webrtc` reports the connection's failure before that of ICE.
        let ice_holds = self.machines().ice == IceState::Connected;
        let cause = match state {
            ConnectionState::Connected => Some(Cause::IceAndDtlsConnected),
            ConnectionState::Disconnected => Some(Cause::IceDisconnected),
            ConnectionState::Failed if ice_holds => Some(Cause::DtlsFailed),
            ConnectionState::Failed => Some(Cause::IceFailed),
            ConnectionState::New | ConnectionState::Connecting | ConnectionState::Closed => None,
        };
        self.enter(State::Connection(state), cause);
        match state {
            ConnectionState::Connected => {
                self.observe_pair().await;
                self.recover(Input::Connected).await;
                self.happen(CallEvent::PeerConnected).await;
            }
            ConnectionState::Disconnected => {
                self.recover(Input::Disconnected).await;
                self.interrupted().await;
            }
            ConnectionState::Failed if self.recovers() => {
                self.recover(if ice_holds { Input::DtlsFailed } else { Input::IceFailed }).await;
            }
            ConnectionState::Failed => self.happen(CallEvent::PeerFailed).await,
            ConnectionState::New | ConnectionState::Connecting | ConnectionState::Closed => {}
        }
    }

    async fn observe_pair(&mut self) {
        let Some(call) = &mut self.call else { return };
        let Some(peer) = &mut call.peer else { return };
        let Some((local, remote)) = peer.selected_pair().await else { return };
        let renamed = call.endpoints.selected(local, remote);
        self.report_pair(renamed);
    }

    pub(super) fn report_pair(&self, pair: Option<(CandidateRef, CandidateRef)>) {
        if let Some((local, remote)) = pair {
            self.observer.on_event(EngineEvent::PairSelected { local, remote });
        }
    }

    async fn on_track(&mut self, track: Arc<dyn TrackRemote>) {
        let Some(call) = &mut self.call else { return };
        let Some(peer) = &mut call.peer else { return };
        let Some(track) = peer.receive(track).await else { return };
        let is_first = call.remote_tracks.iter().all(|known| known.stream != track.stream);
        let (kind, stream) = (track.kind, track.stream.clone());
        call.remote_tracks.push(track);
        self.observer.on_event(EngineEvent::TrackAdded { kind });
        if is_first {
            self.observer.on_event(EngineEvent::StreamAdded { id: stream });
        }
    }

    pub(super) fn on_track_ended(&mut self, id: &str) {
        let Some(call) = &mut self.call else { return };
        let Some(at) = call.remote_tracks.iter().position(|track| track.id == id) else { return };
        let ended = call.remote_tracks.remove(at);
        let was_last = call.remote_tracks.iter().all(|track| track.stream != ended.stream);
        self.observer.on_event(EngineEvent::TrackEnded { kind: ended.kind });
        if was_last {
            self.observer.on_event(EngineEvent::StreamRemoved { id: ended.stream });
        }
    }

    /// An offer says which tracks the other side sends; those that it says nothing of any longer have
    /// ended. (An answer does not: it is silent about a track that this side's hold forbids.)
    pub(super) fn end_tracks_not_sent(&mut self) {
        let Some(call) = &self.call else { return };
        let Some(peer) = &call.peer else { return };
        let is_over = |track: &&crate::RemoteTrack| !peer.is_sent(&track.id);
        let over: Vec<String> =
            call.remote_tracks.iter().filter(is_over).map(|track| track.id.clone()).collect();
        over.iter().for_each(|id| self.on_track_ended(id));
    }

    /// The peer connection that brought them is gone.
    pub(super) fn end_remote_tracks(&mut self) {
        while let Some(id) = self.call.as_ref().and_then(|call| Some(call.remote_tracks.first()?.id.clone()))
        {
            self.on_track_ended(&id);
        }
    }

    /// Where the peer connection's machines are.
    pub(super) fn machines(&self) -> Machines {
        self.call.as_ref().map(|call| call.machines).unwrap_or_default()
    }

    pub(super) fn enter(&mut self, to: State, cause: Option<Cause>) {
        let Some(call) = &mut self.call else { return };
        let Some(from) = call.machines.enter(to) else { return };
        self.observer.on_event(EngineEvent::StateChanged { from, to, cause });
    }
}
