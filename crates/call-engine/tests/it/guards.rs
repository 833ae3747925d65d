//! What a call does without one of its guards, where a call on one machine can show it.

use call_engine::{CallState, DataSettings, Delivery, EngineEvent, GatheringState, Settings, State};
use signaller::Kind;

use crate::rig::{Plan, Side, connected, hang_up, play};

/// The types of the messages that `side` sends until it has sent or received one that `last` knows.
async fn sent_until(side: &mut Side, last: impl Fn(&EngineEvent) -> bool) -> Vec<Kind> {
    let seen = side.until_event(last).await;
    seen.into_iter()
        .filter_map(|event| match event {
            EngineEvent::MessageSent { kind, .. } => Some(kind),
            _ => None,
        })
        .collect()
}

/// What alice sends from her offer until the call is connected.
fn sent_in_a_call(alice: Plan, expect: &[Kind]) {
    let expect = expect.to_vec();
    play(async move {
        let hub = signaller::memory::Hub::default();
        let (mut alice, mut bob) = (alice.start(&hub), Plan::of("bob").start(&hub));
        alice.engine.dial("bob", "call-1");
        bob.until(CallState::Ringing).await;
        bob.engine.accept();
        let connected = |event: &EngineEvent| {
            matches!(event, EngineEvent::StateChanged { to: State::Call(CallState::Connected), .. })
        };
        let sent = sent_until(&mut alice, connected).await;
        assert_eq!(sent, expect);
    });
}

#[test]
fn the_end_of_candidates_is_signalled_by_its_guard() {
    sent_in_a_call(Plan::of("alice"), &[Kind::Ring, Kind::Offer, Kind::Candidate, Kind::EndOfCandidates]);
    let without = Plan::of("alice").without("send_end_of_candidates");
    sent_in_a_call(without, &[Kind::Ring, Kind::Offer, Kind::Candidate]);
}

#[test]
fn candidates_that_are_not_trickled_are_sent_when_gathering_is_complete() {
    play(async {
        let hub = signaller::memory::Hub::default();
        let mut alice = Plan::of("alice").without("trickle_at_once").start(&hub);
        let mut bob = Plan::of("bob").start(&hub);
        alice.engine.dial("bob", "call-1");
        bob.until(CallState::Ringing).await;
        bob.engine.accept();
        let complete = |event: &EngineEvent| {
            matches!(event, EngineEvent::StateChanged { to: State::Gathering(GatheringState::Complete), .. })
        };
        assert_eq!(sent_until(&mut alice, complete).await, [Kind::Ring, Kind::Offer]);
        alice.until(CallState::Connected).await;
    });
}

#[test]
fn without_an_offer_of_its_own_a_restart_never_comes() {
    for (guarded, expect) in [(true, 1), (false, 0)] {
        play(async move {
            let alice = Plan::of("alice");
            let alice = if guarded { alice } else { alice.without("offer_after_ice_restart") };
            let (mut alice, bob) = connected(alice, Plan::of("bob")).await;
            alice.seen();
            alice.engine.network_changed(None);
            alice.until(CallState::Reconnecting).await;
            // Whatever comes of the wish is sent before the next one is looked at.
            alice.engine.reject();
            let refused = |event: &EngineEvent| matches!(event, EngineEvent::Problem { .. });
            let sent = sent_until(&mut alice, refused).await;
            assert_eq!(sent.iter().filter(|kind| **kind == Kind::Offer).count(), expect);
            bob.engine.shut_down().await;
        });
    }
}

#[test]
fn channels_that_the_first_offer_does_not_have_cost_a_negotiation() {
    for sender_is_caller in [true, false] {
        play(async move {
            let with_data = |name: &str| {
                let plan = Plan::of(name).without("data_channel_in_first_offer");
                let settings = Settings { data: Some(DataSettings::default()), ..plan.settings };
                Plan { settings, ..plan }
            };
            let (mut alice, mut bob) = connected(with_data("alice"), with_data("bob")).await;
            let sender = if sender_is_caller { &mut alice } else { &mut bob };
            sender.seen();
            sender.engine.send_data(Delivery::Ordered, b"hello".to_vec());
            let answered = |event: &EngineEvent| {
                matches!(event, EngineEvent::MessageReceived { kind: Kind::Answer, .. })
            };
            assert!(sent_until(sender, answered).await.contains(&Kind::Offer));
            hang_up(alice, bob).await;
        });
    }
}
