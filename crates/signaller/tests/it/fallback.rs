//! The client that changes its way: what an application sees, and when.

use std::time::Duration;

use signaller::{
    Message, Transport as _, TransportError,
    client::{Backoff, FallbackSettings},
    relay::{
        EndpointFaults, Limits, RelaySettings, RestFault, RestRequest, RestRule, Store, WebSocketFault,
        WebSocketRule, Window,
    },
};

use crate::{
    http_rig::{Http, HttpRig},
    rig::{after_ms, alive_tasks, offer, outgoing, ring},
};

fn websocket(fault: WebSocketFault) -> RelaySettings {
    with_faults(vec![WebSocketRule { from: None, nth: None, window: Window::ALWAYS, fault }], Vec::new())
}

fn with_faults(websocket: Vec<WebSocketRule>, rest: Vec<RestRule>) -> RelaySettings {
    RelaySettings { endpoint: EndpointFaults { websocket, rest }, ..RelaySettings::default() }
}

fn rest(request: RestRequest, nth: Option<u32>, fault: RestFault) -> RelaySettings {
    let rest = vec![RestRule { request: Some(request), from: None, nth, window: Window::ALWAYS, fault }];
    let refused = WebSocketFault::Refused { status: 403 };
    with_faults(vec![WebSocketRule { from: None, nth: None, window: Window::ALWAYS, fault: refused }], rest)
}

/// Both ask each other something, in both directions.
async fn converse(alice: &mut Http, bob: &mut Http) {
    let (ring, ringing) = (alice.send("bob", ring()), bob.send("alice", Message::Ringing));
    assert_eq!(bob.message().await, format!("ring #{ring} from alice"));
    assert_eq!(alice.message().await, format!("ringing #{ringing} from bob"));
}

