//! One participant of a room on the loopback interface, and a guest of whom each message is made by hand.

use std::{sync::Arc, time::Duration};

use call_engine::{
    CallState, EngineEvent, MediaKind, Mesh, MeshEvent, MeshObserver, MeshParts, Observer, PeerSettings,
    Permission, ReceivedPacket, Settings, State, SyntheticDevices, Trickle,
};
use signaller::{
    CallId, Envelope, Media, Message, Outgoing, ParticipantId, Transport as _, TransportEvent,
    memory::{Hub, MemoryTransport},
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use webrtc::runtime::{Runtime, TokioRuntime};

/// What a member was told.
#[derive(Debug)]
pub(crate) enum Told {
    /// Of the room.
    Room(MeshEvent),
    /// Of the pair with this participant.
    Pair(ParticipantId, EngineEvent),
    /// A packet of this kind arrived from this participant.
    Packet(ParticipantId, MediaKind),
}

impl Told {
    /// Whether it is a packet of `remote`, of `kind` or of any.
    pub(crate) fn is_packet(&self, remote: &str, kind: Option<MediaKind>) -> bool {
        matches!(self, Self::Packet(from, found)
            if from.as_str() == remote && kind.is_none_or(|kind| kind == *found))
    }
}

pub(crate) struct Member {
    pub(crate) mesh: Mesh,
    told: UnboundedReceiver<Told>,
}

impl Member {
    /// A member whose pairs take any port of the loopback interface.
    pub(crate) fn start(name: &str, hub: &Hub) -> Self {
        Self::start_at(name, "127.0.0.1:0", hub)
    }

    pub(crate) fn start_at(name: &str, address: &str, hub: &Hub) -> Self {
        let (told_in, told) = unbounded_channel();
        let runtime: Arc<dyn Runtime> = Arc::new(TokioRuntime);
        let peer = PeerSettings { udp_addresses: vec![address.to_owned()], ..PeerSettings::default() };
        let settings = Settings { peer, ..Settings::new(name) };
        let (permission, delay) = (Permission::Granted, Duration::ZERO);
        let parts = MeshParts {
            runtime: runtime.clone(),
            transport: Box::new(hub.join(name)),
            devices: Arc::new(SyntheticDevices { permission, delay, runtime }),
            observer: Arc::new(Seen { told: told_in }),
        };
        Self { mesh: Mesh::start(settings, parts), told }
    }

    /// Waits until it is told what `wanted` knows: all up to and with that.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&Told) -> bool) -> Vec<Told> {
        let mut all = Vec::new();
        loop {
            let told = self.told.recv().await.expect("the mesh went away");
            let found = wanted(&told);
            all.push(told);
            if found {
                return all;
            }
        }
    }

    /// Waits for a packet of `remote`, of `kind` or of any.
    pub(crate) async fn until_packet(&mut self, remote: &str, kind: Option<MediaKind>) -> Vec<Told> {
        self.until(|told| told.is_packet(remote, kind)).await
    }

    /// Waits for an event of the room.
    pub(crate) async fn until_room(&mut self, wanted: MeshEvent) -> Vec<Told> {
        self.until(|told| matches!(told, Told::Room(event) if *event == wanted)).await
    }

    /// Waits for an event of the pair with `remote`.
    pub(crate) async fn until_pair(
        &mut self,
        remote: &str,
        wanted: impl Fn(&EngineEvent) -> bool,
    ) -> Vec<Told> {
        self.until(|told| matches!(told, Told::Pair(with, event) if with.as_str() == remote && wanted(event)))
            .await
    }

    /// Waits until the call with `remote` is in `state`.
    pub(crate) async fn until_state(&mut self, remote: &str, state: CallState) -> Vec<Told> {
        let wanted = State::Call(state);
        let is_it =
            |event: &EngineEvent| matches!(event, EngineEvent::StateChanged { to, .. } if *to == wanted);
        self.until_pair(remote, is_it).await
    }

    /// The port on which the pair with `remote` gathers next, with its address.
    pub(crate) async fn gathers_at(&mut self, remote: &str) -> String {
        let told =
            self.until_pair(remote, |event| matches!(event, EngineEvent::CandidateGathered { .. })).await;
        match told.last() {
            Some(Told::Pair(
                _,
                EngineEvent::CandidateGathered { candidate: Trickle::Candidate(candidate) },
            )) => candidate.address.to_string(),
            _ => unreachable!("it was waited for"),
        }
    }

    /// The next problem of the room.
    pub(crate) async fn problem(&mut self) -> String {
        let told = self.until(|told| matches!(told, Told::Room(MeshEvent::Problem { .. }))).await;
        match told.into_iter().next_back() {
            Some(Told::Room(MeshEvent::Problem { what })) => what,
            _ => unreachable!("it was waited for"),
        }
    }
}

