//! The participant's end: what a call engine sees.

use std::{io::ErrorKind, time::Duration};

use signaller::{
    Message, SessionId, Transport, TransportError,
    message::Kind,
    relay::{DelayRule, RelaySettings},
    tcp::{ClientSettings, Identity, TcpTransport},
};
use tokio::{
    io::{DuplexStream, duplex},
    time::Instant,
};

use crate::rig::{Client, Rig, after_ms, alive_tasks, answer, envelope, offer, outgoing, read, ring, write};

#[tokio::test(start_paused = true)]
async fn two_clients_call_each_other() {
    let rig = Rig::new(RelaySettings::default());
    let (mut alice, mut bob) = (rig.join("alice"), rig.join("bob"));
    assert_eq!((alice.event().await, bob.event().await), ("up".to_owned(), "up".to_owned()));
    alice.send("bob", ring());
    assert_eq!(bob.event().await, "ring #1 from alice");
    bob.send("alice", Message::Ringing);
    bob.send("alice", Message::Accept);
    assert_eq!(alice.events(2).await, ["ringing #1 from bob", "accept #2 from bob"]);
    assert_eq!(
        rig.log(),
        [
            "0 alice joined, session s1, 0 waiting",
            "0 bob joined, session s1, 0 waiting",
            "0 relayed ring #1 alice → bob",
            "0 relayed ringing #1 bob → alice",
            "0 relayed accept #2 bob → alice",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn messages_keep_their_order_and_wait_for_a_late_participant() {
    let rig = Rig::new(RelaySettings::default());
    let mut alice = rig.join("alice");
    for _ in 0..200 {
        alice.send("bob", ring());
    }
    after_ms(1).await;
    let mut bob = rig.join("bob");
    assert_eq!(bob.event().await, "up");
    for id in 1..=200 {
        assert_eq!(bob.event().await, format!("ring #{id} from alice"));
    }
}

#[tokio::test(start_paused = true)]
async fn unsent_messages_survive_a_reconnect() {
    let rig = Rig::new(RelaySettings::default());
    let (mut alice, mut bob) = (rig.join("alice"), rig.join("bob"));
    alice.send("bob", ring());
    assert_eq!(bob.events(2).await, ["up", "ring #1 from alice"]);
    rig.set_unreachable(true);
    rig.cut();
    after_ms(100).await;
    alice.send("bob", offer());
    after_ms(1000).await;
    rig.set_unreachable(false);

    let lost = "down: the relay closed the connection";
    assert_eq!(alice.events(4).await, ["up", lost, "down: connection refused", "down: connection refused"]);
    // Lost at 0; attempts at 500 and 1000 are refused, that at 2000 is not.
    assert_eq!(alice.event().await, "up");
    assert_eq!(rig.elapsed_ms(), 2000);
    assert_eq!(bob.events(3).await, [lost, "down: connection refused", "down: connection refused"]);
    assert_eq!(bob.events(2).await, ["up", "offer #2 from alice"]);
}

#[tokio::test(start_paused = true)]
async fn what_waits_at_the_relay_is_delivered_on_reconnect() {
    let rig = Rig::new(RelaySettings::default());
    let mut bob = rig.join("bob");
    assert_eq!(bob.event().await, "up");
    rig.cut();
    let mut alice = rig.join("alice");
    alice.send("bob", ring());
    assert_eq!(bob.events(3).await, ["down: the relay closed the connection", "up", "ring #1 from alice"]);
    assert_eq!(
        rig.log(),
        [
            "0 bob joined, session s1, 0 waiting",
            "0 bob left",
            "0 alice joined, session s1, 0 waiting",
            "0 stored ring #1 alice → bob",
            "500 bob joined, session s1, 1 waiting",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn candidates_overtake_an_offer_that_is_held() {
    let by = Duration::from_millis(700);
    let rule = DelayRule { message: Kind::Offer, from: Some("alice".into()), nth: Some(1), by };
    let rig = Rig::new(RelaySettings { delays: vec![rule], ..RelaySettings::default() });
    let (mut alice, mut bob) = (rig.join("alice"), rig.join("bob"));
    alice.send("bob", offer());
    alice.send("bob", Message::EndOfCandidates { sdp_mid: None, username_fragment: None });
    alice.send("bob", offer());
    assert_eq!(
        bob.events(4).await,
        ["up", "end-of-candidates #2 from alice", "offer #3 from alice", "offer #1 from alice"]
    );
    assert_eq!(
        rig.log()[2..],
        [
            "0 held offer #1 alice → bob for 700 ms",
            "0 relayed end-of-candidates #2 alice → bob",
            "0 relayed offer #3 alice → bob",
            "700 relayed offer #1 alice → bob",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_newer_session_ends_the_older_for_good() {
    let rig = Rig::new(RelaySettings::default());
    let mut first = rig.join("alice");
    assert_eq!(first.event().await, "up");
    let mut second = rig.join_with("alice", "s2", ClientSettings::default());
    assert_eq!(first.events(2).await, ["down: another connection has joined as `alice`", "end"]);
    assert_eq!(first.0.send(outgoing("bob", ring())), Err(TransportError::Closed));
    after_ms(60_000).await;
    assert_eq!(second.event().await, "up");
    let mut bob = rig.join("bob");
    second.send("bob", ring());
    assert_eq!(bob.events(2).await, ["up", "ring #1 from alice"]);
}

#[tokio::test(start_paused = true)]
async fn close_sends_what_waits_and_leaves_no_task() {
    let rig = Rig::new(RelaySettings::default());
    let mut alice = rig.join("alice");
    for _ in 0..100 {
        alice.send("bob", offer());
    }
    // Closed before it has even connected: what was handed over goes out first.
    alice.0.close().await;
    let log = rig.log();
    assert_eq!(log[log.len() - 2..], ["0 stored offer #100 alice → bob", "0 alice left"]);
    assert_eq!(alice.0.send(outgoing("bob", ring())), Err(TransportError::Closed));
    assert_eq!(alice.events(2).await, ["up", "end"]);
    after_ms(1).await;
    assert_eq!(alive_tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_transport_leaves_no_task() {
    let rig = Rig::new(RelaySettings::default());
    let mut alice = rig.join("alice");
    assert_eq!(alice.event().await, "up");
    assert_eq!(alive_tasks(), 2);
    drop(alice);
    after_ms(1).await;
    assert_eq!(rig.log().last().unwrap(), "0 alice left");
    assert_eq!(alive_tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_relay_leaves_no_timer() {
    let rule = DelayRule { message: Kind::Ring, from: None, nth: None, by: Duration::from_secs(3600) };
    let rig = Rig::new(RelaySettings { delays: vec![rule], ..RelaySettings::default() });
    let mut alice = rig.join("alice");
    alice.send("bob", ring());
    alice.0.close().await;
    after_ms(1).await;
    assert_eq!(alive_tasks(), 1, "the held ring");
    drop(rig);
    // The connector holds the relay as well.
    drop(alice);
    after_ms(1).await;
    assert_eq!(alive_tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn close_gives_up_on_a_relay_out_of_reach() {
    let rig = Rig::new(RelaySettings::default());
    rig.set_unreachable(true);
    let mut alice = rig.join("alice");
    alice.send("bob", ring());
    alice.0.close().await;
    assert_eq!(rig.elapsed_ms(), 2000);
    let mut idle = rig.join("bob");
    idle.0.close().await;
    assert_eq!(rig.elapsed_ms(), 2000, "nothing to send: nothing to wait for");
    assert_eq!(alive_tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn close_waits_for_the_relay_to_close_its_end() {
    let (near, mut far) = duplex(4096);
    let mut stream = Some(near);
    let connector = move || std::future::ready(stream.take().ok_or(ErrorKind::NotConnected.into()));
    let mut alice = Client(TcpTransport::spawn(identity(), ClientSettings::default(), connector));
    assert!(matches!(read(&mut far).await.unwrap().body, Message::Join { .. }));
    write(&mut far, &envelope(1, "relay", "alice", Message::Joined)).await;
    alice.send("bob", ring());
    let begun = Instant::now();
    let relay = tokio::spawn(async move {
        assert_eq!(answer(&mut far).await, "ring #1 audio+video");
        assert_eq!(answer(&mut far).await, "end");
        after_ms(300).await;
    });
    alice.0.close().await;
    assert_eq!(begun.elapsed().as_millis(), 300);
    relay.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn attempts_are_bounded_where_a_setting_says_so() {
    let rig = Rig::new(RelaySettings::default());
    rig.set_unreachable(true);
    let settings = ClientSettings { attempts: Some(3), ..ClientSettings::default() };
    let mut alice = rig.join_with("alice", "s1", settings);
    let refused = "down: connection refused";
    assert_eq!(alice.events(4).await, [refused, refused, refused, "end"]);
    assert_eq!(rig.elapsed_ms(), 1500);
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_never_answers_is_left() {
    let begun = Instant::now();
    let mut silent_ends = Vec::new();
    let connector = move || {
        let (near, far) = duplex(4096);
        silent_ends.push(far);
        std::future::ready(Ok(near))
    };
    let mut alice = Client(TcpTransport::spawn(identity(), ClientSettings::default(), connector));
    assert_eq!(alice.event().await, "down: no `joined` within 10s");
    assert_eq!(begun.elapsed().as_millis(), 10_000);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_never_made_is_given_up() {
    let connector = std::future::pending::<std::io::Result<DuplexStream>>;
    let settings = ClientSettings { connect_within: Duration::from_millis(300), ..ClientSettings::default() };
    let mut alice = Client(TcpTransport::spawn(identity(), settings, connector));
    assert_eq!(alice.event().await, "down: no connection within 300ms");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_sent_is_refused_at_once() {
    let rig = Rig::new(RelaySettings::default());
    rig.set_unreachable(true);
    let settings = ClientSettings { queue: 2, message_bytes: 200, ..ClientSettings::default() };
    let mut alice = rig.join_with("alice", "s1", settings);
    let long = Message::Offer { sdp: "x".repeat(200), negotiation: 1 };
    assert!(matches!(
        alice.0.send(outgoing("bob", long)),
        Err(TransportError::TooLarge { size: 201.., limit: 200 })
    ));
    let mine = alice.0.send(outgoing("bob", Message::Joined));
    assert_eq!(mine, Err(TransportError::NotAllowed { kind: Kind::Joined }));
    assert_eq!([alice.send("bob", ring()), alice.send("bob", ring())], [1, 2]);
    assert_eq!(alice.0.send(outgoing("bob", ring())), Err(TransportError::QueueFull { limit: 2 }));
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_does_not_listen_slows_its_sender_and_loses_nothing() {
    let rig = Rig::new(RelaySettings::default());
    let settings = ClientSettings { events: 1, ..ClientSettings::default() };
    let mut bob = rig.join_with("bob", "s1", settings);
    let mut alice = rig.join("alice");
    for _ in 0..200 {
        alice.send("bob", ring());
    }
    after_ms(10_000).await;
    assert_eq!(bob.event().await, "up");
    for id in 1..=200 {
        assert_eq!(bob.event().await, format!("ring #{id} from alice"));
    }
}

fn identity() -> Identity {
    Identity { participant: "alice".into(), session: SessionId::new("s1") }
}
