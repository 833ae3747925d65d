//! Real sockets: the one place in these tests where time is real. It waits for events only.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::serve::ListenerExt as _;
use signaller::{
    Message, SessionId, Transport as _, TransportEvent,
    client::{FallbackSettings, FallbackTransport, Identity, Jitter, Target},
    http::{Clock, HttpSettings, serve},
    message::RELAY,
    relay::{EndpointFaults, RelaySettings, SharedRelay, WebSocketFault, WebSocketRule, Window},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinSet,
    time::{Instant, timeout},
};

use crate::{http_rig::NOW, rig::outgoing};

const CLIENTS: usize = 200;
const MESSAGES: u64 = 25;

/// Far more than it takes; a run that gets there has lost something.
const PATIENCE: Duration = Duration::from_secs(60);

/// When each client has handed over what did not arrive yet.
type Departures = Arc<Vec<Mutex<VecDeque<Instant>>>>;

/// Every client sends its messages to the next one in a ring, each after it got as many itself, so that
/// all are under way at once; how long each took from being handed over to being taken.
async fn client(number: usize, server: SocketAddr, departures: Departures) -> Vec<Duration> {
    let (me, next) = (format!("p{number}"), format!("p{}", (number + 1) % CLIENTS));
    let before = format!("p{}", (number + CLIENTS - 1) % CLIENTS);
    let identity = Identity { participant: me.as_str().into(), session: SessionId::new("s1") };
    let mut transport = FallbackTransport::spawn(
        identity,
        Target::open(server.to_string()),
        FallbackSettings::default(),
        Jitter::none(),
        move || async move {
            let stream = TcpStream::connect(server).await?;
            stream.set_nodelay(true)?;
            Ok(stream)
        },
    );
    let send = |transport: &mut FallbackTransport| {
        departures[number].lock().unwrap().push_back(Instant::now());
        transport.send(outgoing(&next, Message::Accept)).unwrap();
    };
    send(&mut transport);
    let (mut expected, mut took) = (1, Vec::new());
    while expected <= MESSAGES {
        match transport.recv().await.unwrap() {
            // Who is done leaves.
            TransportEvent::Message(envelope) if envelope.from == *RELAY => {}
            TransportEvent::Message(envelope) => {
                assert_eq!((envelope.id, envelope.from.as_str()), (expected, before.as_str()), "{me}");
                let departed = departures[(number + CLIENTS - 1) % CLIENTS].lock().unwrap().pop_front();
                took.push(departed.unwrap().elapsed());
                expected += 1;
                if expected <= MESSAGES {
                    send(&mut transport);
                }
            }
            TransportEvent::Down { reason } => assert!(reason.contains("HTTP status 403"), "{reason}"),
            TransportEvent::Unreadable { error } => panic!("{error}"),
            _ => {}
        }
    }
    transport.close().await;
    took
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_clients_at_once_get_everything_in_order() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    // Small frames must not wait for each other's acknowledgements (RFC 896, RFC 1122 §4.2.3.2).
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
    // Every tenth client is one for whom only REST gets through.
    let refused = (0..CLIENTS).step_by(10).map(|number| WebSocketRule {
        from: Some(format!("p{number}").into()),
        nth: None,
        window: Window::ALWAYS,
        fault: WebSocketFault::Refused { status: 403 },
    });
    let endpoint = EndpointFaults { websocket: refused.collect(), rest: Vec::new() };
    let relay = SharedRelay::new(RelaySettings { endpoint, ..RelaySettings::default() }, Arc::new(|_| {}));
    let (stop, stopped) = oneshot::channel::<()>();
    let until = async move { stopped.await.unwrap() };
    let settings = HttpSettings::new(Clock::fixed(NOW));
    let serving = tokio::spawn(serve(listener, relay.clone(), settings, until));

    let begun = Instant::now();
    let departures: Departures = Arc::new((0..CLIENTS).map(|_| Mutex::default()).collect());
    let mut clients: JoinSet<_> =
        (0..CLIENTS).map(|number| client(number, server, Arc::clone(&departures))).collect();
    let mut took = Vec::new();
    timeout(PATIENCE, async {
        while let Some(client) = clients.join_next().await {
            took.extend(client.unwrap());
        }
    })
    .await
    .expect("something was lost");
    let in_all = begun.elapsed();
    assert_eq!(took.len() as u64, CLIENTS as u64 * MESSAGES);
    took.sort();
    println!(
        "{CLIENTS} clients, {} messages in {in_all:?}: {:.0}/s; one message p50 {:?}, p99 {:?}",
        took.len(),
        took.len() as f64 / in_all.as_secs_f64(),
        took[took.len() / 2],
        took[took.len() * 99 / 100],
    );
    stop.send(()).unwrap();
    timeout(PATIENCE, serving).await.expect("it does not stop").unwrap();
}
