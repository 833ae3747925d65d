//! Reports what any `webrtc` peer connection does, as typed events.

mod track;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use rtc::peer_connection::transport::RTCIceCandidatePair;
use timeline::{
    CandidateFate, Event, Machine, State, Trickle,
    webrtc::{candidate, connection, gathering, ice, signaling},
};
use webrtc::{
    data_channel::DataChannel,
    media_stream::track_remote::TrackRemote,
    peer_connection::{
        PeerConnection, PeerConnectionEventHandler, RTCIceConnectionState, RTCIceGatheringState,
        RTCPeerConnectionIceErrorEvent, RTCPeerConnectionIceEvent, RTCPeerConnectionState, RTCSignalingState,
    },
    runtime::Runtime,
};

use self::track::ObservedTrack;
use crate::Reporter;

/// A handler of a peer connection that reports what happens and hands it on to another one.
///
/// It reports the transitions of the four state machines (W3C webrtc-pc §4.3) with the state before, gathered
/// candidates and `icecandidateerror`, remote tracks and every packet that the program reads from them, data channels
/// that the other side opens, and, once [`Observed::connection`] was called, the selected candidate pair.
pub struct Observed {
    inner: Arc<dyn PeerConnectionEventHandler>,
    reporter: Reporter,
    runtime: Arc<dyn Runtime>,
    state: Mutex<Observation>,
}

/// What was reported last.
struct Observation {
    machines: [State; 4],
    connection: Option<Weak<dyn PeerConnection>>,
}

impl Observed {
    /// Reports to `reporter` and hands on to `inner`.
    pub fn new(
        inner: Arc<dyn PeerConnectionEventHandler>,
        reporter: Reporter,
        runtime: Arc<dyn Runtime>,
    ) -> Self {
        let machines = Machine::OF_A_PEER.map(Machine::initial);
        Self { inner, reporter, runtime, state: Mutex::new(Observation { machines, connection: None }) }
    }

    /// The peer connection that was built with this handler: from now on its selected candidate pair is reported
    /// whenever it is connected.
    pub fn connection(&self, connection: &Arc<dyn PeerConnection>) {
        self.state().connection = Some(Arc::downgrade(connection));
    }

    fn state(&self) -> MutexGuard<'_, Observation> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None` is a state that the specification does not have.
    fn entered(&self, to: Option<State>) {
        let Some(to) = to else { return };
        let from = {
            let mut state = self.state();
            let same_machine = |known: &&mut State| known.machine() == to.machine();
            let Some(known) = state.machines.iter_mut().find(same_machine) else { return };
            std::mem::replace(known, to)
        };
        if from != to {
            self.reporter.report(Event::Transition { from, to, cause: None });
        }
    }

    /// Asked for in a task of its own: the library calls its handlers on the driver that would have to answer.
    fn report_pair(&self) {
        let Some(connection) = self.state().connection.clone() else { return };
        let reporter = self.reporter.clone();
        let task = self.runtime.spawn(Box::pin(async move {
            let Some(connection) = connection.upgrade() else { return };
            let Some(pair) = selected_pair(&*connection).await else { return };
            if let (Some(local), Some(remote)) = (candidate(pair.local()), candidate(pair.remote())) {
                reporter.report(Event::PairSelected { local, remote });
            }
        }));
        task.detach();
    }
}

/// With BUNDLE everything has one transport (RFC 9143): that of the first sender, or of the data channels.
async fn selected_pair(connection: &dyn PeerConnection) -> Option<RTCIceCandidatePair> {
    let dtls = match connection.get_senders().await.first() {
        Some(sender) => sender.transport().await.ok()??,
        None => connection.sctp().await?.transport(),
    };
    dtls.ice_transport().get_selected_candidate_pair().await.ok()?
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Observed {
    async fn on_negotiation_needed(&self) {
        self.reporter.note("negotiationneeded");
        self.inner.on_negotiation_needed().await;
    }

    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        let trickle = candidate(&event.candidate).map_or(Trickle::Unreadable, Trickle::Candidate);
        self.reporter.report(Event::Candidate {
            fate: CandidateFate::Gathered,
            candidate: trickle,
            message: None,
            error: None,
        });
        self.inner.on_ice_candidate(event).await;
    }

    async fn on_ice_candidate_error(&self, event: RTCPeerConnectionIceErrorEvent) {
        self.reporter.report(Event::CandidateError {
            url: event.url.clone().into(),
            code: event.error_code,
            text: event.error_text.clone().into(),
        });
        self.inner.on_ice_candidate_error(event).await;
    }

    async fn on_signaling_state_change(&self, state: RTCSignalingState) {
        self.entered(signaling(state).map(State::Signaling));
        self.inner.on_signaling_state_change(state).await;
    }

    async fn on_ice_connection_state_change(&self, state: RTCIceConnectionState) {
        self.entered(ice(state).map(State::Ice));
        self.inner.on_ice_connection_state_change(state).await;
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        self.entered(gathering(state).map(State::Gathering));
        self.inner.on_ice_gathering_state_change(state).await;
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.entered(connection(state).map(State::Connection));
        if state == RTCPeerConnectionState::Connected {
            self.report_pair();
        }
        self.inner.on_connection_state_change(state).await;
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        if let Ok(label) = channel.label().await {
            self.reporter.note(format!("data channel {label}: opened by the other side"));
        }
        self.inner.on_data_channel(channel).await;
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let track = ObservedTrack::new(track, self.reporter.clone()).await;
        self.inner.on_track(Arc::new(track)).await;
    }
}
