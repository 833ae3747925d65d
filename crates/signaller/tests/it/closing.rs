//! How WebSockets end (RFC 6455 §7), and what is no request of a client of ours.

use futures::SinkExt as _;
use signaller::{
    http::{Clock, HttpSettings, PageCheck, Pages},
    relay::RelaySettings,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::tungstenite::{
    Message as Frame,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use crate::{
    http_rig::{HttpRig, NOW},
    raw::{Answer, Socket, get, send, websocket},
    rig::{alive_tasks, soon},
};

const ALICE: &str = "participant=alice&session=s1";

async fn joined(rig: &HttpRig) -> Socket {
    let mut socket = websocket(rig, ALICE, None).await.unwrap();
    assert!(socket.frame().await.starts_with("welcome"));
    socket
}

#[tokio::test(start_paused = true)]
async fn a_close_is_answered_with_its_code() {
    let rig = HttpRig::new(RelaySettings::default());
    let mut alice = joined(&rig).await;
    let close = CloseFrame { code: CloseCode::Library(4711), reason: "done".into() };
    alice.0.send(Frame::Close(Some(close))).await.unwrap();
    assert_eq!([alice.frame().await, alice.frame().await], ["close 4711", "end"]);
    assert_eq!(rig.elapsed_ms(), 0, "nothing is waited for");
}

/// What the server does with these bytes after the upgrade, in place of a frame.
async fn check(bytes: &[u8], code: u16) {
    let rig = HttpRig::new(RelaySettings::default());
    let mut pipe = joined(&rig).await.0.into_inner();
    pipe.write_all(bytes).await.unwrap();
    let mut rest = Vec::new();
    soon(pipe.read_to_end(&mut rest)).await.unwrap();
    assert_eq!(rest, [&[0x88, 2][..], &code.to_be_bytes()].concat(), "{bytes:?}");
}

#[tokio::test(start_paused = true)]
async fn what_rfc_6455_forbids_is_closed_with_its_code() {
    // Not masked (§5.1); a reserved bit (§5.2); a control frame in pieces (§5.5); a continuation of nothing (§5.4).
    check(&[0x81, 1, b'a'], 1002).await;
    check(&[0xc1, 0x81, 0, 0, 0, 0, b'a'], 1002).await;
    check(&[0x09, 0x80, 0, 0, 0, 0], 1002).await;
    check(&[0x80, 0x80, 0, 0, 0, 0], 1002).await;
    // Text that is not UTF-8 (§8.1).
    check(&[0x81, 0x81, 0, 0, 0, 0, 0xff], 1007).await;
    // 1 GiB is announced.
    check(&[0x81, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0], 1009).await;
}

#[tokio::test(start_paused = true)]
async fn who_pings_and_does_not_read_is_closed() {
    let rig = HttpRig::new(RelaySettings::default());
    let mut alice = joined(&rig).await;
    let ping = || Frame::Ping(vec![b'p'; 125].into());
    let mut sent = 0;
    while soon(alice.0.send(ping())).await.is_ok() {
        sent += 1;
        assert!(sent < 400, "the pipe and 8 KiB of answers take some 130");
    }
    assert!(sent > 60, "who is only slow is not closed: {sent}");
    drop(alice);
    rig.kill();
    crate::rig::after_ms(10_000).await;
    assert_eq!(alive_tasks(), 0);
}

async fn ask(rig: &HttpRig, method: &str, headers: &str) -> Answer {
    let request = format!(
        "{method} /v1/messages?{ALICE}&wait=5 HTTP/1.1\r\nhost: relay.test\r\nconnection: close\r\n{headers}\r\n"
    );
    send(rig, request.as_bytes()).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn head_is_no_poll() {
    let rig = HttpRig::new(RelaySettings::default());
    let mut alice = joined(&rig).await;
    let answer = ask(&rig, "HEAD", "").await;
    assert_eq!((answer.status, rig.elapsed_ms()), (405, 0));
    assert!(answer.head.contains("\r\nallow: get, post"), "{}", answer.head);
    alice.send("{\"type\":\"ping\",\"nonce\":1}").await;
    assert_eq!(alice.frame().await, "pong 1", "she still has her mailbox");
}

fn open_for(check: PageCheck) -> HttpRig {
    let own = ["https://app.example", "http://relay.test"].map(|origin| origin.parse().unwrap());
    let http = HttpSettings { pages: Pages::new(check, own), ..HttpSettings::new(Clock::fixed(NOW)) };
    HttpRig::with(RelaySettings::default(), http)
}

#[tokio::test(start_paused = true)]
async fn a_page_that_may_is_told_so_and_another_is_refused() {
    let rig = open_for(PageCheck::Everybody { any_address: false });
    let page = "origin: https://app.example\r\n";
    let asks = "access-control-request-method: POST\r\naccess-control-request-headers: authorization\r\n";
    let first = ask(&rig, "OPTIONS", &format!("{page}{asks}")).await;
    assert_eq!((first.status, first.body.as_str()), (204, ""));
    for header in [
        "access-control-allow-origin: https://app.example",
        "access-control-allow-methods: get, post",
        "access-control-allow-headers: authorization, content-type",
        "vary: origin",
    ] {
        assert!(first.head.contains(header), "{header}: {}", first.head);
    }
    let polled = get(&rig, &format!("/v1/messages?{ALICE}&wait=0"), page).await;
    assert_eq!(polled.status, 200);
    assert!(polled.head.contains("access-control-allow-origin: https://app.example"), "{}", polled.head);

    let evil = "origin: https://evil.example\r\n";
    for (method, headers) in [
        ("GET", evil.to_owned()),
        ("OPTIONS", format!("{evil}{asks}")),
        ("GET", "sec-fetch-site: cross-site\r\n".to_owned()),
        ("GET", "host: evil.example\r\n".to_owned()),
    ] {
        let refused = ask(&rig, method, &headers).await;
        assert_eq!(refused.line(), "403 forbidden", "{method} {headers}");
        assert!(!refused.head.contains("access-control-allow"), "{}", refused.head);
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_check_no_answer_speaks_of_pages() {
    let rig = HttpRig::new(RelaySettings::default());
    let polled = get(&rig, &format!("/v1/messages?{ALICE}&wait=0"), "origin: https://app.example\r\n").await;
    assert!(!polled.head.contains("access-control") && !polled.head.contains("vary"), "{}", polled.head);
    let readers = open_for(PageCheck::Readers);
    let polled =
        get(&readers, &format!("/v1/messages?{ALICE}&wait=0"), "origin: https://evil.example\r\n").await;
    assert_eq!((polled.status, polled.head.contains("access-control")), (200, false));
}
