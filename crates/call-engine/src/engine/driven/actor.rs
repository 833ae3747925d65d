//! The task behind a driven peer: takes one call, or one event of its connection, at a time.

use std::{future::poll_fn, sync::Arc, task::Poll};

use futures::{
    StreamExt as _,
    channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded},
};

use super::{Call, DrivenError, DrivenParts, LocalDescription, Order, RemoteDescription};
use crate::{
    CallState, Cause, ConnectionState, EndReason, EngineEvent, GatheringState, Hold, MediaKind, MediaStream,
    MediaStreamConstraints, Settings, State,
    engine::call::Machines,
    peer::{
        Answered, BindAddresses, Covers, Negotiation, Outbox, Peer, PeerEvent, PeerEventKind, PeerParts,
        Trickled,
    },
};

pub(super) struct Actor {
    settings: Settings,
    parts: DrivenParts,
    orders: UnboundedReceiver<Order>,
    events_in: UnboundedSender<PeerEvent>,
    events: UnboundedReceiver<PeerEvent>,
    machines: Machines,
    peer: Option<Peer>,
    closed: bool,
    /// What it sends, the newest last.
    streams: Vec<MediaStream>,
    outbox: Option<Arc<Outbox>>,
    /// Whether an offer of ours waits for its answer.
    offered: bool,
    /// The ICE generation that was gathered last.
    gathered: Option<String>,
    /// Whether it was ever connected.
    was_connected: bool,
    state: CallState,
}

enum Step {
    Order(Option<Order>),
    Event(PeerEvent),
}

impl Actor {
    pub(super) fn new(settings: Settings, parts: DrivenParts, orders: UnboundedReceiver<Order>) -> Self {
        let (events_in, events) = unbounded();
        Self {
            settings,
            parts,
            orders,
            events_in,
            events,
            machines: Machines::default(),
            peer: None,
            closed: false,
            streams: Vec::new(),
            outbox: None,
            offered: false,
            gathered: None,
            was_connected: false,
            state: CallState::Idle,
        }
    }

    /// Works until every handle is gone.
    pub(super) async fn run(mut self) {
        loop {
            match self.next_step().await {
                Step::Order(None) => {
                    let _ = self.close().await;
                    return;
                }
                Step::Order(Some(Order { call, done })) => {
                    let result = self.carry_out(call).await;
                    // Whoever made the call may have stopped waiting.
                    let _ = done.send(result);
                }
                Step::Event(event) => self.on_event(event.kind).await,
            }
        }
    }

    /// What the connection said goes before the next call.
    async fn next_step(&mut self) -> Step {
        let Self { orders, events, .. } = self;
        poll_fn(|cx| {
            if let Poll::Ready(Some(event)) = events.poll_next_unpin(cx) {
                return Poll::Ready(Step::Event(event));
            }
            orders.poll_next_unpin(cx).map(Step::Order)
        })
        .await
    }

    async fn carry_out(&mut self, call: Call) -> Result<String, DrivenError> {
        if matches!(call, Call::Close) {
            return self.close().await.map(|()| String::new());
        }
        if self.closed {
            return Err(DrivenError::Closed);
        }
        self.build().await?;
        let done = |(): ()| String::new();
        match call {
            Call::AddTrack(kind) => self.add_track(kind).await.map(done),
            Call::RemoveTrack(kind) => self.remove_track(kind).await.map(done),
            Call::CreateDataChannels => self.create_data_channels().await.map(done),
            Call::RestartIce => {
                self.peer()?.negotiation.want_restart();
                Ok(String::new())
            }
            Call::SetLocal(description) => self.set_local(description).await,
            Call::RollBack => self.roll_back().await.map(done),
            Call::SetRemote(description) => self.set_remote(description).await.map(done),
            Call::AddCandidate(candidate) => {
                let trickled = Trickled::Candidate(candidate);
                self.peer()?.apply_candidate(trickled).await.map(done).map_err(DrivenError::from)
            }
            Call::SetEnabled(kind, enabled) => {
                self.streams.iter().for_each(|stream| stream.set_enabled(kind, enabled));
                Ok(String::new())
            }
            Call::Close => unreachable!("handled above"),
        }
    }

