//! A relay, and clients that reach it over pipes in memory.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use signaller::{
    CallId, Envelope, Media, Message, Outgoing, SessionId, Transport, TransportEvent,
    message::VERSION,
    relay::{Passage, RelayEvent, RelaySettings, SharedRelay},
    tcp::{ClientSettings, Connector, Identity, TcpTransport, serve_connection},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    task::AbortHandle,
    time::Instant,
};

/// One call's relay and the wires to it.
#[derive(Clone)]
pub(crate) struct Rig {
    pub(crate) relay: SharedRelay,
    log: Arc<Mutex<Vec<String>>>,
    wires: Arc<Mutex<Vec<AbortHandle>>>,
    unreachable: Arc<AtomicBool>,
    begun: Instant,
}

impl Rig {
    pub(crate) fn new(settings: RelaySettings) -> Self {
        let log = Arc::<Mutex<Vec<String>>>::default();
        let begun = Instant::now();
        let lines = Arc::clone(&log);
        let observer = Arc::new(move |event| {
            // These tests are about what the relay decides.
            if !matches!(event, RelayEvent::Written { .. }) {
                lines.lock().unwrap().push(format!("{} {}", begun.elapsed().as_millis(), line(&event)));
            }
        });
        Self {
            relay: SharedRelay::new(settings, observer),
            log,
            wires: Arc::default(),
            unreachable: Arc::default(),
            begun,
        }
    }

    /// A client of the participant's first session.
    pub(crate) fn join(&self, participant: &str) -> Client {
        self.join_with(participant, "s1", ClientSettings::default())
    }

    pub(crate) fn join_with(&self, participant: &str, session: &str, settings: ClientSettings) -> Client {
        let identity = Identity { participant: participant.into(), session: SessionId::new(session) };
        Client(TcpTransport::spawn(identity, settings, self.connector()))
    }

    /// Makes a new pipe each time, with a task that serves its other end.
    pub(crate) fn connector(&self) -> impl Connector {
        let rig = self.clone();
        move || {
            let stream = if rig.unreachable.load(Ordering::Relaxed) {
                Err(io::ErrorKind::ConnectionRefused.into())
            } else {
                Ok(rig.wire())
            };
            std::future::ready(stream)
        }
    }

    /// A pipe to the relay, for a client that a test plays itself.
    pub(crate) fn wire(&self) -> DuplexStream {
        let (near, far) = duplex(4096);
        let task = tokio::spawn(serve_connection(self.relay.clone(), far));
        self.wires.lock().unwrap().push(task.abort_handle());
        near
    }

    /// Cuts all wires.
    pub(crate) fn cut(&self) {
        self.wires.lock().unwrap().drain(..).for_each(|wire| wire.abort());
    }

    /// Refuses new connections, or accepts them again.
    pub(crate) fn set_unreachable(&self, unreachable: bool) {
        self.unreachable.store(unreachable, Ordering::Relaxed);
    }

    pub(crate) fn elapsed_ms(&self) -> u128 {
        self.begun.elapsed().as_millis()
    }

    /// What the relay did so far, a line each, and forgets it.
    pub(crate) fn log(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }
}

fn line(event: &RelayEvent) -> String {
    match event {
        RelayEvent::Joined { participant, session, waiting, .. } => {
            format!("{participant} joined, session {session}, {waiting} waiting")
        }
        RelayEvent::Relayed(passage) => format!("relayed {}", of(passage)),
        RelayEvent::Stored(passage) => format!("stored {}", of(passage)),
        RelayEvent::Held { passage, by } => format!("held {} for {} ms", of(passage), by.as_millis()),
        RelayEvent::Duplicate(passage) => format!("duplicate {}", of(passage)),
        RelayEvent::Rejected { participant, code, .. } => {
            format!("rejected {} from {}", code, participant.as_ref().map_or("somebody", |who| who.as_str()))
        }
        RelayEvent::Left { participant, .. } => format!("{participant} left"),
        other => format!("{other:?}"),
    }
}

