use call_engine::{CallState, EndReason, Permission};
use signaller::memory::Hub;

use crate::rig::{Fate, Plan, connected, hang_up, play};

#[test]
fn a_call_on_real_sockets_connects_carries_media_and_is_released() {
    play(async {
        let (mut alice, mut bob) = connected(Plan::of("alice"), Plan::of("bob")).await;
        alice.until_media().await;
        bob.until_media().await;
        hang_up(alice, bob).await;
    });
}

#[test]
fn a_callee_whose_camera_is_refused_rejects_with_that_reason() {
    play(async {
        let hub = Hub::default();
        let mut alice = Plan::of("alice").start(&hub);
        let mut bob = Plan { permission: Permission::Denied, ..Plan::of("bob") }.start(&hub);
        alice.engine.dial("bob", "call-1");
        bob.until(CallState::Ringing).await;
        bob.engine.accept();
        alice.until(CallState::Ended(EndReason::PermissionDenied)).await;
        bob.until(CallState::Ended(EndReason::PermissionDenied)).await;
    });
}

#[test]
fn a_call_in_which_every_message_comes_twice_is_an_ordinary_call() {
    play(async {
        let twice = |name| Plan { tamper: Box::new(|_| Fate::SentTwice), ..Plan::of(name) };
        let (mut alice, mut bob) = connected(twice("alice"), twice("bob")).await;
        alice.until_media().await;
        bob.until_media().await;
        hang_up(alice, bob).await;
    });
}

#[test]
fn a_permission_that_is_taken_back_ends_the_call_for_that_reason_on_both_sides() {
    play(async {
        let (mut alice, mut bob) = connected(Plan::of("alice"), Plan::of("bob")).await;
        bob.engine.permission_lost();
        alice.until(CallState::Ended(EndReason::PermissionLost)).await;
        bob.until(CallState::Ended(EndReason::PermissionLost)).await;
        assert_eq!(alice.until_released().await, 0);
    });
}
