//! A relay with its HTTP endpoints, and clients that reach it over pipes in memory which can break.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use axum::serve::Listener;
use signaller::{
    Message, SessionId, Transport, TransportEvent,
    client::{FallbackSettings, FallbackTransport, Identity, Jitter, Target},
    http::{Clock, HttpSettings, serve},
    relay::{RelaySettings, SharedRelay},
};
use tokio::{
    io::{
        AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf, ReadHalf,
        WriteHalf, duplex, split,
    },
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, sleep, sleep_until},
};

use crate::rig::{is_notice, outgoing, soon};

/// 2026-01-01T00:00:00Z.
pub(crate) const NOW: Duration = Duration::from_secs(1_767_225_600);

/// One relay's server and the pipes to it.
#[derive(Clone)]
pub(crate) struct HttpRig {
    pub(crate) relay: SharedRelay,
    listener: mpsc::UnboundedSender<DuplexStream>,
    server: Arc<Mutex<Server>>,
    pub(crate) network: Arc<Network>,
    begun: Instant,
}

struct Server {
    task: Option<JoinHandle<()>>,
    shutdown: Option<oneshot::Sender<()>>,
}

/// What the network does to connections.
#[derive(Default)]
pub(crate) struct Network {
    pub(crate) unreachable: AtomicBool,
    pub(crate) made: AtomicUsize,
    /// The bytes after which the next connections break, both directions together.
    pub(crate) budgets: Mutex<VecDeque<Option<u32>>>,
    wires: Mutex<Vec<Weak<Mutex<Wire>>>>,
    /// How long bytes are on their way, in milliseconds.
    pub(crate) latency_ms: AtomicU64,
}

struct Pipes(mpsc::UnboundedReceiver<DuplexStream>);

/// The client's end of a pipe.
pub(crate) struct Pipe(Arc<Mutex<Wire>>);

struct Wire {
    /// `None`: broken.
    inner: Option<DuplexStream>,
    budget: Option<u32>,
    reader: Option<Waker>,
}

impl HttpRig {
    pub(crate) fn new(settings: RelaySettings) -> Self {
        Self::with(settings, HttpSettings::new(Clock::starting_at(NOW)))
    }

