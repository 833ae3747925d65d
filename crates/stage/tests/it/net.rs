//! Programs that use tokio's names for sockets.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use stage::{
    Command, Journal, Leftovers, Program as _, Task,
    net::{TcpListener, TcpStream, UdpSocket, lookup_host},
};
use timeline::Timeline;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::oneshot,
};

use crate::places::{places, world};

/// What `at_alice` returns as a task of Alice's host, with `at_bob` as one of Bob's.
fn play<T, A, B>(at_alice: A, at_bob: B) -> T
where
    T: Send + 'static,
    A: Future<Output = T> + Send + 'static,
    B: Future<Output = ()> + Send + 'static,
{
    let journal: Arc<dyn Journal> = Arc::new(Mutex::new(Timeline::default()));
    let outcome = stage::run(world(), |world| async move {
        let [alice, bob] = places(&world, &journal);
        let (done, result) = oneshot::channel();
        bob.spawn(at_bob);
        alice.spawn(async move {
            let _ = done.send(at_alice.await);
        });
        result.await.unwrap()
    });
    outcome.unwrap().value.unwrap()
}

async fn echo_at(listener: TcpListener) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut word = [0; 5];
    stream.read_exact(&mut word).await.unwrap();
    stream.write_all(&word).await.unwrap();
}

#[test]
fn a_tcp_server_on_all_addresses_is_reached_by_name_and_by_address() {
    for to in ["bob.test:9000", "10.0.0.2:9000", "[2001:db8::2]:9000"] {
        let wildcard = if to.starts_with('[') { "[::]:9000" } else { "0.0.0.0:9000" };
        let answer = play(
            async move {
                tokio::time::sleep(Duration::from_millis(5)).await;
                let mut stream = TcpStream::connect(to).await.unwrap();
                stream.write_all(b"hello").await.unwrap();
                let mut word = [0; 5];
                stream.read_exact(&mut word).await.unwrap();
                (word, stream.peer_addr().unwrap().port())
            },
            async move { echo_at(TcpListener::bind(wildcard).await.unwrap()).await },
        );
        assert_eq!(answer, (*b"hello", 9000), "{to}");
    }
}

#[test]
fn datagrams_go_out_by_the_address_of_the_right_family() {
    let from = play(
        async {
            let socket = UdpSocket::bind("0.0.0.0:4000").await.unwrap();
            socket.send_to(b"ping", ("bob.test", 5000)).await.unwrap();
            let mut buffer = [0; 16];
            let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
            (buffer[..length].to_vec(), from)
        },
        async {
            let socket = UdpSocket::bind("10.0.0.2:5000").await.unwrap();
            let mut buffer = [0; 16];
            let (_, from) = socket.recv_from(&mut buffer).await.unwrap();
            assert_eq!(from.to_string(), "10.0.0.1:4000");
            socket.send_to(b"pong", from).await.unwrap();
        },
    );
    assert_eq!(from, (b"pong".to_vec(), "10.0.0.2:5000".parse::<SocketAddr>().unwrap()));
}

#[test]
fn names_are_those_of_the_world() {
    let (known, unknown) = play(
        async {
            let known: Vec<SocketAddr> = lookup_host("bob.test:1").await.unwrap().collect();
            (known, lookup_host("localhost:1").await.map(|_| ()).map_err(|error| error.kind()))
        },
        async {},
    );
    assert_eq!(known, ["10.0.0.2:1".parse::<SocketAddr>().unwrap()]);
    assert_eq!(unknown, Err(io::ErrorKind::NotFound));
}

#[test]
fn outside_of_a_hosts_tasks_there_are_no_sockets() {
    let outcome = stage::run(world(), |_| async {
        TcpStream::connect("10.0.0.2:9000").await.map(|_| ()).map_err(|error| error.kind())
    });
    assert_eq!(outcome.unwrap().value, Some(Err(io::ErrorKind::Unsupported)));
}

/// `webrtc` expands the wildcard of its own examples by listing interfaces: each host's task finds its own.
#[test]
fn each_hosts_task_lists_its_own_interfaces() {
    let own = || async { UdpSocket::bind("0.0.0.0:0").await.unwrap().local_addr().unwrap().ip() };
    let (at_bob, bob) = oneshot::channel();
    let alice = play(own(), async move {
        let _ = at_bob.send(own().await);
    });
    assert_eq!(alice.to_string(), "10.0.0.1");
    assert_eq!(bob.blocking_recv().unwrap().to_string(), "10.0.0.2");
}

#[test]
fn a_task_serves_until_it_is_stopped_and_leaves_nothing() {
    let journal: Arc<dyn Journal> = Arc::new(Mutex::new(Timeline::default()));
    let outcome = stage::run(world(), |world| async move {
        let [alice, bob] = places(&world, &journal);
        let mut server = Task::start(&bob, async {
            let listener = TcpListener::bind("0.0.0.0:9000").await.unwrap();
            let mut streams = Vec::new();
            while let Ok(stream) = listener.accept().await {
                streams.push(stream);
            }
        });
        let answer = alice.connect("10.0.0.2:9000".parse().unwrap()).await.map(drop);
        assert_eq!(bob.leftovers().unwrap().tasks, 1);
        let refused = server.act(&Command::HangUp).unwrap_err().to_string();
        server.stop().await;
        world.sleep(Duration::from_secs(1)).await;
        (answer.is_ok(), refused, bob.leftovers().unwrap())
    });
    let refused = "it only runs, and cannot: hangs up".to_owned();
    assert_eq!(outcome.unwrap().value, Some((true, refused, Leftovers::default())));
}
