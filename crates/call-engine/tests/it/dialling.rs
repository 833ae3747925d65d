use call_engine::{CallState, Cause, EngineEvent};
use signaller::memory::Hub;

use crate::rig::{Incoming, Plan, hang_up, play};

#[test]
fn two_who_dial_each_other_at_once_are_in_one_call() {
    play(async {
        let hub = Hub::default();
        // Neither hears of the other's call before its own is out.
        let busy = |name| Plan { incoming: Incoming::AfterFirstSent, ..Plan::of(name) };
        let (mut alice, mut bob) = (busy("alice").start(&hub), busy("bob").start(&hub));
        alice.engine.dial("bob", "call-2");
        bob.engine.dial("alice", "call-1");
        let of_alice = alice.until(CallState::Connected).await;
        let of_bob = bob.until(CallState::Connected).await;
        let cause = |events: &[EngineEvent], wanted: Cause| {
            events.iter().any(
                |event| matches!(event, EngineEvent::StateChanged { cause, .. } if *cause == Some(wanted)),
            )
        };
        assert!(cause(&of_alice, Cause::RingsCrossed), "the larger call id yields");
        assert!(!cause(&of_bob, Cause::RingsCrossed));
        alice.until_media().await;
        bob.until_media().await;
        hang_up(alice, bob).await;
    });
}

#[test]
fn a_call_that_is_not_out_yet_yields_to_one_that_comes() {
    play(async {
        let hub = Hub::default();
        let (mut alice, mut bob) = (Plan::of("alice").start(&hub), Plan::of("bob").start(&hub));
        alice.engine.dial("bob", "call-2");
        bob.engine.dial("alice", "call-1");
        alice.until(CallState::Connected).await;
        bob.until(CallState::Connected).await;
        hang_up(alice, bob).await;
    });
}
