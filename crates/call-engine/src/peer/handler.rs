//! Takes the events of one `webrtc` peer connection to the engine's loop, each marked with the call it
//! belongs to, so that one that comes after the call's end touches nobody.

use std::sync::Arc;

use futures::channel::mpsc::UnboundedSender;
use timeline::{ConnectionState, GatheringState, IceState, SignalingState};
use webrtc::{
    data_channel::DataChannel,
    media_stream::track_remote::TrackRemote,
    peer_connection::{
        PeerConnectionEventHandler, RTCIceConnectionState, RTCIceGatheringState,
        RTCPeerConnectionIceErrorEvent, RTCPeerConnectionIceEvent, RTCPeerConnectionState, RTCSignalingState,
    },
};

/// What a peer connection says, and in which generation of peers.
pub(crate) struct PeerEvent {
    pub(crate) generation: u64,
    pub(crate) kind: PeerEventKind,
}

/// What a peer connection says.
pub(crate) enum PeerEventKind {
    NegotiationNeeded,
    Candidate(RTCPeerConnectionIceEvent),
    CandidateError(RTCPeerConnectionIceErrorEvent),
    Signaling(SignalingState),
    Gathering(GatheringState),
    Ice(IceState),
    Connection(ConnectionState),
    Track(Arc<dyn TrackRemote>),
    /// The other side opened a data channel.
    DataChannel(Arc<dyn DataChannel>),
    /// A remote track's task has come to its end.
    TrackEnded {
        id: String,
    },
}

/// The handler that a peer connection is built with.
pub(crate) struct Handler {
    pub(crate) generation: u64,
    pub(crate) events: UnboundedSender<PeerEvent>,
}

impl Handler {
    fn tell(&self, kind: PeerEventKind) {
        // The engine's loop may be gone already: then nobody is left to tell.
        let _ = self.events.unbounded_send(PeerEvent { generation: self.generation, kind });
    }

    /// A state that W3C webrtc-pc does not have is none.
    fn moved(&self, to: Option<PeerEventKind>) {
        if let Some(kind) = to {
            self.tell(kind);
        }
    }
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_negotiation_needed(&self) {
        self.tell(PeerEventKind::NegotiationNeeded);
    }

    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        self.tell(PeerEventKind::Candidate(event));
    }

    async fn on_ice_candidate_error(&self, event: RTCPeerConnectionIceErrorEvent) {
        self.tell(PeerEventKind::CandidateError(event));
    }

    async fn on_signaling_state_change(&self, state: RTCSignalingState) {
        self.moved(timeline::webrtc::signaling(state).map(PeerEventKind::Signaling));
    }

    async fn on_ice_connection_state_change(&self, state: RTCIceConnectionState) {
        self.moved(timeline::webrtc::ice(state).map(PeerEventKind::Ice));
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        self.moved(timeline::webrtc::gathering(state).map(PeerEventKind::Gathering));
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.moved(timeline::webrtc::connection(state).map(PeerEventKind::Connection));
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        self.tell(PeerEventKind::DataChannel(channel));
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        self.tell(PeerEventKind::Track(track));
    }
}