#[tokio::test(start_paused = true)]
async fn a_websocket_is_the_first_way() {
    let rig = HttpRig::new(RelaySettings::default());
    let (mut alice, mut bob) = (rig.join("alice"), rig.join("bob"));
    assert_eq!(alice.events(2).await, ["up", "via websocket"]);
    converse(&mut alice, &mut bob).await;
    assert_eq!((rig.elapsed_ms(), rig.standing()), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn a_refused_upgrade_leads_to_rest_at_once() {
    let rig = HttpRig::new(websocket(WebSocketFault::Refused { status: 403 }));
    let (mut alice, mut bob) = (rig.join("alice"), rig.join("bob"));
    assert_eq!(
        alice.events(3).await,
        ["down: websocket: the upgrade was refused: HTTP status 403", "up", "via rest"]
    );
    converse(&mut alice, &mut bob).await;
    assert_eq!(rig.elapsed_ms(), 0);
    for _ in 0..300 {
        alice.send("bob", Message::Accept);
        after_ms(700).await;
    }
    for id in 2..=301 {
        assert_eq!(bob.message().await, format!("accept #{id} from alice"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_that_hangs_leads_to_rest_after_its_time() {
    let rig = HttpRig::new(websocket(WebSocketFault::Hangs));
    let mut alice = rig.join("alice");
    assert_eq!(
        alice.events(3).await,
        ["down: websocket: no answer to the upgrade within 5s", "up", "via rest"]
    );
    assert_eq!(rig.elapsed_ms(), 5000);
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_keeps_the_welcome_leads_to_rest() {
    let within = Duration::from_secs(3600);
    let rig = HttpRig::new(websocket(WebSocketFault::Buffered { bytes: 1 << 20, within }));
    let mut alice = rig.join("alice");
    assert_eq!(alice.events(3).await, ["down: websocket: no `welcome` within 5s", "up", "via rest"]);
    assert_eq!(rig.elapsed_ms(), 5000);
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_keeps_little_only_slows() {
    let within = Duration::from_millis(400);
    let rig = HttpRig::new(websocket(WebSocketFault::Buffered { bytes: 1 << 20, within }));
    let (mut alice, mut bob) = (rig.join("alice"), rig.join("bob"));
    assert_eq!(alice.events(2).await, ["up", "via websocket"]);
    assert_eq!(rig.elapsed_ms(), 400);
    converse(&mut alice, &mut bob).await;
    assert_eq!(rig.elapsed_ms(), 800);
}

#[tokio::test(start_paused = true)]
async fn a_websocket_that_is_cut_thrice_leads_to_rest_and_loses_nothing() {
    let rig = HttpRig::new(websocket(WebSocketFault::CutAfter(Duration::from_secs(10))));
    let (mut alice, mut bob) = (rig.join("alice"), rig.join("bob"));
    for id in 1..=60 {
        alice.send("bob", Message::Accept);
        after_ms(1000).await;
        assert_eq!(bob.message().await, format!("accept #{id} from alice"));
    }
    let mut ways = Vec::new();
    while ways.last().is_none_or(|way| way != "via rest") {
        ways.push(alice.event().await);
    }
    ways.retain(|event| event.starts_with("via"));
    assert_eq!(ways, ["via websocket", "via websocket", "via websocket", "via rest"]);
}

#[tokio::test(start_paused = true)]
async fn it_probes_its_way_back_without_a_gap() {
    let refused = WebSocketFault::Refused { status: 403 };
    let rule = |nth| WebSocketRule {
        from: Some("alice".into()),
        nth: Some(nth),
        window: Window::ALWAYS,
        fault: refused,
    };
    let rig = HttpRig::new(with_faults(vec![rule(1), rule(2)], Vec::new()));
    let (mut alice, mut bob) = (rig.join("alice"), rig.join("bob"));
    assert_eq!(alice.events(3).await[1..], ["up", "via rest"]);
    for id in 1..=100 {
        bob.send("alice", Message::Ringing);
        alice.send("bob", Message::Accept);
        after_ms(1000).await;
        assert_eq!(bob.message().await, format!("accept #{id} from alice"));
    }
    // Refused at 0 and at 30 s; the second probe at 90 s succeeds.
    for id in 1..=90 {
        assert_eq!(alice.event().await, format!("ringing #{id} from bob"));
    }
    assert_eq!(alice.event().await, "via websocket");
    for id in 91..=100 {
        assert_eq!(alice.event().await, format!("ringing #{id} from bob"));
    }
    after_ms(60_000).await;
    assert_eq!(rig.standing(), 2, "one WebSocket each");
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_hangs_does_not_stop_the_polls() {
    let hangs = |nth, fault| WebSocketRule {
        from: Some("alice".into()),
        nth: Some(nth),
        window: Window::ALWAYS,
        fault,
    };
    let refused = WebSocketFault::Refused { status: 403 };
    // The relay believes in the probe's WebSocket, and the client never hears of it.
    let deaf = WebSocketFault::HalfOpenAfter(Duration::ZERO);
    let rig = HttpRig::new(with_faults(vec![hangs(1, refused), hangs(2, deaf)], Vec::new()));
    let (mut alice, mut bob) = (rig.join("alice"), rig.join("bob"));
    assert_eq!(alice.events(3).await[1..], ["up", "via rest"]);
    after_ms(31_000).await;
    bob.send("alice", Message::Ringing);
    assert_eq!(alice.event().await, "ringing #1 from bob");
    assert_eq!(rig.elapsed_ms(), 35_000, "the probe was given up");
    bob.send("alice", Message::Ringing);
    assert_eq!(alice.event().await, "ringing #2 from bob");
    assert_eq!(rig.elapsed_ms(), 35_000);
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_is_on_its_way_does_not_take_the_mailbox_from_a_probe() {
    let lives = Duration::from_secs(2);
    let rule = WebSocketRule {
        from: Some("alice".into()),
        nth: None,
        window: Window::ALWAYS,
        fault: WebSocketFault::CutAfter(lives),
    };
    let rig = HttpRig::new(with_faults(vec![rule], Vec::new()));
    rig.set_latency_ms(50);
    let probe = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(1) };
    let settings = FallbackSettings { cuts: 1, probe, ..FallbackSettings::default() };
    let mut alice = rig.join_with("alice", "s1", settings);
    let mut bob = rig.join("bob");
    let (mut since, mut switches, mut got) = (None, 0, 0);
    while switches < 30 {
        tokio::select! {
            biased;
            event = alice.event() => match event.as_str() {
                "via websocket" => since = Some(rig.elapsed_ms()),
                "via rest" | "up" => {}
                down if down.starts_with("down") => {
                    let lived = rig.elapsed_ms() - since.take().unwrap();
                    assert!((1900..2200).contains(&lived), "{down} after {lived} ms");
                    switches += 1;
                }
                message => {
                    got += 1;
                    assert_eq!(message, format!("ringing #{got} from bob"));
                }
            },
            () = after_ms(37) => drop(bob.send("alice", Message::Ringing)),
        }
    }
    assert!(got > 1000, "{got}");
}

#[tokio::test(start_paused = true)]
async fn a_half_open_websocket_is_noticed_by_its_heartbeat() {
    let fault = WebSocketFault::HalfOpenAfter(Duration::from_secs(20));
    let rule = WebSocketRule { from: Some("bob".into()), nth: Some(1), window: Window::ALWAYS, fault };
    let rig = HttpRig::new(with_faults(vec![rule], Vec::new()));
    let (mut alice, mut bob) = (rig.join("alice"), rig.join("bob"));
    assert_eq!(bob.events(2).await, ["up", "via websocket"]);
    after_ms(21_000).await;
    alice.send("bob", ring());
    bob.send("alice", Message::Ringing);
    // A heartbeat goes out after 30 s.
    assert_eq!(bob.event().await, "down: websocket: nothing was heard within 10s of a heartbeat");
    assert_eq!(rig.elapsed_ms(), 40_000);
    assert_eq!(bob.events(3).await, ["up", "via websocket", "ring #1 from alice"]);
    assert_eq!(alice.message().await, "ringing #1 from bob");
    assert_eq!(rig.elapsed_ms(), 40_500);
}

#[tokio::test(start_paused = true)]
async fn heartbeats_keep_an_idle_websocket_for_a_day() {
    let rig = HttpRig::new(RelaySettings::default());
    let (mut alice, mut bob) = (rig.join("alice"), rig.join("bob"));
    assert_eq!(alice.events(2).await, ["up", "via websocket"]);
    after_ms(24 * 3_600_000).await;
    converse(&mut alice, &mut bob).await;
    assert_eq!(rig.network.made.load(std::sync::atomic::Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn an_application_that_does_not_listen_is_not_a_dead_relay() {
    // With one place, not even the news that the relay is reached has room; with three, a message waits.
    for events in [1, 3] {
        let rig = HttpRig::new(RelaySettings::default());
        let mut bob = rig.join_with("bob", "s1", FallbackSettings { events, ..FallbackSettings::default() });
        let mut alice = rig.join("alice");
        for _ in 0..200 {
            alice.send("bob", ring());
        }
        after_ms(600_000).await;
        assert_eq!(bob.events(2).await, ["up", "via websocket"]);
        for id in 1..=200 {
            assert_eq!(bob.event().await, format!("ring #{id} from alice"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_lost_makes_no_second_message() {
    let rig = HttpRig::new(rest(RestRequest::Post, Some(1), RestFault::AnswerLost));
    let (mut alice, mut bob) = (rig.join("alice"), rig.join("bob"));
    alice.send("bob", ring());
    assert_eq!(bob.message().await, "ring #1 from alice");
    let mut events = alice.events(4).await;
    events.sort();
    assert!(events[0].starts_with("delayed: rest: unavailable"), "{events:?}");
    after_ms(1000).await;
    alice.send("bob", Message::Accept);
    assert_eq!(bob.message().await, "accept #2 from alice");
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_obeyed() {
    for (request, nth) in [(RestRequest::Post, Some(1)), (RestRequest::Poll, Some(1))] {
        let retry_after = Duration::from_millis(6500);
        let rig = HttpRig::new(rest(request, nth, RestFault::TooManyRequests { retry_after }));
        let mut alice = rig.join("alice");
        alice.send("alice", ring());
        assert_eq!(alice.message().await, "ring #1 from alice");
        assert_eq!(rig.elapsed_ms(), 7000, "{request:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_or_failing_server_is_only_slow() {
    for (fault, ms) in [(RestFault::Slow(Duration::from_secs(4)), 8000), (RestFault::ServerError, 500)] {
        let rig = HttpRig::new(rest(RestRequest::Poll, (ms == 500).then_some(1), fault));
        let mut alice = rig.join("alice");
        alice.send("alice", ring());
        assert_eq!(alice.message().await, "ring #1 from alice");
        // A post needs no poll before it: the message is there when the first poll is carried out.
        assert!(rig.elapsed_ms() <= ms, "{fault:?}: {}", rig.elapsed_ms());
    }
}

#[tokio::test(start_paused = true)]
async fn a_relay_out_of_reach_is_tried_again_ever_more_rarely() {
    let rig = HttpRig::new(RelaySettings::default());
    rig.set_unreachable(true);
    let settings = FallbackSettings { attempts: Some(4), ..FallbackSettings::default() };
    let mut alice = rig.join_with("alice", "s1", settings);
    let refused = "down: websocket: connection refused";
    assert_eq!(alice.events(5).await, [refused, refused, refused, refused, "end"]);
    assert_eq!(rig.elapsed_ms(), 3500);
    assert_eq!(alice.0.send(outgoing("bob", ring())), Err(TransportError::Closed));
}

#[tokio::test(start_paused = true)]
async fn messages_survive_a_cut_and_a_time_out_of_reach() {
    let rig = HttpRig::new(RelaySettings::default());
    let (mut alice, mut bob) = (rig.join("alice"), rig.join("bob"));
    converse(&mut alice, &mut bob).await;
    rig.set_unreachable(true);
    rig.cut();
    after_ms(100).await;
    alice.send("bob", offer());
    bob.send("alice", Message::Accept);
    after_ms(1000).await;
    rig.set_unreachable(false);
    assert_eq!(bob.message().await, "offer #2 from alice");
    assert_eq!(alice.message().await, "accept #2 from bob");
    assert_eq!(rig.elapsed_ms(), 2000);
}

#[tokio::test(start_paused = true)]
async fn a_newer_client_ends_the_older_for_good_on_both_ways() {
    for settings in [RelaySettings::default(), websocket(WebSocketFault::Refused { status: 403 })] {
        let rig = HttpRig::new(settings);
        let mut first = rig.join("alice");
        assert_eq!(first.message_or_via().await, "via");
        let mut second = rig.join_with("alice", "s2", FallbackSettings::default());
        assert_eq!(second.message_or_via().await, "via");
        let down = first.event().await;
        assert!(down.starts_with("down: ") && down.contains("has joined as `alice`"), "{down}");
        assert_eq!(first.event().await, "end");
        after_ms(3_600_000).await;
        let mut bob = rig.join("bob");
        converse(&mut second, &mut bob).await;
    }
}

impl Http {
    async fn message_or_via(&mut self) -> String {
        loop {
            let event = self.event().await;
            if event.starts_with("via") {
                return "via".to_owned();
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn close_has_everything_confirmed_and_leaves_no_task() {
    for settings in [RelaySettings::default(), websocket(WebSocketFault::Refused { status: 403 })] {
        let rig = HttpRig::new(settings);
        let mut alice = rig.join("alice");
        for _ in 0..100 {
            alice.send("bob", offer());
        }
        alice.0.close().await;
        assert_eq!(rig.elapsed_ms(), 0);
        assert_eq!(alice.0.send(outgoing("bob", ring())), Err(TransportError::Closed));
        let mut bob = rig.join("bob");
        for id in 1..=100 {
            assert_eq!(bob.message().await, format!("offer #{id} from alice"));
        }
        bob.0.close().await;
        rig.shut_down().await;
        after_ms(1).await;
        assert_eq!(alive_tasks(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_transport_leaves_no_task() {
    let rig = HttpRig::new(RelaySettings::default());
    let mut alice = rig.join("alice");
    assert_eq!(alice.event().await, "up");
    drop(alice);
    after_ms(1).await;
    assert_eq!(alive_tasks(), 1, "the server");
    rig.kill();
    after_ms(1).await;
    assert_eq!(alive_tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn close_gives_up_on_a_relay_out_of_reach() {
    let rig = HttpRig::new(RelaySettings::default());
    rig.set_unreachable(true);
    let mut alice = rig.join("alice");
    alice.send("bob", ring());
    alice.0.close().await;
    assert_eq!(rig.elapsed_ms(), 2000);
    let mut idle = rig.join("bob");
    idle.0.close().await;
    assert_eq!(rig.elapsed_ms(), 2000, "nothing to send: nothing to wait for");
}

#[tokio::test(start_paused = true)]
async fn what_the_relay_refuses_comes_back_as_an_error() {
    for fault in [None, Some(WebSocketFault::Refused { status: 403 })] {
        let limits = Limits { queue: 2, message_bytes: 300, ..Limits::default() };
        let faults =
            fault.map(|fault| WebSocketRule { from: None, nth: None, window: Window::ALWAYS, fault });
        let endpoint = EndpointFaults { websocket: faults.into_iter().collect(), rest: Vec::new() };
        let rig = HttpRig::new(RelaySettings { limits, endpoint, ..RelaySettings::default() });
        let mut alice = rig.join("alice");
        let long = Message::Offer { sdp: "x".repeat(300), negotiation: 1 };
        alice.send("bob", long.clone());
        for _ in 0..3 {
            alice.send("bob", ring());
        }
        assert_eq!(alice.message().await, "error too-large about Some(1)");
        assert_eq!(alice.message().await, "error queue-full about Some(4)");
        // From now on the limit of the relay is known.
        let refused = alice.0.send(outgoing("bob", long));
        assert!(matches!(refused, Err(TransportError::TooLarge { limit: 300, .. })), "{refused:?}");
        let mut bob = rig.join("bob");
        assert_eq!([bob.message().await, bob.message().await], ["ring #2 from alice", "ring #3 from alice"]);
        after_ms(300).await;
        alice.send("bob", ring());
        assert_eq!(bob.message().await, "ring #5 from alice");
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_sent_is_refused_at_once() {
    let rig = HttpRig::new(RelaySettings::default());
    rig.set_unreachable(true);
    let settings = FallbackSettings { queue: 2, message_bytes: 200, ..FallbackSettings::default() };
    let mut alice = rig.join_with("alice", "s1", settings);
    let long = Message::Offer { sdp: "x".repeat(200), negotiation: 1 };
    assert!(matches!(
        alice.0.send(outgoing("bob", long)),
        Err(TransportError::TooLarge { size: 201.., limit: 200 })
    ));
    assert!(matches!(alice.0.send(outgoing("bob", Message::Joined)), Err(TransportError::NotAllowed { .. })));
    assert_eq!([alice.send("bob", ring()), alice.send("bob", ring())], [1, 2]);
    assert_eq!(alice.0.send(outgoing("bob", ring())), Err(TransportError::QueueFull { limit: 2 }));
}

#[tokio::test(start_paused = true)]
async fn a_power_loss_costs_what_was_stored_only_where_the_store_is_lost() {
    for (store_survives, expect) in [(true, "ring #1 from alice"), (false, "offer #2 from alice")] {
        let rig = HttpRig::new(RelaySettings::default());
        let mut alice = rig.join("alice");
        alice.send("bob", ring());
        after_ms(1000).await;
        rig.cut();
        let store = if store_survives { rig.relay.store() } else { Store::default() };
        rig.relay.restart(store);
        // She knows a mailbox and a cursor that may not exist any more.
        alice.send("bob", offer());
        let mut bob = rig.join("bob");
        assert_eq!(bob.message().await, expect);
        bob.send("alice", Message::Ringing);
        assert_eq!(alice.message().await, "ringing #1 from bob");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_says_so_and_answers_the_polls() {
    let rig = HttpRig::new(RelaySettings::default());
    let mut alice = rig.join("alice");
    assert_eq!(alice.events(2).await, ["up", "via websocket"]);
    rig.shut_down().await;
    assert_eq!(alice.event().await, "down: websocket: the relay closed the WebSocket with 1001");
    assert_eq!(rig.elapsed_ms(), 0);
}