    pub(crate) fn with(settings: RelaySettings, http: HttpSettings) -> Self {
        let relay = SharedRelay::new(settings, Arc::new(|_| {}));
        let (listener, pipes) = mpsc::unbounded_channel();
        let (shutdown, told) = oneshot::channel();
        let until = async move {
            if told.await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let task = Some(tokio::spawn(serve(Pipes(pipes), relay.clone(), http, until)));
        let server = Arc::new(Mutex::new(Server { task, shutdown: Some(shutdown) }));
        Self { relay, listener, server, network: Arc::default(), begun: Instant::now() }
    }

    pub(crate) fn join(&self, participant: &str) -> Http {
        self.join_with(participant, "s1", FallbackSettings::default())
    }

    pub(crate) fn join_with(&self, participant: &str, session: &str, settings: FallbackSettings) -> Http {
        self.join_at(Target::open("relay.test"), participant, session, settings)
    }

    pub(crate) fn join_at(
        &self,
        target: Target,
        participant: &str,
        session: &str,
        settings: FallbackSettings,
    ) -> Http {
        let identity = Identity { participant: participant.into(), session: SessionId::new(session) };
        let rig = self.clone();
        let connector = move || {
            let stream = match rig.network.unreachable.load(Ordering::Relaxed) {
                true => Err(io::ErrorKind::ConnectionRefused.into()),
                false => Ok(rig.pipe()),
            };
            std::future::ready(stream)
        };
        Http(FallbackTransport::spawn(identity, target, settings, Jitter::none(), connector))
    }

    /// A new pipe to the server.
    pub(crate) fn pipe(&self) -> Pipe {
        let (near, far) = match self.network.latency_ms.load(Ordering::Relaxed) {
            0 => duplex(4096),
            ms => slow(Duration::from_millis(ms)),
        };
        // A server that is gone has dropped the other end: the pipe is broken from the beginning.
        let _gone = self.listener.send(far);
        self.network.made.fetch_add(1, Ordering::Relaxed);
        let budget = self.network.budgets.lock().unwrap().pop_front().flatten();
        let wire = Arc::new(Mutex::new(Wire { inner: Some(near), budget, reader: None }));
        let mut wires = self.network.wires.lock().unwrap();
        wires.retain(|wire| wire.strong_count() > 0);
        wires.push(Arc::downgrade(&wire));
        Pipe(wire)
    }

    /// How many pipes stand.
    pub(crate) fn standing(&self) -> usize {
        self.network.wires.lock().unwrap().iter().filter(|wire| wire.strong_count() > 0).count()
    }

    /// Cuts all pipes.
    pub(crate) fn cut(&self) {
        for wire in self.network.wires.lock().unwrap().drain(..) {
            if let Some(wire) = wire.upgrade() {
                wire.lock().unwrap().cut();
            }
        }
    }

    pub(crate) fn set_unreachable(&self, unreachable: bool) {
        self.network.unreachable.store(unreachable, Ordering::Relaxed);
    }

    /// Tells the server to stop, and waits until it has.
    pub(crate) async fn shut_down(&self) {
        let (shutdown, task) = {
            let mut server = self.server.lock().unwrap();
            (server.shutdown.take().unwrap(), server.task.take().unwrap())
        };
        shutdown.send(()).unwrap();
        soon(task).await.unwrap();
    }

    /// Ends the server without a word.
    pub(crate) fn kill(&self) {
        self.server.lock().unwrap().task.take().unwrap().abort();
    }

    /// Bytes take so long from now on, on new pipes.
    pub(crate) fn set_latency_ms(&self, ms: u64) {
        self.network.latency_ms.store(ms, Ordering::Relaxed);
    }

    pub(crate) fn elapsed_ms(&self) -> u128 {
        self.begun.elapsed().as_millis()
    }
}

/// A pipe on which bytes take their time.
fn slow(latency: Duration) -> (DuplexStream, DuplexStream) {
    let ((near, here), (there, far)) = (duplex(4096), duplex(4096));
    let ((from_near, to_near), (from_far, to_far)) = (split(here), split(there));
    tokio::spawn(carry(from_near, to_far, latency));
    tokio::spawn(carry(from_far, to_near, latency));
    (near, far)
}

/// Until either end is gone, which takes its time as well.
async fn carry(mut from: ReadHalf<DuplexStream>, mut to: WriteHalf<DuplexStream>, latency: Duration) {
    let (sender, mut on_the_way) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let sending = async move {
        let mut buffer = [0; 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            if sender.send((Instant::now() + latency, buffer[..read].to_vec())).is_err() {
                return;
            }
        }
        sleep(latency).await;
    };
    let receiving = async move {
        while let Some((due, bytes)) = on_the_way.recv().await {
            sleep_until(due).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
        let _closed = to.shutdown().await;
    };
    tokio::join!(sending, receiving);
}

impl Listener for Pipes {
    type Io = DuplexStream;
    type Addr = ();

    async fn accept(&mut self) -> (DuplexStream, ()) {
        match self.0.recv().await {
            Some(pipe) => (pipe, ()),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Wire {
    fn cut(&mut self) {
        self.inner = None;
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    fn pass(&mut self, bytes: usize) {
        if let Some(budget) = &mut self.budget {
            *budget = budget.saturating_sub(u32::try_from(bytes).unwrap());
            if *budget == 0 {
                self.cut();
            }
        }
    }

    fn allowed(&self, wanted: usize) -> usize {
        self.budget.map_or(wanted, |budget| wanted.min(budget as usize))
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut wire = self.0.lock().unwrap();
        let allowed = wire.allowed(buffer.remaining());
        wire.reader = Some(cx.waker().clone());
        let Some(inner) = &mut wire.inner else { return Poll::Ready(Err(broken())) };
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(allowed));
        std::task::ready!(Pin::new(inner).poll_read(cx, &mut part))?;
        let read = part.filled().len();
        buffer.advance(read);
        wire.pass(read);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let mut wire = self.0.lock().unwrap();
        let allowed = wire.allowed(data.len());
        let Some(inner) = &mut wire.inner else { return Poll::Ready(Err(broken())) };
        let written = std::task::ready!(Pin::new(inner).poll_write(cx, &data[..allowed]))?;
        wire.pass(written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0.lock().unwrap().inner {
            Some(inner) => Pin::new(inner).poll_flush(cx),
            None => Poll::Ready(Err(broken())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0.lock().unwrap().inner {
            Some(inner) => Pin::new(inner).poll_shutdown(cx),
            None => Poll::Ready(Ok(())),
        }
    }
}

fn broken() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}

/// A transport, with the words of these tests.
pub(crate) struct Http(pub(crate) FallbackTransport);

impl Http {
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
            Some(TransportEvent::Via { way }) => format!("via {way}"),
            Some(TransportEvent::Down { reason }) => format!("down: {reason}"),
            Some(TransportEvent::Delayed { reason }) => format!("delayed: {reason}"),
            Some(TransportEvent::Message(envelope)) => match &envelope.body {
                Message::Error { code, about, .. } => format!("error {code} about {about:?}"),
                body => format!("{} #{} from {}", body.kind(), envelope.id, envelope.from),
            },
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

    /// The next message; what the transport says about itself is passed over.
    pub(crate) async fn message(&mut self) -> String {
        loop {
            let event = self.event().await;
            if event.contains('#') || event.starts_with("error") || event == "end" {
                return event;
            }
        }
    }
}
