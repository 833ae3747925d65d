//! One participant on the loopback interface, and what can be done to its messages.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use call_engine::{
    CallState, DataMessage, Delivery, EndReason, Engine, EngineEvent, LocalTrack, MediaDevices, MediaError,
    MediaKind, MediaStream, MediaStreamConstraints, Observer, Parts, PeerSettings, Permission, ReceivedFrame,
    ReceivedPacket, RemoteTrack, Settings, State, Statistics, SyntheticDevices,
};
use signaller::{
    Outgoing, Transport, TransportError, TransportEvent, memory::Hub, transport::TransportFuture,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use webrtc::runtime::{Runtime, TokioRuntime};

/// What one side saw.
struct Seen {
    events: UnboundedSender<EngineEvent>,
    media: Mutex<Vec<MediaKind>>,
    arrived: UnboundedSender<MediaKind>,
    data: UnboundedSender<(Delivery, DataMessage)>,
    frames: UnboundedSender<ReceivedFrame>,
    /// The bytes of all payloads that came with packets.
    payload_bytes: Arc<AtomicUsize>,
    most_buffered: Arc<AtomicUsize>,
    statistics: UnboundedSender<Statistics>,
}

impl Observer for Seen {
    fn on_event(&self, event: EngineEvent) {
        let _ = self.events.send(event);
    }

    fn on_packet_received(&self, packet: ReceivedPacket) {
        let kind = packet.kind;
        let mut media = self.media.lock().unwrap();
        if !media.contains(&kind) {
            media.push(kind);
            let _ = self.arrived.send(kind);
        }
    }

    fn on_data(&self, delivery: Delivery, message: &DataMessage) {
        let _ = self.data.send((delivery, message.clone()));
    }

    fn on_rtp(&self, _track: &RemoteTrack, packet: &rtc::rtp::Packet) {
        self.payload_bytes.fetch_add(packet.payload.len(), Ordering::Relaxed);
    }

    fn on_frame_received(&self, frame: ReceivedFrame) {
        let _ = self.frames.send(frame);
    }

    fn on_data_buffered(&self, _delivery: Delivery, bytes: usize) {
        self.most_buffered.fetch_max(bytes, Ordering::Relaxed);
    }

    fn on_statistics(&self, statistics: Statistics) {
        let _ = self.statistics.send(statistics);
    }
}

pub(crate) struct Side {
    pub(crate) engine: Engine,
    events: UnboundedReceiver<EngineEvent>,
    arrived: UnboundedReceiver<MediaKind>,
    data: UnboundedReceiver<(Delivery, DataMessage)>,
    frames: UnboundedReceiver<ReceivedFrame>,
    payload_bytes: Arc<AtomicUsize>,
    most_buffered: Arc<AtomicUsize>,
    statistics: UnboundedReceiver<Statistics>,
    given: Given,
}

/// Every track that the devices gave.
type Given = Arc<Mutex<Vec<Arc<LocalTrack>>>>;

/// How a side is made.
pub(crate) struct Plan {
    pub(crate) permission: Permission,
    pub(crate) settings: Settings,
    pub(crate) tamper: Tamper,
    pub(crate) incoming: Incoming,
}

/// When messages of others are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Incoming {
    /// When they come.
    AtOnce,
    /// After the first message of one's own was sent.
    AfterFirstSent,
}

/// What happens to a message on its way out.
pub(crate) type Tamper = Box<dyn FnMut(&mut Outgoing) -> Fate + Send>;

pub(crate) enum Fate {
    Sent,
    SentTwice,
}

impl Plan {
    /// A side to which nothing special happens.
    pub(crate) fn of(participant: &str) -> Self {
        Self {
            permission: Permission::Granted,
            settings: Settings {
                peer: PeerSettings {
                    udp_addresses: vec!["127.0.0.1:0".to_owned()],
                    ..PeerSettings::default()
                },
                ..Settings::new(participant)
            },
            tamper: Box::new(|_| Fate::Sent),
            incoming: Incoming::AtOnce,
        }
    }

    /// The same side with one guard off.
    pub(crate) fn without(mut self, guard: &str) -> Self {
        self.settings.guards.set(guard, false).expect("there is such a guard");
        self
    }

    pub(crate) fn start(self, hub: &Hub) -> Side {
        let (events_in, events) = unbounded_channel();
        let (arrived_in, arrived) = unbounded_channel();
        let (data_in, data) = unbounded_channel();
        let (statistics_in, statistics) = unbounded_channel();
        let (frames_in, frames) = unbounded_channel();
        let payload_bytes = Arc::new(AtomicUsize::new(0));
        let runtime: Arc<dyn Runtime> = Arc::new(TokioRuntime);
        let given = Given::default();
        let most_buffered = Arc::new(AtomicUsize::new(0));
        let inner = Box::new(hub.join(self.settings.participant.as_str()));
        let parts = Parts {
            runtime: runtime.clone(),
            transport: Box::new(Tampering { inner, tamper: self.tamper, incoming: self.incoming }),
            devices: Arc::new(Counted {
                inner: SyntheticDevices { permission: self.permission, delay: Duration::ZERO, runtime },
                given: given.clone(),
            }),
            observer: Arc::new(Seen {
                events: events_in,
                media: Mutex::default(),
                arrived: arrived_in,
                data: data_in,
                frames: frames_in,
                payload_bytes: payload_bytes.clone(),
                most_buffered: most_buffered.clone(),
                statistics: statistics_in,
            }),
        };
        let engine = Engine::start(self.settings, parts);
        Side { engine, events, arrived, data, frames, payload_bytes, most_buffered, statistics, given }
    }
}

