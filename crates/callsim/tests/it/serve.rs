//! `callsim serve` as a user meets it: a process, real sockets, real clients. Waits for events only.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
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
        Self::spawn(serve(&["--listen", "127.0.0.1:0", "--format", "json"]).args(arguments))
    }

    fn spawn(command: &mut Command) -> Self {
        let mut child = command.env("CALLSIM_SECRET", SECRET).stdout(Stdio::piped()).spawn().unwrap();
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

    /// What is answered to a request with these lines between the first one and the body.
    fn ask(&self, first: &str, lines: &str, body: &str) -> String {
        let mut stream = std::net::TcpStream::connect(self.address()).unwrap();
        let length = body.len();
        let head =
            format!("{first} HTTP/1.1\r\nconnection: close\r\ncontent-length: {length}\r\n{lines}\r\n");
        stream.write_all((head + body).as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
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

fn token(call: &str, participant: &str) -> String {
    let (call, participant) = (CallId::new(call), participant.into());
    let grant = Grant { call, participant, expires_s: u64::from(u32::MAX) };
    Secret::new(SECRET).unwrap().issue(&grant).as_str().to_owned()
}

/// Posts a ring, as one who holds a token.
fn ring(server: &Server, call: &str, from: &str, to: &str) -> String {
    let body = format!(
        r#"{{"version":1,"id":1,"call":"{call}","from":"{from}","to":"{to}","body":{{"type":"ringing"}}}}"#
    );
    let query = format!("participant={from}&session=1&call={call}&token={}", token(call, from));
    server.ask(&format!("POST /v1/messages?{query}"), "host: 127.0.0.1\r\n", &body)
}

fn poll(server: &Server, call: &str, participant: &str) -> String {
    let token = token(call, participant);
    let query = format!("participant={participant}&session=1&call={call}&token={token}&wait=0");
    server.ask(&format!("GET /v1/messages?{query}"), "host: 127.0.0.1\r\n", "")
}

#[test]
fn the_log_has_what_happened_in_its_call_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("relay.jsonl");
    let server = Server::start(&["--log", log.to_str().unwrap()]);
    assert!(ring(&server, "a", "alice", "bob").starts_with("HTTP/1.1 200"));
    // Another bob. He gets nothing.
    assert!(poll(&server, "b", "bob").contains(r#""messages":[]"#));
    assert!(poll(&server, "a", "bob").contains("ringing"));
    #[cfg(unix)]
    {
        let mode = std::fs::metadata(&log).unwrap().permissions();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
    }
    assert_eq!(server.interrupt(), Some(0));
    let lines = std::fs::read_to_string(log).unwrap();
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said: Vec<String> = lines
        .iter()
        .map(|line| format!("{} {} {}", line["dir"], line["peer"], line["call"]).replace('"', ""))
        .collect();
    assert_eq!(said, ["in alice a", "out bob a"]);
}

#[test]
fn what_is_refused_is_said_and_steers_no_terminal() {
    let mut command = serve(&["--listen", "127.0.0.1:0", "--format", "json", "--verbose"]);
    let mut server = Server::spawn(command.stderr(Stdio::piped()));
    let mut stderr = server.child.stderr.take().unwrap();
    let eve = "GET /v1/messages?participant=%1b%5D0%3Bowned%07&session=1&call=c";
    assert!(server.ask(eve, "host: h\r\n", "").starts_with("HTTP/1.1 401"));
    let foreign = format!("{eve}&token={}", token("c", "alice"));
    assert!(server.ask(&foreign, "host: h\r\n", "").starts_with("HTTP/1.1 403"));
    assert_eq!(server.interrupt(), Some(0));
    let mut said = String::new();
    stderr.read_to_string(&mut said).unwrap();
    let eve = r"refused a request of \u001b]0;owned\u0007 in call c: ";
    for refusal in ["unauthorized (401): ", "forbidden (403): "] {
        assert!(said.contains(&format!("{eve}{refusal}")), "{said}");
    }
    assert!(!said.contains('\u{1b}'), "{said}");
}

#[test]
fn a_server_that_is_started_again_names_its_mailboxes_otherwise() {
    let mailbox = || {
        let server = Server::start(&["--open"]);
        let answer = server.ask("GET /v1/messages?participant=a&session=1&wait=0", "host: localhost\r\n", "");
        answer.split("\"mailbox\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    assert_ne!(mailbox(), mailbox());
}

#[test]
fn an_open_server_is_not_open_to_every_page() {
    let server = Server::start(&["--open", "--allow-origin", "https://app.example"]);
    let ask = |headers: &str| {
        let answer = server.ask("GET /v1/messages?participant=a&session=1&wait=0", headers, "");
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(ask("host: 127.0.0.1\r\n"), "200");
    assert_eq!(ask("host: 127.0.0.1\r\norigin: http://localhost:3000\r\n"), "200");
    assert_eq!(ask("host: 127.0.0.1\r\norigin: https://app.example\r\n"), "200");
    assert_eq!(ask("host: 127.0.0.1\r\norigin: https://evil.example\r\n"), "403");
    assert_eq!(ask("host: evil.example\r\n"), "403");
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
    let nobody = ["--issue-token", "c1", "relay"];
    check(serve(&nobody).env("CALLSIM_SECRET", SECRET), 2, "nobody could join with it");
}

#[cfg(unix)]
#[test]
fn a_secret_that_is_no_text_is_not_replaced_by_another() {
    let bytes = [&[0xff][..], SECRET.as_bytes()].concat();
    let secret = std::os::unix::ffi::OsStringExt::from_vec(bytes);
    let secret: std::ffi::OsString = secret;
    check(serve(&[]).env("CALLSIM_SECRET", secret), 2, "the secret in CALLSIM_SECRET is not UTF-8");
}

#[test]
fn what_cannot_work_is_said_with_its_exit_code() {
    check(serve(&[]).env("CALLSIM_SECRET", "short"), 2, "has 5 bytes");
    check(&mut serve(&["--listen", "here"]), 2, "invalid");
    check(&mut serve(&["--participants", "0"]), 2, "invalid value '0'");
    check(&mut serve(&["--allow-origin", "app.example"]), 2, "is no origin");
    check(&mut serve(&["--idle", "soon"]), 2, "accepted: `250ms`");
    // An address of documentation (RFC 5737), which no machine has.
    check(&mut serve(&["--listen", "192.0.2.1:8080"]), 1, "cannot listen on 192.0.2.1:8080");
}
