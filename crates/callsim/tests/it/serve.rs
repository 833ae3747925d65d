//! `callsim serve` as a user meets it: a process, real sockets, real clients. Waits for events only.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use signaller::{
    Message, Outgoing, SessionId, Transport as _, TransportEvent,
    access::{Grant, Secret},
    client::{AllowedWays, FallbackSettings, FallbackTransport, Identity, Jitter, Target},
    message::CallId,
};
use tokio::{net::TcpStream, time::timeout};

const SECRET: &str = "a secret of thirty-two bytes or more";
/// Far more than it takes; a run that gets there has lost something.
const PATIENCE: Duration = Duration::from_secs(60);

fn serve(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_callsim"));
    command.arg("serve").args(arguments).env_remove("CALLSIM_SECRET");
    command
}

/// A server on a free port, and what it said. Killed with the test.
struct Server {
    child: Child,
    said: serde_json::Value,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        let mut command = serve(&["--listen", "127.0.0.1:0", "--format", "json"]);
        let mut child =
            command.args(arguments).env("CALLSIM_SECRET", SECRET).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let said = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        Self { child, said }
    }

    fn address(&self) -> SocketAddr {
        self.said["address"].as_str().unwrap().parse().unwrap()
    }

    fn client(&self, participant: &str, ways: AllowedWays, token_of: &str) -> FallbackTransport {
        let address = self.address();
        let identity = Identity { participant: participant.into(), session: SessionId::new("s1") };
        let grant =
            Grant { call: CallId::new("c1"), participant: token_of.into(), expires_s: u64::from(u32::MAX) };
        let token = Secret::new(SECRET).unwrap().issue(&grant);
        let target = Target::guarded(address.to_string(), CallId::new("c1"), token);
        let settings = FallbackSettings { ways, ..FallbackSettings::default() };
        FallbackTransport::spawn(identity, target, settings, Jitter::none(), move || {
            TcpStream::connect(address)
        })
    }

    /// As Ctrl-C does; its exit code.
    fn interrupt(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended by itself, unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn event(client: &mut FallbackTransport) -> Option<TransportEvent> {
    timeout(PATIENCE, client.recv()).await.expect("something was lost")
}

/// The type of the next message and its sender; what the transport says about itself is passed over.
async fn message(client: &mut FallbackTransport) -> Option<(String, String)> {
    loop {
        if let TransportEvent::Message(envelope) = event(client).await? {
            return Some((envelope.body.kind().to_string(), envelope.from.to_string()));
        }
    }
}

fn to(participant: &str, body: Message) -> Outgoing {
    Outgoing { call: CallId::new("c1"), to: participant.into(), body }
}

#[tokio::test]
async fn two_clients_meet_and_ctrl_c_ends_it_in_good_order() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("relay.jsonl");
    let server = Server::start(&["--log", log.to_str().unwrap()]);
    assert_eq!(server.said["websocket"], format!("ws://{}/v1/ws", server.address()));
    assert_eq!(server.said["rest"], format!("http://{}/v1/messages", server.address()));
    assert_eq!((&server.said["open"], &server.said["secret"]), (&false.into(), &serde_json::Value::Null));
    let mut alice = server.client("alice", AllowedWays::WebSocket, "alice");
    let mut bob = server.client("bob", AllowedWays::Rest, "bob");
    alice.send(to("bob", Message::Ringing)).unwrap();
    assert_eq!(message(&mut bob).await, Some(("ringing".to_owned(), "alice".to_owned())));
    bob.send(to("alice", Message::Accept)).unwrap();
    assert_eq!(message(&mut alice).await, Some(("accept".to_owned(), "bob".to_owned())));
    assert_eq!(server.interrupt(), Some(0));
    while !matches!(event(&mut alice).await, Some(TransportEvent::Down { .. })) {}
    let lines = std::fs::read_to_string(log).unwrap();
    let passed: Vec<String> = lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|line| line["dir"] != "close")
        .map(|line| {
            format!("{} {} {}", line["dir"], line["peer"], line["msg"]["body"]["type"]).replace('"', "")
        })
        .collect();
    assert_eq!(passed, ["in alice ringing", "out bob ringing", "in bob accept", "out alice accept"]);
}

#[tokio::test]
async fn somebody_elses_token_opens_nothing() {
    let server = Server::start(&[]);
    let mut eve = server.client("eve", AllowedWays::Both, "alice");
    let mut told = String::new();
    while let Some(event) = event(&mut eve).await {
        told = format!("{event:?}");
    }
    assert!(told.contains("the token is for `alice`"), "{told}");
    assert_eq!(server.interrupt(), Some(0));
}

#[track_caller]
fn check(command: &mut Command, code: i32, says: &str) -> Output {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), said.contains(says)), (Some(code), true), "{said}");
    output
}

#[test]
fn a_token_is_issued_with_the_servers_secret_alone() {
    let issue = ["--issue-token", "c1", "alice"];
    let output = check(serve(&issue).env("CALLSIM_SECRET", SECRET), 0, "");
    let token = String::from_utf8(output.stdout).unwrap();
    assert!(token.starts_with("eyJ"), "{token}");
    check(&mut serve(&issue), 2, "only with the server's own secret");
}

#[test]
fn what_cannot_work_is_said_with_its_exit_code() {
    check(serve(&[]).env("CALLSIM_SECRET", "short"), 2, "has 5 bytes");
    check(&mut serve(&["--listen", "here"]), 2, "invalid");
    check(&mut serve(&["--idle", "soon"]), 2, "accepted: `250ms`");
    // An address of documentation (RFC 5737), which no machine has.
    check(&mut serve(&["--listen", "192.0.2.1:8080"]), 1, "cannot listen on 192.0.2.1:8080");
}
