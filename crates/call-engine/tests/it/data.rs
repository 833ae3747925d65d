use call_engine::{DataRefusal, DataSettings, Delivery, EngineEvent, Settings};

use crate::rig::{Plan, connected, hang_up, play};

fn with_data(participant: &str, data: DataSettings) -> Plan {
    let plan = Plan::of(participant);
    let settings = Settings { data: Some(data), ..plan.settings };
    Plan { settings, ..plan }
}

#[test]
fn messages_arrive_in_order_through_a_small_buffer() {
    play(async {
        let small = DataSettings { queue: 256, buffered_bytes: 4 * 1024 };
        let (alice, mut bob) = connected(with_data("alice", small), with_data("bob", small)).await;
        for number in 0..200_u16 {
            let mut message = vec![0; 1_000];
            message[..2].copy_from_slice(&number.to_be_bytes());
            alice.engine.send_data(Delivery::Ordered, message);
        }
        for number in 0..200_u16 {
            let (delivery, message) = bob.message().await;
            assert_eq!(delivery, Delivery::Ordered);
            assert_eq!(message[..2], number.to_be_bytes());
        }
        hang_up(alice, bob).await;
    });
}

#[test]
fn each_side_is_told_once_that_a_channel_is_open() {
    play(async {
        let data = DataSettings::default();
        let (mut alice, mut bob) = connected(with_data("alice", data), with_data("bob", data)).await;
        alice.engine.send_data(Delivery::Ordered, vec![1]);
        bob.message().await;
        bob.engine.send_data(Delivery::Ordered, vec![2]);
        alice.message().await;
        let open = EngineEvent::DataChannelOpen { delivery: Delivery::Ordered };
        for side in [&mut alice, &mut bob] {
            let mut told = side.until_event(|event| *event == open).await;
            told.extend(side.seen());
            assert_eq!(told.iter().filter(|event| **event == open).count(), 1);
        }
        hang_up(alice, bob).await;
    });
}

#[test]
fn unordered_messages_all_arrive_and_too_many_at_once_are_refused_aloud() {
    play(async {
        let few = DataSettings { queue: 4, buffered_bytes: 1_024 };
        let (mut alice, mut bob) = connected(with_data("alice", few), with_data("bob", few)).await;
        for number in 0..20_u8 {
            alice.engine.send_data(Delivery::Unordered, vec![number; 900]);
        }
        let (delivery, why) = (Delivery::Unordered, DataRefusal::QueueFull);
        alice.until_event(|event| *event == EngineEvent::DataRefused { delivery, why }).await;
        for _ in 0..4 {
            assert_eq!(bob.message().await.0, Delivery::Unordered);
        }
        hang_up(alice, bob).await;
    });
}

#[test]
fn at_the_mark_messages_are_held_back_and_the_application_is_told_until_none_waits() {
    play(async {
        let (mark, length) = (4_000, 1_000);
        let small = DataSettings { queue: 256, buffered_bytes: mark };
        let (mut alice, mut bob) = connected(with_data("alice", small), with_data("bob", small)).await;
        for _ in 0..100 {
            alice.engine.send_data(Delivery::Ordered, vec![0; length]);
        }
        let delivery = Delivery::Ordered;
        let seen = alice.until_event(|event| *event == EngineEvent::DataCaughtUp { delivery }).await;
        let held: Vec<&EngineEvent> =
            seen.iter().filter(|event| matches!(event, EngineEvent::DataHeldBack { .. })).collect();
        assert_eq!(held, [&EngineEvent::DataHeldBack { delivery, buffered: mark }], "told once");
        assert_eq!(
            alice.most_buffered(),
            mark,
            "a message goes out only where less than the mark is buffered"
        );
        for _ in 0..100 {
            assert_eq!(bob.message().await.1.len(), length);
        }
        hang_up(alice, bob).await;
    });
}

#[test]
fn an_application_that_writes_no_faster_than_the_link_carries_is_told_nothing() {
    play(async {
        let small = DataSettings { queue: 256, buffered_bytes: 1_000 };
        let (mut alice, mut bob) = connected(with_data("alice", small), with_data("bob", small)).await;
        for _ in 0..3 {
            alice.engine.send_data(Delivery::Ordered, vec![0; 999]);
            bob.message().await;
            // The answer comes with the acknowledgement, or after it.
            bob.engine.send_data(Delivery::Ordered, vec![0; 10]);
            alice.message().await;
        }
        let told = |event: &EngineEvent| {
            matches!(event, EngineEvent::DataHeldBack { .. } | EngineEvent::DataCaughtUp { .. })
        };
        assert!(!alice.seen().iter().any(told));
        hang_up(alice, bob).await;
    });
}

#[test]
fn a_message_longer_than_the_other_side_takes_is_refused_and_holds_up_no_other() {
    play(async {
        let data = DataSettings::default();
        let (mut alice, mut bob) = connected(with_data("alice", data), with_data("bob", data)).await;
        let (delivery, why) = (Delivery::Ordered, DataRefusal::TooLong);
        // What `webrtc` 0.21.1 offers as its `max-message-size`, and one byte more.
        for length in [65_536, 65_537, 3] {
            alice.engine.send_data(delivery, vec![7; length]);
        }
        assert_eq!(bob.message().await.1.len(), 65_536);
        assert_eq!(bob.message().await.1.len(), 3);
        alice.until_event(|event| *event == EngineEvent::DataRefused { delivery, why }).await;
        hang_up(alice, bob).await;
    });
}

#[test]
fn channels_and_refusals_have_words() {
    assert_eq!(Delivery::WORDS, ["ordered", "unordered"]);
    let refusals = [DataRefusal::QueueFull, DataRefusal::TooLong].map(|why| why.to_string());
    assert_eq!(refusals, ["too many wait", "it is too long"]);
}

#[test]
fn text_and_bytes_are_told_apart() {
    play(async {
        let data = DataSettings::default();
        let (alice, mut bob) = connected(with_data("alice", data), with_data("bob", data)).await;
        alice.engine.send_data(Delivery::Ordered, "text");
        alice.engine.send_data(Delivery::Ordered, b"text".to_vec());
        assert_eq!(bob.text_or_bytes().await, (Delivery::Ordered, "text".into()));
        assert_eq!(bob.text_or_bytes().await, (Delivery::Ordered, b"text".to_vec().into()));
        hang_up(alice, bob).await;
    });
}
