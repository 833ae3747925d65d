//! The relay's end, against clients that do not keep the rules.

use signaller::{
    ErrorCode, Message,
    relay::{Limits, RelaySettings},
};
use tokio::io::{AsyncWriteExt as _, DuplexStream};

use crate::rig::{Rig, after_ms, alive_tasks, answer, envelope, join, read, ring, write, write_frame};

async fn joined(rig: &Rig, participant: &str, session: &str) -> DuplexStream {
    let mut stream = rig.wire();
    write(&mut stream, &envelope(1, participant, "relay", join(session))).await;
    assert_eq!(answer(&mut stream).await, "joined #1 ");
    stream
}

#[tokio::test(start_paused = true)]
async fn a_malformed_frame_is_answered_and_the_connection_goes_on() {
    let rig = Rig::new(RelaySettings::default());
    let mut alice = joined(&rig, "alice", "s1").await;
    write_frame(&mut alice, b"{\"version\":1,").await;
    assert_eq!(
        answer(&mut alice).await,
        "error #2 malformed: the message is not JSON at byte 12: EOF while parsing a value"
    );
    write(&mut alice, &envelope(1, "alice", "alice", ring())).await;
    assert_eq!(answer(&mut alice).await, "ring #1 audio+video");
}

#[tokio::test(start_paused = true)]
async fn a_frame_at_the_limit_passes_and_one_byte_more_ends_the_connection() {
    let limits = Limits { message_bytes: 300, ..Limits::default() };
    let rig = Rig::new(RelaySettings { limits, ..RelaySettings::default() });
    let mut alice = joined(&rig, "alice", "s1").await;
    let mut json = envelope(1, "alice", "alice", ring()).to_json();
    json.resize(300, b' ');
    write_frame(&mut alice, &json).await;
    assert_eq!(answer(&mut alice).await, "ring #1 audio+video");
    json.push(b' ');
    // Only the head is sent: the relay does not wait for a body that it will not read.
    alice.write_u32(301).await.unwrap();
    assert_eq!(
        answer(&mut alice).await,
        "error #2 too-large: the frame has more than the 300 bytes that are accepted"
    );
    assert_eq!(answer(&mut alice).await, "end");
    assert_eq!(rig.log().last().unwrap(), "0 alice left");
    after_ms(1).await;
    assert_eq!(alive_tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_id_that_was_seen_is_dropped_within_a_session() {
    let rig = Rig::new(RelaySettings::default());
    let mut bob = joined(&rig, "bob", "s1").await;
    let mut alice = joined(&rig, "alice", "s1").await;
    for id in [1, 1, 2] {
        write(&mut alice, &envelope(id, "alice", "bob", ring())).await;
    }
    drop(alice);
    after_ms(1).await;
    let mut alice = joined(&rig, "alice", "s1").await;
    for id in [2, 3] {
        write(&mut alice, &envelope(id, "alice", "bob", ring())).await;
    }
    for id in [1, 2, 3] {
        assert_eq!(read(&mut bob).await.unwrap().id, id);
    }
    assert_eq!(rig.log().iter().filter(|line| line.contains("duplicate")).count(), 2);

    let mut alice = joined(&rig, "alice", "s2").await;
    write(&mut alice, &envelope(1, "alice", "bob", ring())).await;
    assert_eq!(read(&mut bob).await.unwrap().id, 1, "a new session counts anew");
}

#[tokio::test(start_paused = true)]
async fn nobody_speaks_before_joining_or_as_another() {
    let rig = Rig::new(RelaySettings::default());
    let mut stream = rig.wire();
    write(&mut stream, &envelope(1, "alice", "bob", ring())).await;
    assert_eq!(answer(&mut stream).await, "error #1 not-joined: `join` must come before `ring`");
    write(&mut stream, &envelope(1, "relay", "relay", join("s1"))).await;
    assert_eq!(answer(&mut stream).await, "error #2 wrong-sender: `relay` is the relay's own name");
    write(&mut stream, &envelope(1, "alice", "relay", join("s1"))).await;
    assert_eq!(answer(&mut stream).await, "joined #3 ");
    let as_another = "this connection has joined as `alice`, not as `bob`";
    for body in [ring(), join("s1")] {
        write(&mut stream, &envelope(2, "bob", "alice", body)).await;
        assert!(answer(&mut stream).await.ends_with(&format!("wrong-sender: {as_another}")));
    }
    write(&mut stream, &envelope(3, "alice", "bob", Message::Joined)).await;
    assert_eq!(answer(&mut stream).await, "error #6 not-allowed: only the relay sends `joined`");
    write(&mut stream, &envelope(4, "alice", "relay", ring())).await;
    assert_eq!(answer(&mut stream).await, "error #7 not-allowed: the relay itself takes no `ring`");
}

#[tokio::test(start_paused = true)]
async fn an_error_names_the_message_that_it_is_about() {
    let rig = Rig::new(RelaySettings::default());
    let mut alice = joined(&rig, "alice", "s1").await;
    write(&mut alice, &envelope(9, "bob", "alice", ring())).await;
    let refused = read(&mut alice).await.unwrap();
    assert_eq!((refused.from.as_str(), refused.to.as_str(), refused.call.as_str()), ("relay", "alice", "c1"));
    assert!(matches!(refused.body, Message::Error { code: ErrorCode::WrongSender, about: Some(9), .. }));
}

#[tokio::test(start_paused = true)]
async fn fields_that_the_relay_does_not_know_reach_the_addressee() {
    let rig = Rig::new(RelaySettings::default());
    let mut alice = joined(&rig, "alice", "s1").await;
    let json = br#"{"version":1,"id":1,"call":"c1","from":"alice","to":"alice","body":{"type":"ringing","tone":"blues"}}"#;
    write_frame(&mut alice, json).await;
    let mut frame = vec![0; 4 + json.len()];
    tokio::io::AsyncReadExt::read_exact(&mut alice, &mut frame).await.unwrap();
    assert_eq!(&frame[4..], json);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stopped_sending_still_gets_its_answers() {
    let rig = Rig::new(RelaySettings::default());
    let mut alice = joined(&rig, "alice", "s1").await;
    write_frame(&mut alice, b"nonsense").await;
    alice.shutdown().await.unwrap();
    assert!(answer(&mut alice).await.starts_with("error #2 malformed"));
    assert_eq!(answer(&mut alice).await, "end");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stopped_sending_and_does_not_read_is_left() {
    let rig = Rig::new(RelaySettings::default());
    let mut alice = joined(&rig, "alice", "s1").await;
    let sdp = "x".repeat(20_000);
    write(&mut alice, &envelope(1, "alice", "alice", Message::Offer { sdp, negotiation: 1 })).await;
    // The relay has begun to write it back, and cannot go on.
    after_ms(1).await;
    alice.shutdown().await.unwrap();
    after_ms(4999).await;
    assert_eq!(alive_tasks(), 1);
    after_ms(2).await;
    assert_eq!(alive_tasks(), 0);
}
