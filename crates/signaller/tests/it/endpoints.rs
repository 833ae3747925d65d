//! The relay's WebSocket and REST endpoints, against clients that do not keep the rules.

use std::time::Duration;

use proptest::prelude::*;
use signaller::{
    CallId, Envelope, Message,
    http::{Clock, HttpLimits, HttpSettings},
    message::VERSION,
    relay::{Limits, RelaySettings},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use crate::{
    http_rig::{HttpRig, NOW},
    raw::{Socket, get, post, send, websocket},
    rig::{after_ms, alive_tasks, envelope, offer, ring},
};

const ALICE: &str = "participant=alice&session=s1";
const BOB: &str = "participant=bob&session=s1";

fn limited(limits: Limits) -> HttpRig {
    HttpRig::new(RelaySettings { limits, ..RelaySettings::default() })
}

async fn poll(rig: &HttpRig, query: &str) -> String {
    get(rig, &format!("/v1/messages?{query}&wait=0"), "").await.line()
}

fn message_frame(envelope: &Envelope) -> String {
    let json = String::from_utf8(envelope.to_json()).unwrap();
    format!("{{\"type\":\"message\",\"message\":{json}}}")
}

async fn joined(rig: &HttpRig, query: &str) -> Socket {
    let mut socket = websocket(rig, query, None).await.unwrap();
    assert!(socket.frame().await.starts_with("welcome 1-"));
    socket
}

#[tokio::test(start_paused = true)]
async fn a_rest_conversation() {
    let rig = limited(Limits::default());
    let posted = post(&rig, ALICE, "", &envelope(1, "alice", "bob", ring()).to_json()).await;
    assert_eq!(posted.body, r#"{"mailbox":"1-1","confirmed":1,"messageBytes":65536}"#);
    let two = [offer(), Message::Ringing]
        .into_iter()
        .zip(2..)
        .map(|(body, id)| String::from_utf8(envelope(id, "alice", "bob", body).to_json()).unwrap());
    let two = format!(" [{}]", two.collect::<Vec<_>>().join(","));
    assert_eq!(post(&rig, ALICE, "", two.as_bytes()).await.json()["confirmed"], 3);

    let polled = get(&rig, &format!("/v1/messages?{BOB}&cursor=0"), "").await;
    let places: Vec<_> =
        polled.json()["messages"].as_array().unwrap().iter().map(|m| m["place"].clone()).collect();
    assert_eq!(
        (polled.json()["mailbox"].as_str(), places),
        (Some("1-2"), vec![1.into(), 2.into(), 3.into()])
    );
    // The cursor of another mailbox says nothing; that of this one does.
    let again = get(&rig, &format!("/v1/messages?{BOB}&mailbox=1-7&cursor=3"), "").await;
    assert_eq!(again.json()["messages"].as_array().unwrap().len(), 3);
    let again = get(&rig, &format!("/v1/messages?{BOB}&mailbox=1-2&cursor=2"), "").await;
    assert_eq!(again.json()["messages"][0]["message"]["id"], 3);
    assert_eq!(rig.elapsed_ms(), 0);
    let empty = get(&rig, &format!("/v1/messages?{BOB}&mailbox=1-2&cursor=3&wait=7"), "").await;
    assert_eq!((empty.line().as_str(), rig.elapsed_ms()), ("200", 7000));
    assert_eq!(empty.json()["messages"], serde_json::json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_poll_waits_its_default_time_and_no_longer_than_the_longest() {
    let http = HttpLimits { longest_poll_wait: Duration::from_secs(30), ..HttpLimits::default() };
    let http = HttpSettings { limits: http, ..HttpSettings::new(Clock::fixed(NOW)) };
    let rig = HttpRig::with(RelaySettings::default(), http);
    get(&rig, &format!("/v1/messages?{ALICE}"), "").await;
    assert_eq!(rig.elapsed_ms(), 25_000);
    get(&rig, &format!("/v1/messages?{ALICE}&wait=9007199254740991"), "").await;
    assert_eq!(rig.elapsed_ms(), 55_000);
}

#[tokio::test(start_paused = true)]
async fn a_poll_is_answered_when_mail_comes() {
    let rig = limited(Limits::default());
    let path = format!("/v1/messages?{BOB}");
    let polling = get(&rig, &path, "");
    let posting = async {
        after_ms(3000).await;
        post(&rig, ALICE, "", &envelope(1, "alice", "bob", ring()).to_json()).await
    };
    let (polled, _) = tokio::join!(polling, posting);
    assert_eq!(polled.json()["messages"][0]["message"]["body"]["type"], "ring");
    assert_eq!(rig.elapsed_ms(), 3000);
}

#[tokio::test(start_paused = true)]
async fn dates_follow_the_clock_that_was_handed_in() {
    let rig = limited(Limits::default());
    after_ms(86_400_000).await;
    for path in ["/v1/messages?participant=a&session=s&wait=0", "/v1/ws", "/nowhere"] {
        let answer = get(&rig, path, "").await;
        assert_eq!(answer.head.matches("date: fri, 02 jan 2026 00:00:00 gmt").count(), 1, "{path}");
        assert_eq!(answer.head.matches("\r\ndate: ").count(), 1, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_request_is_answered_in_json() {
    let rig = limited(Limits::default());
    for (path, expect) in [
        ("/", "404 not-found"),
        ("/v2/messages", "404 not-found"),
        ("/v1/messages", "400 malformed"),
        ("/v1/messages?participant=a", "400 malformed"),
        ("/v1/messages?participant=&session=s", "400 malformed"),
        ("/v1/messages?participant=a&session=s&cursor=-1", "400 malformed"),
        ("/v1/messages?participant=a&session=s&cursor=9007199254740992", "400 malformed"),
        ("/v1/messages?participant=a&session=s&wait=soon", "400 malformed"),
        ("/v1/messages?participant=relay&session=s", "403 wrong-sender"),
        ("/v1/ws?participant=a&session=s", "400 malformed"),
        ("/v1/messages?participant=a&session=s&wait=0&new=1", "200"),
    ] {
        assert_eq!(get(&rig, path, "").await.line(), expect, "{path}");
    }
    let put = b"PUT /v1/messages HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n";
    assert_eq!(send(&rig, put).await.unwrap().line(), "405 not-allowed");
    let name = |size| format!("participant={}&session=s", "x".repeat(size));
    assert_eq!(poll(&rig, &name(128)).await, "200");
    assert_eq!(poll(&rig, &name(129)).await, "400 malformed");
}

#[tokio::test(start_paused = true)]
async fn each_refusal_of_a_message_has_its_status_and_comes_with_the_mail() {
    let rig = limited(Limits { queue: 2, participants: 2, ..Limits::default() });
    for (id, message, expect) in [
        (1, envelope(1, "alice", "bob", ring()), "200"),
        (2, envelope(2, "bob", "alice", ring()), "403 wrong-sender"),
        (2, envelope(2, "alice", "relay", ring()), "403 not-allowed"),
        (3, envelope(3, "alice", "carol", ring()), "404 unknown-participant"),
        (4, envelope(4, "alice", "bob", ring()), "200"),
        (5, envelope(5, "alice", "bob", ring()), "429 queue-full"),
        // Its id is used up: sending it again is sending it twice.
        (5, envelope(5, "alice", "bob", ring()), "200"),
        (6, envelope(6, "alice", "bob", Message::Joined), "403 not-allowed"),
    ] {
        assert_eq!(post(&rig, ALICE, "", &message.to_json()).await.line(), expect, "{id}");
    }
    for body in ["", "{", "[{]", "[1]", "nonsense"] {
        assert_eq!(post(&rig, ALICE, "", body.as_bytes()).await.line(), "400 malformed", "{body}");
    }
    let newer = r#"{"version":2,"id":7,"from":"alice"}"#;
    assert_eq!(post(&rig, ALICE, "", newer.as_bytes()).await.line(), "400 unsupported-version");
    assert_eq!(poll(&rig, "participant=carol&session=s").await, "429 relay-full");
    let mail = get(&rig, &format!("/v1/messages?{ALICE}"), "").await.json();
    let mail = mail["messages"].as_array().unwrap().iter().map(|mail| &mail["message"]["body"]["about"]);
    assert_eq!(mail.cloned().collect::<Vec<_>>(), [2, 3, 5, 6, 7]);
}

#[tokio::test(start_paused = true)]
async fn who_makes_faults_and_does_not_read_is_told_and_not_answered_for() {
    let rig = limited(Limits { queue: 1, replies: 2, ..Limits::default() });
    for id in 1..=3 {
        let message = envelope(id, "alice", "relay", ring()).to_json();
        assert_eq!(post(&rig, ALICE, "", &message).await.line(), "403 not-allowed");
    }
    let message = envelope(4, "alice", "relay", ring()).to_json();
    let refused = post(&rig, ALICE, "", &message).await;
    assert_eq!((refused.line().as_str(), &refused.json()["confirmed"]), ("429 queue-full", &3.into()));
}

#[tokio::test(start_paused = true)]
async fn a_message_at_the_limit_passes_and_one_byte_more_does_not() {
    let rig = limited(Limits { message_bytes: 300, ..Limits::default() });
    let mut alice = joined(&rig, ALICE).await;
    let padded = |id, size| {
        let mut json = envelope(id, "alice", "bob", ring()).to_json();
        let end = json.len() - 1;
        // Within the object: what stands around it is not part of a message.
        json.splice(end..end, std::iter::repeat_n(b' ', size - json.len()));
        String::from_utf8(json).unwrap()
    };
    let frame = |message: String| format!("{{\"type\":\"message\",\"message\":{message}}}");
    assert_eq!(post(&rig, ALICE, "", padded(1, 300).as_bytes()).await.line(), "200");
    assert_eq!(post(&rig, ALICE, "", padded(2, 301).as_bytes()).await.line(), "413 too-large");
    let empty = |size: usize| format!("[{}]", " ".repeat(size - 2));
    assert_eq!(post(&rig, ALICE, "", empty(556).as_bytes()).await.line(), "200");
    assert_eq!(post(&rig, ALICE, "", empty(557).as_bytes()).await.line(), "413 too-large");
    alice.send(frame(padded(3, 300))).await;
    assert_eq!(alice.frame().await, "confirmed 2");
    assert_eq!(alice.frame().await, "mail 1 error too-large about 2");
    assert_eq!(alice.frame().await, "confirmed 3");
    alice.send(frame(padded(4, 301))).await;
    assert_eq!([alice.frame().await, alice.frame().await], ["confirmed 4", "mail 2 error too-large about 4"]);
    alice.send(" ".repeat(556)).await;
    assert_eq!(alice.frame().await, "answer malformed");
    alice.send(" ".repeat(557)).await;
    assert_eq!(alice.frame().await, "close 1009");
    assert_eq!(alice.frame().await, "end");
}

#[tokio::test(start_paused = true)]
async fn a_websocket_conversation() {
    let rig = limited(Limits::default());
    let mut alice = joined(&rig, ALICE).await;
    alice.send(message_frame(&envelope(1, "alice", "alice", ring()))).await;
    assert_eq!([alice.frame().await, alice.frame().await], ["confirmed 1", "mail 1 ring #1"]);
    alice.send("{\"type\":\"ping\",\"nonce\":7}").await;
    assert_eq!(alice.frame().await, "pong 7");
    for (fault, expect) in [
        ("nonsense", "answer malformed"),
        ("{\"type\":\"news\"}", "answer malformed"),
        ("{\"type\":\"message\"}", "answer malformed"),
        ("{\"type\":\"message\",\"message\":{}}", "answer malformed"),
    ] {
        alice.send(fault).await;
        assert_eq!(alice.frame().await, expect, "{fault}");
    }
    // Not acknowledged: the next connection gets it again.
    let again = "participant=alice&session=s1&mailbox=1-1&cursor=0&turn=1";
    let mut newer = websocket(&rig, again, None).await.unwrap();
    assert_eq!(newer.frame().await, "welcome 1-1 confirmed 1");
    assert_eq!(newer.frame().await, "mail 1 ring #1");
    assert_eq!([alice.frame().await, alice.frame().await], ["close 1000", "end"]);
    newer.send("{\"type\":\"ack\",\"cursor\":1}").await;
    after_ms(1).await;
    assert_eq!(rig.relay.store().waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_came_on_another_way_before_is_confirmed_on_this_one() {
    let rig = limited(Limits::default());
    let mut alice = joined(&rig, ALICE).await;
    let message = envelope(1, "alice", "bob", ring());
    assert_eq!(post(&rig, ALICE, "", &message.to_json()).await.line(), "200");
    alice.send(message_frame(&message)).await;
    assert_eq!(alice.frame().await, "confirmed 1");
}

#[tokio::test(start_paused = true)]
async fn what_comes_too_late_does_not_take_the_mailbox() {
    let rig = limited(Limits::default());
    let mut alice = joined(&rig, &format!("{ALICE}&turn=5")).await;
    assert_eq!(poll(&rig, &format!("{ALICE}&turn=4")).await, "409 stale");
    assert_eq!(websocket(&rig, &format!("{ALICE}&turn=4"), None).await.err(), Some(409));
    alice.send("{\"type\":\"ping\",\"nonce\":1}").await;
    assert_eq!(alice.frame().await, "pong 1", "still there");
    let path = format!("/v1/messages?{ALICE}&turn=6");
    let polling = get(&rig, &path, "");
    let overtaking = async {
        after_ms(10).await;
        joined(&rig, &format!("{ALICE}&turn=7")).await
    };
    let (polled, _newest) = tokio::join!(polling, overtaking);
    assert_eq!(polled.line(), "409 stale");
    assert_eq!([alice.frame().await, alice.frame().await], ["close 1000", "end"]);
}

#[tokio::test(start_paused = true)]
async fn another_session_takes_over_and_the_older_is_told() {
    let rig = limited(Limits::default());
    let mut first = joined(&rig, ALICE).await;
    let _second = joined(&rig, "participant=alice&session=s2").await;
    assert_eq!(
        [first.frame().await, first.frame().await, first.frame().await],
        ["answer replaced", "close 1000", "end"]
    );
    let stale = format!("{ALICE}&mailbox=1-1&turn=9");
    assert_eq!(poll(&rig, &stale).await, "409 replaced");
    assert_eq!(post(&rig, &stale, "", b"").await.line(), "409 replaced");
}

#[tokio::test(start_paused = true)]
async fn a_silent_websocket_is_closed() {
    let rig = limited(Limits::default());
    let mut alice = joined(&rig, ALICE).await;
    after_ms(59_999).await;
    alice.send("{\"type\":\"ack\"}").await;
    assert_eq!(alice.frame().await, "close 1008");
    assert_eq!(rig.elapsed_ms(), 119_999);
}

#[tokio::test(start_paused = true)]
async fn a_head_or_a_body_that_does_not_come_is_not_waited_for() {
    let rig = limited(Limits::default());
    let mut pipe = rig.pipe();
    pipe.write_all(b"GET /v1/mess").await.unwrap();
    let mut rest = Vec::new();
    pipe.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rig.elapsed_ms(), 30_000);
    let head = format!("POST /v1/messages?{ALICE} HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\n{{");
    let answer = send(&rig, head.as_bytes()).await.unwrap();
    assert_eq!((answer.line().as_str(), rig.elapsed_ms()), ("400 malformed", 40_000));
}

#[tokio::test(start_paused = true)]
async fn one_connection_more_than_the_limit_is_closed() {
    let limits = HttpLimits { connections: 2, ..HttpLimits::default() };
    let http = HttpSettings { limits, ..HttpSettings::new(Clock::fixed(NOW)) };
    let rig = HttpRig::with(RelaySettings::default(), http);
    let (_first, _second) = (rig.pipe(), rig.pipe());
    after_ms(1).await;
    assert!(timeout(Duration::from_secs(1), rig.pipe().read_u8()).await.unwrap().is_err());
    drop((_first, _second));
    after_ms(1).await;
    assert_eq!(poll(&rig, ALICE).await, "200");
    let _websockets = (joined(&rig, ALICE).await, joined(&rig, BOB).await);
    assert!(rig.pipe().read_u8().await.is_err(), "they count as well");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_dropped_leaves_nothing_running() {
    let rig = limited(Limits::default());
    let mut alice = joined(&rig, ALICE).await;
    rig.kill();
    assert_eq!(alice.frame().await, "end", "no close frame: it lost power");
    after_ms(1).await;
    assert_eq!(alive_tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn fields_that_the_relay_does_not_know_reach_the_addressee() {
    let rig = limited(Limits::default());
    let json = String::from_utf8(envelope(1, "alice", "bob", ring()).to_json()).unwrap();
    let json = json.replacen('{', "{ \"new\" : [1, 2.50] ,", 1);
    assert_eq!(post(&rig, ALICE, "", json.as_bytes()).await.line(), "200");
    let polled = get(&rig, &format!("/v1/messages?{BOB}"), "").await;
    assert!(polled.body.contains(&json), "{}", polled.body);
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

/// Good input with some bytes changed, left out or put in.
fn mangled(good: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let edit = (any::<prop::sample::Index>(), any::<u8>(), 0..3_u8);
    prop::collection::vec(edit, 0..6).prop_map(move |edits| {
        let mut bytes = good.clone();
        for (at, byte, how) in edits {
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.splice(at..at + 1, [])),
            }
        }
        bytes
    })
}

fn good_message() -> Vec<u8> {
    let (call, body) = (CallId::new("c1"), Message::Ringing);
    Envelope { version: VERSION, id: 1, call, from: "alice".into(), to: "bob".into(), body }.to_json()
}

fn good_query() -> Vec<u8> {
    format!("{ALICE}&mailbox=1-1&cursor=1&turn=2&wait=0").into_bytes()
}

fn good_frame() -> Vec<u8> {
    [b"{\"type\":\"message\",\"cursor\":1,\"message\":", good_message().as_slice(), b"}"].concat()
}

/// The relay works as before.
async fn check_alive(rig: &HttpRig) {
    assert_eq!(poll(rig, "participant=carol&session=s1").await, "200");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn mangled_bodies_are_answered(body in mangled([b"[", good_message().as_slice(), b"]"].concat())) {
        runtime().block_on(async {
            let rig = limited(Limits::default());
            let status = post(&rig, ALICE, "", &body).await.status;
            assert!([200, 400, 403].contains(&status), "{status}");
            check_alive(&rig).await;
        });
    }

    #[test]
    fn mangled_queries_are_answered(query in mangled(good_query())) {
        runtime().block_on(async {
            let rig = limited(Limits::default());
            let head = b" HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n";
            let request = [b"GET /v1/messages?", query.as_slice(), head].concat();
            if let Some(answer) = send(&rig, &request).await {
                assert!((200..500).contains(&answer.status), "{answer:?}");
            }
            check_alive(&rig).await;
        });
    }

    #[test]
    fn mangled_frames_do_not_harm(frames in prop::collection::vec(mangled(good_frame()), 1..5)) {
        runtime().block_on(async {
            let rig = limited(Limits::default());
            let mut alice = joined(&rig, ALICE).await;
            for frame in &frames {
                alice.send(String::from_utf8_lossy(frame).into_owned()).await;
            }
            alice.send("{\"type\":\"ping\",\"nonce\":9}").await;
            while alice.frame().await != "pong 9" {}
            check_alive(&rig).await;
        });
    }

    #[test]
    fn bytes_that_are_no_websocket_frames_do_not_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        runtime().block_on(async {
            let rig = limited(Limits::default());
            let alice = joined(&rig, ALICE).await;
            let mut pipe = alice.0.into_inner();
            let _written = pipe.write_all(&bytes).await;
            let _closed = pipe.shutdown().await;
            let mut rest = Vec::new();
            let _read = timeout(Duration::from_secs(600), pipe.read_to_end(&mut rest)).await.unwrap();
            check_alive(&rig).await;
        });
    }
}