    async fn build(&mut self) -> Result<(), DrivenError> {
        if self.peer.is_some() {
            return Ok(());
        }
        let certificate = self.settings.peer.certificate.take();
        let parts = PeerParts {
            settings: &self.settings.peer,
            certificate,
            guards: self.settings.guards,
            addresses: BindAddresses::new(self.settings.peer.udp_addresses.clone()),
            runtime: self.parts.runtime.clone(),
            observer: self.parts.observer.clone(),
            events: self.events_in.clone(),
            generation: 1,
            negotiation: Negotiation::caller(self.settings.guards),
            data: self.settings.data,
            silence: self.settings.media_silence,
            wants_frames: false,
            hold: Hold::default(),
        };
        self.peer = Some(Peer::build(parts).await?);
        self.move_call(CallState::Connecting, Cause::PeerConnectionMade);
        Ok(())
    }

    fn peer(&mut self) -> Result<&mut Peer, DrivenError> {
        self.peer.as_mut().ok_or(DrivenError::Closed)
    }

    async fn add_track(&mut self, kind: MediaKind) -> Result<(), DrivenError> {
        let own = self.settings.media;
        // A second camera is the screen: their streams must differ.
        let again = self.streams.iter().flat_map(MediaStream::tracks).any(|track| track.kind() == kind);
        let stream = match kind {
            MediaKind::Video if again => self.parts.devices.display_media().await,
            MediaKind::Video => {
                let video = Some(own.video.unwrap_or_default());
                self.parts.devices.user_media(MediaStreamConstraints { audio: false, video }).await
            }
            MediaKind::Audio => {
                self.parts.devices.user_media(MediaStreamConstraints { audio: true, video: None }).await
            }
        };
        let stream = stream?;
        self.peer()?.add_tracks(&stream).await?;
        self.streams.push(stream);
        Ok(())
    }

    async fn remove_track(&mut self, kind: MediaKind) -> Result<(), DrivenError> {
        let has = |stream: &MediaStream| stream.tracks().iter().any(|track| track.kind() == kind);
        let at = self.streams.iter().rposition(has).ok_or(DrivenError::NoTrack { kind })?;
        let stream = self.streams.remove(at);
        stream.stop();
        self.peer()?.remove_one(&stream).await.map_err(DrivenError::from)
    }

    async fn create_data_channels(&mut self) -> Result<(), DrivenError> {
        let outbox = self.outbox();
        self.peer()?.open_data(&outbox).await.map_err(DrivenError::from)
    }

    fn outbox(&mut self) -> Arc<Outbox> {
        let settings = self.settings.data.unwrap_or_default();
        self.outbox.get_or_insert_with(|| Arc::new(Outbox::new(settings))).clone()
    }

    async fn set_local(&mut self, description: LocalDescription) -> Result<String, DrivenError> {
        let peer = self.peer()?;
        let sdp = match description {
            LocalDescription::Offer => {
                let sdp = peer.offer().await?;
                peer.negotiation.offered();
                self.offered = true;
                sdp
            }
            LocalDescription::Pranswer => peer.provisional_answer().await?,
            LocalDescription::Answer => {
                let sdp = peer.answer().await?;
                let round = peer.negotiation.round();
                peer.negotiation.accepted(round, Answered { covers: Covers::Everything, restarted: true });
                self.follow_directions().await?;
                sdp
            }
        };
        self.entered_gathering();
        Ok(sdp)
    }

    async fn roll_back(&mut self) -> Result<(), DrivenError> {
        self.peer()?.roll_back().await?;
        self.offered = false;
        Ok(())
    }

    async fn set_remote(&mut self, description: RemoteDescription) -> Result<(), DrivenError> {
        match description {
            RemoteDescription::Offer(sdp) => {
                if self.offered {
                    self.roll_back().await?;
                }
                self.peer()?.apply_offer(sdp).await.map(drop).map_err(DrivenError::from)
            }
            RemoteDescription::Pranswer(sdp) => {
                self.peer()?.apply_provisional_answer(sdp).await.map_err(DrivenError::from)
            }
            RemoteDescription::Answer(sdp) => {
                self.peer()?.apply_answer(sdp).await?;
                self.offered = false;
                self.peer()?.negotiation.answered();
                self.follow_directions().await
            }
        }
    }

    async fn follow_directions(&mut self) -> Result<(), DrivenError> {
        self.peer()?.follow_directions().await.map_err(DrivenError::from)
    }