/// What a member's observers tell.
#[derive(Clone)]
struct Seen {
    told: UnboundedSender<Told>,
}

impl Seen {
    fn tell(&self, told: Told) {
        // Nobody may listen any more.
        let _ = self.told.send(told);
    }
}

impl MeshObserver for Seen {
    fn pair(&self, remote: &ParticipantId) -> Arc<dyn Observer> {
        Arc::new(SeenOfPair { room: self.clone(), remote: remote.clone() })
    }

    fn on_event(&self, event: MeshEvent) {
        self.tell(Told::Room(event));
    }
}

struct SeenOfPair {
    room: Seen,
    remote: ParticipantId,
}

impl Observer for SeenOfPair {
    fn on_event(&self, event: EngineEvent) {
        self.room.tell(Told::Pair(self.remote.clone(), event));
    }

    fn on_packet_received(&self, packet: ReceivedPacket) {
        self.room.tell(Told::Packet(self.remote.clone(), packet.kind));
    }
}

/// Somebody who sends what a test says.
pub(crate) struct Guest {
    name: String,
    transport: MemoryTransport,
}

impl Guest {
    pub(crate) fn join(name: &str, hub: &Hub) -> Self {
        Self { name: name.to_owned(), transport: hub.join(name) }
    }

    /// Rings at `to` with a call of `room`: its id.
    pub(crate) fn rings(&mut self, to: &str, room: &str) -> CallId {
        let call = CallId::from(format!("{room}/{}-1/{to}", self.name).as_str());
        self.sends(to, &call, Message::Ring { media: Media { audio: true, video: true } });
        call
    }

    pub(crate) fn sends(&mut self, to: &str, call: &CallId, body: Message) {
        self.transport.send(Outgoing { call: call.clone(), to: to.into(), body }).expect("the hub takes it");
    }

    /// Rings at `to` with a call of `room`, which is taken: its id.
    pub(crate) async fn is_taken_in(&mut self, to: &str, room: &str) -> CallId {
        let call = self.rings(to, room);
        assert_eq!(self.hears_kind().await, "ringing");
        assert_eq!(self.hears_kind().await, "accept");
        call
    }

    /// Rings at `to` with a call of `room`, which is declined.
    pub(crate) async fn is_declined(&mut self, to: &str, room: &str, why: &str) {
        self.rings(to, room);
        assert_eq!(self.hears_kind().await, "reject declined", "{why}");
    }

    /// The next message.
    pub(crate) async fn hears(&mut self) -> Envelope {
        loop {
            let event = self.transport.recv().await.expect("the hub is there");
            if let TransportEvent::Message(envelope) = event {
                return envelope;
            }
        }
    }

    /// The kind of the next message, with its detail: `ringing`, `reject declined`.
    pub(crate) async fn hears_kind(&mut self) -> String {
        let body = self.hears().await.body;
        format!("{} {}", body.kind(), body.detail()).trim_end().to_owned()
    }
}
