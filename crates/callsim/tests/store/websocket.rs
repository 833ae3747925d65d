//! Two clients of our own that talk over WebSockets, whatever becomes of the server.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use signaller::{
    Message, Outgoing, SessionId, Transport as _, TransportEvent,
    client::{AllowedWays, Backoff, FallbackSettings, FallbackTransport, Identity, Jitter, Target},
    message::CallId,
};
use tokio::{
    net::TcpStream,
    runtime::Runtime,
    sync::Notify,
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::Where;

/// How many of a sender's messages may be on their way.
const AHEAD: u64 = 50;
/// Far more than it takes; a run that gets there has lost something.
const PATIENCE: Duration = Duration::from_secs(120);

/// A sender and its addressee.
pub(super) struct Pair {
    runtime: Runtime,
    address: Where,
    over: Arc<AtomicBool>,
    sender: JoinHandle<u64>,
    receiver: JoinHandle<u64>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    received: AtomicU64,
    /// How many there will be, once that is known; 0 before.
    wanted: AtomicU64,
    changed: Notify,
}

impl Pair {
    pub(super) fn start(address: SocketAddr) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let address = Arc::new(Mutex::new(address));
        let (over, counts) = (Arc::<AtomicBool>::default(), Arc::<Counts>::default());
        let guard = runtime.enter();
        let (from, to) = (client("ws-sender", &address), client("ws-receiver", &address));
        let sender = tokio::spawn(send(from, Arc::clone(&over), Arc::clone(&counts)));
        let receiver = tokio::spawn(receive(to, Arc::clone(&counts)));
        drop(guard);
        Self { runtime, address, over, sender, receiver, counts }
    }

    /// Where the server is now.
    pub(super) fn reach(&mut self, address: SocketAddr) {
        *self.address.lock().unwrap() = address;
    }

    /// How many have gone from one to the other, each once, in order.
    pub(super) fn finish(mut self, address: SocketAddr) -> u64 {
        self.reach(address);
        self.over.store(true, Ordering::Relaxed);
        let Self { runtime, sender, receiver, counts, .. } = self;
        runtime.block_on(async {
            let sent = timeout(PATIENCE, sender).await.expect("the sender ends").unwrap();
            counts.wanted.store(sent, Ordering::Relaxed);
            counts.changed.notify_waiters();
            let received = timeout(PATIENCE, receiver).await.expect("a message is lost").unwrap();
            assert_eq!(received, sent);
            received
        })
    }
}

fn client(who: &str, address: &Where) -> FallbackTransport {
    let identity = Identity { participant: who.into(), session: SessionId::new("s1") };
    let soon = Duration::from_millis(5);
    let settings = FallbackSettings {
        ways: AllowedWays::WebSocket,
        backoff: Backoff { first: soon, longest: soon },
        ..FallbackSettings::default()
    };
    let address = Arc::clone(address);
    FallbackTransport::spawn(identity, Target::open("127.0.0.1"), settings, Jitter::none(), move || {
        let address = *address.lock().unwrap();
        TcpStream::connect(address)
    })
}

/// Sends until it is over, and then until everything has arrived; how many.
async fn send(mut client: FallbackTransport, over: Arc<AtomicBool>, counts: Arc<Counts>) -> u64 {
    let mut sent = 0;
    loop {
        if over.load(Ordering::Relaxed) {
            break;
        }
        if sent < counts.received.load(Ordering::Relaxed) + AHEAD {
            let message =
                Outgoing { call: CallId::new("c"), to: "ws-receiver".into(), body: Message::Ringing };
            sent = client.send(message).unwrap();
        }
        tokio::select! {
            biased;
            event = client.recv() => assert!(event.is_some(), "the transport has ended"),
            () = counts.changed.notified() => {}
            () = sleep(Duration::from_millis(1)) => {}
        }
    }
    // The transport must live until the last of them is confirmed.
    while counts.received.load(Ordering::Relaxed) < sent {
        tokio::select! {
            biased;
            event = client.recv() => assert!(event.is_some(), "the transport has ended"),
            () = sleep(Duration::from_millis(5)) => {}
        }
    }
    sent
}

/// Receives until it has all that there will be; how many.
async fn receive(mut client: FallbackTransport, counts: Arc<Counts>) -> u64 {
    let mut received = 0;
    loop {
        let wanted = counts.wanted.load(Ordering::Relaxed);
        if wanted > 0 && received >= wanted {
            return received;
        }
        tokio::select! {
            biased;
            event = client.recv() => match event.expect("the transport has ended") {
                TransportEvent::Message(envelope) => {
                    assert_eq!(envelope.id, received + 1, "each once, in order");
                    received = envelope.id;
                    counts.received.store(received, Ordering::Relaxed);
                    counts.changed.notify_waiters();
                }
                TransportEvent::Unreadable { error } => panic!("{error}"),
                _ => {}
            },
            () = counts.changed.notified() => {}
        }
    }
}