    /// The end of it all, once.
    async fn close(&mut self) -> Result<(), DrivenError> {
        if std::mem::replace(&mut self.closed, true) {
            return Ok(());
        }
        let lost =
            matches!(self.machines.connection, ConnectionState::Failed | ConnectionState::Disconnected);
        let reason = match (lost, self.was_connected) {
            (true, true) => EndReason::ConnectionLost,
            (true, false) => EndReason::ConnectionFailed,
            (false, _) => EndReason::HungUp,
        };
        self.move_call(CallState::Ended(reason), Cause::Close);
        for stream in &self.streams {
            stream.stop();
        }
        let closed = match self.peer.take() {
            Some(peer) => peer.close().await.map_err(DrivenError::from),
            None => Ok(()),
        };
        let tracks = self.streams.iter().flat_map(MediaStream::tracks);
        let live_tracks = tracks.filter(|track| track.is_live()).count();
        self.parts.observer.on_event(EngineEvent::Released { live_tracks });
        closed
    }

    async fn on_event(&mut self, event: PeerEventKind) {
        if self.peer.is_none() {
            return;
        }
        match event {
            PeerEventKind::NegotiationNeeded | PeerEventKind::TrackEnded { .. } => {}
            PeerEventKind::Candidate(event) => {
                let Some((init, peer)) = event.candidate.to_json().ok().zip(self.peer.as_ref()) else {
                    return;
                };
                let candidate = peer.complete(init);
                let gathered = EngineEvent::CandidateGathered { candidate: candidate.summary() };
                self.parts.observer.on_event(gathered);
                // Nobody may be interested in candidates any more.
                let _ = self.parts.candidates.unbounded_send(candidate);
            }
            PeerEventKind::CandidateError(event) => {
                let (url, code, text) = (event.url, event.error_code, event.error_text);
                self.parts.observer.on_event(EngineEvent::CandidateError { url, code, text });
            }
            PeerEventKind::Signaling(state) => self.enter(State::Signaling(state), None),
            PeerEventKind::Gathering(state) => {
                // `new` and `gathering` are told from here, see `entered_gathering`.
                if state == GatheringState::Complete {
                    self.enter(State::Gathering(state), None);
                }
            }
            PeerEventKind::Ice(state) => self.enter(State::Ice(state), None),
            PeerEventKind::Connection(state) => self.on_connection(state).await,
            PeerEventKind::Track(track) => {
                let Some(peer) = &mut self.peer else { return };
                if let Some(track) = peer.receive(track).await {
                    self.parts.observer.on_event(EngineEvent::TrackAdded { kind: track.kind });
                }
            }
            PeerEventKind::DataChannel(channel) => {
                let outbox = self.outbox();
                if let Some(peer) = &mut self.peer {
                    // What another application opens is that one's affair.
                    let _ = peer.accept_data(&channel, &outbox).await;
                }
            }
        }
    }

    async fn on_connection(&mut self, state: ConnectionState) {
        self.enter(State::Connection(state), None);
        if state != ConnectionState::Connected {
            return;
        }
        self.was_connected = true;
        self.move_call(CallState::Connected, Cause::ConnectionConnected);
        let Some(peer) = &mut self.peer else { return };
        if let Some((local, remote)) = peer.selected_pair().await {
            self.parts.observer.on_event(EngineEvent::PairSelected { local, remote });
        }
        if let Err(error) = peer.start_sending().await {
            self.parts
                .observer
                .on_event(EngineEvent::Problem { what: format!("cannot send media: {error}") });
        }
    }

    /// `webrtc` 0.21.1 never reports `gathering`. A new generation is gathered anew.
    fn entered_gathering(&mut self) {
        let generation = self.peer.as_ref().and_then(|peer| peer.local_fragment().map(str::to_owned));
        if generation.is_some() && self.gathered != generation {
            self.gathered = generation;
            self.enter(State::Gathering(GatheringState::Gathering), Some(Cause::LocalDescription));
        }
    }

    fn enter(&mut self, to: State, cause: Option<Cause>) {
        if let Some(from) = self.machines.enter(to) {
            self.parts.observer.on_event(EngineEvent::StateChanged { from, to, cause });
        }
    }

    fn move_call(&mut self, to: CallState, cause: Cause) {
        let from = std::mem::replace(&mut self.state, to);
        if from != to {
            let (from, to, cause) = (State::Call(from), State::Call(to), Some(cause));
            self.parts.observer.on_event(EngineEvent::StateChanged { from, to, cause });
        }
    }
}