fn of(passage: &Passage) -> String {
    format!("{} #{} {} → {}", passage.kind, passage.id, passage.from, passage.to)
}

/// A transport, with the words of these tests.
pub(crate) struct Client(pub(crate) TcpTransport);

impl Client {
    #[track_caller]
    pub(crate) fn send(&mut self, to: &str, body: Message) -> u64 {
        self.0.send(outgoing(to, body)).unwrap()
    }

    /// The next event in a line, but for notices of who comes and goes; `end` when the transport is closed.
    pub(crate) async fn event(&mut self) -> String {
        loop {
            let event = self.any_event().await;
            if !is_notice(&event) {
                return event;
            }
        }
    }

    async fn any_event(&mut self) -> String {
        match soon(self.0.recv()).await {
            Some(TransportEvent::Up) => "up".to_owned(),
            Some(TransportEvent::Down { reason }) => format!("down: {reason}"),
            Some(TransportEvent::Message(envelope)) => {
                format!("{} #{} from {}", envelope.body.kind(), envelope.id, envelope.from)
            }
            Some(other) => format!("{other:?}"),
            None => "end".to_owned(),
        }
    }

    pub(crate) async fn events(&mut self, count: usize) -> Vec<String> {
        let mut events = Vec::new();
        for _ in 0..count {
            events.push(self.event().await);
        }
        events
    }
}

pub(crate) fn outgoing(to: &str, body: Message) -> Outgoing {
    Outgoing { call: CallId::new("c1"), to: to.into(), body }
}

pub(crate) fn ring() -> Message {
    Message::Ring { media: Media { audio: true, video: true } }
}

pub(crate) fn offer() -> Message {
    Message::Offer { sdp: "v=0\r\n".to_owned(), negotiation: 1 }
}

pub(crate) fn join(session: &str) -> Message {
    Message::Join { session: SessionId::new(session) }
}

pub(crate) fn envelope(id: u64, from: &str, to: &str, body: Message) -> Envelope {
    Envelope { version: VERSION, id, call: CallId::new("c1"), from: from.into(), to: to.into(), body }
}

/// Writes one frame by hand.
pub(crate) async fn write_frame(stream: &mut DuplexStream, body: &[u8]) {
    stream.write_u32(u32::try_from(body.len()).unwrap()).await.unwrap();
    stream.write_all(body).await.unwrap();
}

pub(crate) async fn write(stream: &mut DuplexStream, envelope: &Envelope) {
    write_frame(stream, &envelope.to_json()).await;
}

/// Reads one frame by hand, but for notices; `None` when the relay has closed the stream.
pub(crate) async fn read(stream: &mut DuplexStream) -> Option<Envelope> {
    loop {
        let length = soon(stream.read_u32()).await.ok()?;
        let mut body = vec![0; length as usize];
        soon(stream.read_exact(&mut body)).await.unwrap();
        let envelope = Envelope::from_json(&body).unwrap();
        if !is_notice(envelope.body.kind().as_str()) {
            return Some(envelope);
        }
    }
}

/// Whether a line is about who comes and goes: of that `acknowledged.rs` has tests of its own.
pub(crate) fn is_notice(line: &str) -> bool {
    line.starts_with("absent") || line.starts_with("present")
}

/// As [`read`], in a line.
pub(crate) async fn answer(stream: &mut DuplexStream) -> String {
    read(stream).await.map_or_else(
        || "end".to_owned(),
        |envelope| format!("{} #{} {}", envelope.body.kind(), envelope.id, envelope.body.detail()),
    )
}

/// What does not come within a virtual hour does not come.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(3600), what).await.expect("nothing came")
}

/// Lets everything happen that needs no longer than this.
pub(crate) async fn after_ms(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

pub(crate) fn alive_tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}
