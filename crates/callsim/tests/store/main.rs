//! `callsim serve --store`, killed again and again under load: nothing that it has confirmed is lost, nothing comes
//! twice, and a mailbox keeps its name.
//!
//! Waits for events only: a server is killed after some number of answers, while other requests are on their way.

mod rest;
mod websocket;

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread,
};

use self::{
    rest::{Receiver, Sender},
    websocket::Pair,
};

/// How often the server is killed.
const KILLS: usize = 200;
/// Senders that post, each with an addressee who polls.
const PAIRS: usize = 4;
/// How often an addressee is there: in every round, or in one of so many, so that mail waits for several servers.
const PRESENT_EVERY: [usize; PAIRS] = [1, 2, 5, 9];

/// A server, killed with the test.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(store: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_callsim"));
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--format", "json", "--open", "--store"])
            .arg(store);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let said: serde_json::Value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let address = said["address"].as_str().unwrap().parse().unwrap();
        Self { child, address }
    }
}

impl Drop for Server {
    /// SIGKILL: it has no say in it.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the two ends of a pair know of each other, so that no queue overflows.
#[derive(Default)]
struct Progress {
    sent: AtomicU64,
    received: AtomicU64,
    /// What the addressee has told the server that it has received, and the server has heard.
    acknowledged: AtomicU64,
}

/// What all clients of one round share.
#[derive(Clone)]
struct Round {
    address: SocketAddr,
    over: Arc<AtomicBool>,
    /// Told of every answer.
    answered: mpsc::Sender<()>,
}

impl Round {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}

/// Some number from 1 on, another one in each round.
fn answers_before_kill(round: usize) -> usize {
    1 + (round * 7919 + 13) % 37
}

#[test]
fn a_server_that_is_killed_200_times_loses_nothing_that_it_has_confirmed() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("calls.redb");
    let progress: Vec<Arc<Progress>> = (0..PAIRS).map(|_| Arc::default()).collect();
    let mut senders: Vec<Sender> = (0..PAIRS).map(|pair| Sender::new(pair, &progress[pair])).collect();
    let mut receivers: Vec<Receiver> = (0..PAIRS).map(|pair| Receiver::new(pair, &progress[pair])).collect();
    let mut websockets = None;
    for round in 0..KILLS {
        let server = Server::start(&store);
        let websockets: &mut Pair = websockets.get_or_insert_with(|| Pair::start(server.address));
        websockets.reach(server.address);
        let (answered, answers) = mpsc::channel();
        let this = Round { address: server.address, over: Arc::default(), answered };
        thread::scope(|scope| {
            for (sender, (receiver, every)) in senders.iter_mut().zip(receivers.iter_mut().zip(PRESENT_EVERY))
            {
                let (to_send, to_receive) = (this.clone(), this.clone());
                scope.spawn(move || sender.send_until_over(&to_send));
                if round.is_multiple_of(every) {
                    scope.spawn(move || receiver.receive_until_over(&to_receive));
                }
            }
            for _ in 0..answers_before_kill(round) {
                answers.recv().unwrap();
            }
            drop(server);
            this.over.store(true, Ordering::Relaxed);
        });
    }
    // One server more: whatever waits is delivered.
    let server = Server::start(&store);
    let mut confirmed = 0;
    for (sender, receiver) in senders.iter_mut().zip(&mut receivers) {
        confirmed += sender.confirmed();
        sender.send_rest(server.address);
        receiver.receive_rest(server.address);
        let (sent, received) = (sender.sent(), receiver.received());
        assert_eq!((received, sender.confirmed()), (sent, sent), "each once, in order");
    }
    let over_websockets = websockets.unwrap().finish(server.address);
    assert!(confirmed >= KILLS as u64 && over_websockets > 0, "{confirmed} and {over_websockets}");
    println!(
        "{KILLS} kills: {confirmed} messages were confirmed to REST clients before the last one, none is lost and none \
         came twice; {over_websockets} went over WebSockets, likewise"
    );
}

/// The address of the server that there is now.
type Where = Arc<Mutex<SocketAddr>>;