impl Side {
    /// Waits for an event that `wanted` knows: the events up to and with that one.
    pub(crate) async fn until_event(&mut self, wanted: impl Fn(&EngineEvent) -> bool) -> Vec<EngineEvent> {
        let mut seen = Vec::new();
        loop {
            let event = self.events.recv().await.expect("the engine went away");
            let found = wanted(&event);
            seen.push(event);
            if found {
                return seen;
            }
        }
    }

    /// Waits until the call is in `state`: the events on the way.
    pub(crate) async fn until(&mut self, state: CallState) -> Vec<EngineEvent> {
        let wanted = State::Call(state);
        self.until_event(|event| matches!(event, EngineEvent::StateChanged { to, .. } if *to == wanted)).await
    }

    /// Waits until the call is released: the local tracks that are still live.
    pub(crate) async fn until_released(&mut self) -> usize {
        let seen = self.until_event(|event| matches!(event, EngineEvent::Released { .. })).await;
        match seen.last() {
            Some(EngineEvent::Released { live_tracks }) => *live_tracks,
            _ => unreachable!("it was waited for"),
        }
    }

    /// What was seen and not yet looked at.
    pub(crate) fn seen(&mut self) -> Vec<EngineEvent> {
        std::iter::from_fn(|| self.events.try_recv().ok()).collect()
    }

    /// Waits for a remote stream.
    pub(crate) async fn until_stream(&mut self, wanted: &str) {
        self.until_event(|event| matches!(event, EngineEvent::StreamAdded { id } if id == wanted)).await;
    }

    pub(crate) async fn until_media(&mut self) {
        let mut kinds = [self.arrived.recv().await, self.arrived.recv().await];
        kinds.sort();
        assert_eq!(kinds, [Some(MediaKind::Audio), Some(MediaKind::Video)]);
    }

    pub(crate) async fn message(&mut self) -> (Delivery, Vec<u8>) {
        let (delivery, message) = self.text_or_bytes().await;
        (delivery, message.as_bytes().to_vec())
    }

    pub(crate) async fn text_or_bytes(&mut self) -> (Delivery, DataMessage) {
        self.data.recv().await.expect("the engine went away")
    }

    /// The next frame that `wanted` knows.
    pub(crate) async fn frame(&mut self, wanted: impl Fn(&ReceivedFrame) -> bool) -> ReceivedFrame {
        loop {
            let frame = self.frames.recv().await.expect("the engine went away");
            if wanted(&frame) {
                return frame;
            }
        }
    }

    pub(crate) fn payload_bytes(&self) -> usize {
        self.payload_bytes.load(Ordering::Relaxed)
    }

    /// The most bytes that a data channel had buffered after a message was handed to it.
    pub(crate) fn most_buffered(&self) -> usize {
        self.most_buffered.load(Ordering::Relaxed)
    }

    pub(crate) async fn sample(&mut self) -> Statistics {
        self.statistics.recv().await.expect("the engine went away")
    }
}

/// Connects `alice`, who dials, with `bob`.
pub(crate) async fn connected(alice: Plan, bob: Plan) -> (Side, Side) {
    let hub = Hub::default();
    let (mut alice, mut bob) = (alice.start(&hub), bob.start(&hub));
    alice.engine.dial("bob", "call-1");
    bob.until(CallState::Ringing).await;
    bob.engine.accept();
    alice.until(CallState::Connected).await;
    bob.until(CallState::Connected).await;
    (alice, bob)
}

/// Ends the call of the two, and finds nothing left.
pub(crate) async fn hang_up(mut alice: Side, mut bob: Side) {
    alice.engine.hang_up();
    for side in [&mut alice, &mut bob] {
        side.until(CallState::Ended(EndReason::HungUp)).await;
        assert_eq!(side.until_released().await, 0);
        assert!(side.given.lock().unwrap().iter().all(|track| !track.is_live()), "a device is still in use");
        side.engine.shut_down().await;
    }
}

pub(crate) fn play(script: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let limit = Duration::from_secs(20);
    runtime.block_on(async { tokio::time::timeout(limit, script).await.expect("the call hangs") });
}

/// Devices that remember what they gave.
struct Counted {
    inner: SyntheticDevices,
    given: Given,
}

type Media = Pin<Box<dyn Future<Output = Result<MediaStream, MediaError>> + Send>>;

impl Counted {
    fn count(&self, media: Media) -> Media {
        let given = self.given.clone();
        Box::pin(async move {
            let stream = media.await?;
            given.lock().unwrap().extend(stream.tracks().iter().cloned());
            Ok(stream)
        })
    }
}

impl MediaDevices for Counted {
    fn user_media(&self, constraints: MediaStreamConstraints) -> Media {
        self.count(self.inner.user_media(constraints))
    }

    fn display_media(&self) -> Media {
        self.count(self.inner.display_media())
    }
}

/// Signalling in which something happens to what goes out.
struct Tampering {
    inner: Box<dyn Transport>,
    tamper: Tamper,
    incoming: Incoming,
}

impl Transport for Tampering {
    fn send(&mut self, mut outgoing: Outgoing) -> Result<u64, TransportError> {
        self.incoming = Incoming::AtOnce;
        if let Fate::SentTwice = (self.tamper)(&mut outgoing) {
            self.inner.send(outgoing.clone())?;
        }
        self.inner.send(outgoing)
    }

    fn recv(&mut self) -> TransportFuture<'_, Option<TransportEvent>> {
        match self.incoming {
            Incoming::AtOnce => self.inner.recv(),
            Incoming::AfterFirstSent => Box::pin(std::future::pending()),
        }
    }

    fn close(&mut self) -> TransportFuture<'_, ()> {
        self.inner.close()
    }
}
