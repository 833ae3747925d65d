use call_engine::{CallState, Cause, EndReason, EngineEvent};
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

/// An address of nobody's (RFC 5737): no socket can be opened there.
fn without_a_network(name: &str) -> Plan {
    let mut plan = Plan::of(name);
    plan.settings.peer.udp_addresses = vec!["192.0.2.77:0".to_owned()];
    plan
}

fn waits(event: &EngineEvent) -> bool {
    matches!(event, EngineEvent::Problem { what } if what.starts_with("the call waits for a network: "))
}

#[test]
fn a_call_that_is_taken_without_a_network_waits_for_one() {
    play(async {
        let hub = Hub::default();
        let (mut alice, mut bob) = (Plan::of("alice").start(&hub), without_a_network("bob").start(&hub));
        alice.engine.dial("bob", "call-1");
        bob.until(CallState::Ringing).await;
        bob.engine.accept();
        bob.until_event(waits).await;
        // Who taps again changes nothing, and a network that is none neither.
        bob.engine.accept();
        bob.engine.network_changed(None);
        bob.until_event(waits).await;
        bob.engine.network_changed(Some(vec!["127.0.0.1:0".to_owned()]));
        bob.until(CallState::Connected).await;
        alice.until(CallState::Connected).await;
        alice.until_media().await;
        bob.until_media().await;
        hang_up(alice, bob).await;
    });
}

#[test]
fn a_caller_without_a_network_offers_when_it_has_one() {
    play(async {
        let hub = Hub::default();
        let (mut alice, mut bob) = (without_a_network("alice").start(&hub), Plan::of("bob").start(&hub));
        alice.engine.dial("bob", "call-1");
        bob.until(CallState::Ringing).await;
        bob.engine.accept();
        alice.until_event(waits).await;
        alice.engine.network_changed(Some(vec!["127.0.0.1:0".to_owned()]));
        alice.until(CallState::Connected).await;
        bob.until(CallState::Connected).await;
        hang_up(alice, bob).await;
    });
}

#[test]
fn a_call_that_waits_for_a_network_can_be_declined() {
    play(async {
        let hub = Hub::default();
        let (mut alice, mut bob) = (Plan::of("alice").start(&hub), without_a_network("bob").start(&hub));
        alice.engine.dial("bob", "call-1");
        bob.until(CallState::Ringing).await;
        bob.engine.accept();
        bob.until_event(waits).await;
        bob.engine.reject();
        alice.until(CallState::Ended(EndReason::Declined)).await;
        assert_eq!((alice.until_released().await, bob.until_released().await), (0, 0));
    });
}
