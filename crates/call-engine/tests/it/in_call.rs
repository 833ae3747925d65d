use std::time::Duration;

use call_engine::{EngineEvent, FacingMode, Hold, MediaKind, Settings};
use signaller::Kind;

use crate::rig::{Plan, Side, connected, hang_up, play};

/// A side that notices a pause within a quarter of a second.
fn attentive(participant: &str) -> Plan {
    let plan = Plan::of(participant);
    let settings = Settings { media_silence: Some(Duration::from_millis(250)), ..plan.settings };
    Plan { settings, ..plan }
}

async fn until_video(side: &mut Side, flows: bool) -> Vec<EngineEvent> {
    side.until_event(|event| match event {
        EngineEvent::MediaPaused { kind } => !flows && *kind == MediaKind::Video,
        EngineEvent::MediaResumed { kind } => flows && *kind == MediaKind::Video,
        _ => false,
    })
    .await
}

fn offers(events: &[EngineEvent]) -> usize {
    events.iter().filter(|event| matches!(event, EngineEvent::MessageSent { kind: Kind::Offer, .. })).count()
}

#[test]
fn a_call_on_hold_is_silent_both_ways_and_goes_on_when_resumed() {
    play(async {
        let (mut alice, mut bob) = connected(attentive("alice"), attentive("bob")).await;
        alice.until_media().await;
        bob.until_media().await;
        alice.engine.set_hold(Hold::Held);
        until_video(&mut alice, false).await;
        until_video(&mut bob, false).await;
        alice.engine.set_hold(Hold::Resumed);
        until_video(&mut alice, true).await;
        until_video(&mut bob, true).await;
        hang_up(alice, bob).await;
    });
}

#[test]
fn a_call_that_both_hold_goes_on_when_both_resume() {
    play(async {
        let (mut alice, mut bob) = connected(attentive("alice"), attentive("bob")).await;
        alice.until_media().await;
        bob.until_media().await;
        for side in [&alice, &bob] {
            side.engine.set_hold(Hold::Held);
        }
        until_video(&mut alice, false).await;
        until_video(&mut bob, false).await;
        for side in [&bob, &alice] {
            side.engine.set_hold(Hold::Resumed);
        }
        until_video(&mut alice, true).await;
        until_video(&mut bob, true).await;
        hang_up(alice, bob).await;
    });
}

#[test]
fn a_remote_mute_is_seen_by_the_media_that_does_not_come() {
    play(async {
        let (mut alice, mut bob) = connected(attentive("alice"), attentive("bob")).await;
        alice.until_media().await;
        bob.until_media().await;
        alice.engine.set_enabled(MediaKind::Video, call_engine::Enabled::No);
        until_video(&mut bob, false).await;
        alice.engine.set_enabled(MediaKind::Video, call_engine::Enabled::Yes);
        let seen = until_video(&mut bob, true).await;
        assert_eq!(offers(&seen), 0, "nothing is renegotiated");
        hang_up(alice, bob).await;
    });
}

#[test]
fn another_camera_takes_the_place_of_the_first_without_negotiation() {
    play(async {
        let (mut alice, mut bob) = connected(attentive("alice"), attentive("bob")).await;
        alice.until_media().await;
        bob.until_media().await;
        alice.engine.switch_camera(FacingMode::Environment);
        let seen = alice
            .until_event(
                |event| matches!(event, EngineEvent::CameraSwitched { label } if label == "back camera"),
            )
            .await;
        assert_eq!(offers(&seen), 0);
        // The new camera obeys the switch of the old one, and its media is the old one's track.
        alice.engine.set_enabled(MediaKind::Video, call_engine::Enabled::No);
        until_video(&mut bob, false).await;
        alice.engine.set_enabled(MediaKind::Video, call_engine::Enabled::Yes);
        until_video(&mut bob, true).await;
        hang_up(alice, bob).await;
    });
}

#[test]
fn a_camera_that_is_off_stays_off_when_it_is_switched() {
    play(async {
        let (mut alice, mut bob) = connected(attentive("alice"), attentive("bob")).await;
        alice.until_media().await;
        bob.until_media().await;
        alice.engine.set_enabled(MediaKind::Video, call_engine::Enabled::No);
        until_video(&mut bob, false).await;
        alice.engine.switch_camera(FacingMode::Environment);
        alice.until_event(|event| matches!(event, EngineEvent::CameraSwitched { .. })).await;
        // A quarter of a second in which a picture would come.
        alice.engine.set_enabled(MediaKind::Audio, call_engine::Enabled::No);
        let quiet = EngineEvent::MediaPaused { kind: MediaKind::Audio };
        let seen = bob.until_event(|event| *event == quiet).await;
        assert!(!seen.contains(&EngineEvent::MediaResumed { kind: MediaKind::Video }));
        hang_up(alice, bob).await;
    });
}

#[test]
fn a_screen_comes_goes_and_comes_again() {
    play(async {
        let (mut alice, mut bob) = connected(Plan::of("alice"), Plan::of("bob")).await;
        for _ in 0..2 {
            bob.engine.share_screen();
            alice.until_stream("screen").await;
            bob.engine.stop_screen();
            alice
                .until_event(|event| matches!(event, EngineEvent::StreamRemoved { id } if id == "screen"))
                .await;
        }
        bob.until_media().await;
        hang_up(alice, bob).await;
    });
}

#[test]
fn two_screens_shared_at_once_both_arrive() {
    play(async {
        let (mut alice, mut bob) = connected(Plan::of("alice"), Plan::of("bob")).await;
        alice.engine.share_screen();
        bob.engine.share_screen();
        alice.until_stream("screen").await;
        bob.until_stream("screen").await;
        hang_up(alice, bob).await;
    });
}

#[test]
fn statistics_are_taken_while_the_call_is_connected() {
    play(async {
        let plan = Plan::of("alice");
        let settings = Settings { statistics: Some(Duration::from_millis(300)), ..plan.settings };
        let (mut alice, bob) = connected(Plan { settings, ..plan }, Plan::of("bob")).await;
        let first = alice.sample().await;
        assert_eq!(first.sent_bps, 0.0, "a rate needs two samples");
        let second = alice.sample().await;
        assert!(second.sent_bps > 50_000.0, "audio and video are sent: {second:?}");
        assert!(second.received_bps > 50_000.0, "{second:?}");
        assert!(second.packets_received > 0 && second.packets_lost == 0, "{second:?}");
        let (local, remote) = second.selected_pair.expect("a pair is selected");
        assert!([local, remote].iter().all(|it| it.to_string().starts_with("host udp 127.0.0.1:")));
        hang_up(alice, bob).await;
    });
}
