//! What of the other side's media reaches the application.

use call_engine::{EngineEvent, MediaKind, ReceivedFrame};

use crate::rig::{Plan, connected, hang_up, play};

#[test]
fn whole_frames_and_their_packets_reach_the_application() {
    play(async {
        let (alice, mut bob) = connected(Plan::of("alice"), Plan::of("bob")).await;
        let picture = bob.frame(|frame| frame.track.kind == MediaKind::Video).await;
        assert!(picture.is_key && picture.data.len() == 3_000, "{} bytes", picture.data.len());
        assert_eq!(picture.data[3..6], [0x9d, 0x01, 0x2a], "the start code of a key frame");
        assert_eq!(picture.track.stream, "synthetic");
        let sound = bob.frame(|frame| frame.track.kind == MediaKind::Audio).await;
        assert!(sound.is_key && sound.data.len() == 80);
        assert!(bob.payload_bytes() >= 3_080);
        hang_up(alice, bob).await;
    });
}

#[test]
fn a_key_frame_that_is_asked_for_comes_out_of_turn() {
    play(async {
        let (mut alice, mut bob) = connected(Plan::of("alice"), Plan::of("bob")).await;
        let is_picture = |is_key| {
            move |frame: &ReceivedFrame| frame.track.kind == MediaKind::Video && frame.is_key == is_key
        };
        let first = bob.frame(is_picture(true)).await;
        bob.frame(is_picture(false)).await;
        bob.engine.request_key_frames();
        alice.until_event(|event| *event == EngineEvent::KeyFrameRequested).await;
        let next = bob.frame(is_picture(true)).await;
        // By itself the camera makes one every three seconds.
        let after = next.rtp_timestamp.wrapping_sub(first.rtp_timestamp) / 90;
        assert!(after < 2_500, "{after} ms later");
        hang_up(alice, bob).await;
    });
}
