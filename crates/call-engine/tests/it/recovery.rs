use std::time::Duration;

use call_engine::{
    CallState, EndReason, EngineEvent, Recovery, RecoveryCause, RecoveryStep, Settings, Timers,
};
use signaller::Message;

use crate::rig::{Fate, Plan, connected, hang_up, play};

async fn recovered(side: &mut crate::rig::Side) -> Vec<RecoveryStep> {
    let seen = side
        .until_event(|event| {
            matches!(
                event,
                EngineEvent::Recovery { step: RecoveryStep::Recovered | RecoveryStep::GiveUp, .. }
            )
        })
        .await;
    seen.into_iter()
        .filter_map(|event| match event {
            EngineEvent::Recovery { step, .. } => Some(step),
            _ => None,
        })
        .collect()
}

#[test]
fn a_change_of_network_restarts_ice_and_the_call_goes_on() {
    play(async {
        let (mut alice, mut bob) = connected(Plan::of("alice"), Plan::of("bob")).await;
        bob.engine.network_changed(Some(vec!["127.0.0.2:0".to_owned()]));
        assert_eq!(recovered(&mut bob).await, [RecoveryStep::IceRestart, RecoveryStep::Recovered]);
        assert_eq!(recovered(&mut alice).await, [RecoveryStep::FollowRestart, RecoveryStep::Recovered]);
        bob.until(CallState::Connected).await;
        hang_up(alice, bob).await;
    });
}

#[test]
fn two_changes_of_network_at_once_end_in_one_connection() {
    play(async {
        let (mut alice, mut bob) = connected(Plan::of("alice"), Plan::of("bob")).await;
        for side in [&alice, &bob] {
            side.engine.network_changed(None);
        }
        for side in [&mut alice, &mut bob] {
            assert_eq!(recovered(side).await.last(), Some(&RecoveryStep::Recovered));
        }
        hang_up(alice, bob).await;
    });
}

/// Breaks the fingerprint of the first description of `kind` that `participant` sends, so that the
/// other side refuses its certificate.
fn with_a_wrong_certificate(participant: &str, settings: impl Fn(Settings) -> Settings) -> Plan {
    let plan = Plan::of(participant);
    let mut broken = false;
    Plan {
        tamper: Box::new(move |outgoing| {
            if let Message::Answer { sdp, .. } = &mut outgoing.body
                && !std::mem::replace(&mut broken, true)
            {
                *sdp = sdp
                    .lines()
                    .map(|line| match line.strip_prefix("a=fingerprint:sha-256 ") {
                        Some(rest) => {
                            let other = if rest.starts_with("00") { "11" } else { "00" };
                            format!("a=fingerprint:sha-256 {other}{}\r\n", &rest[2..])
                        }
                        None => format!("{line}\r\n"),
                    })
                    .collect();
            }
            Fate::Sent
        }),
        settings: settings(plan.settings),
        ..plan
    }
}

#[test]
fn a_dtls_handshake_that_never_ends_is_mended_by_a_new_peer_connection() {
    play(async {
        let short = |settings| Settings {
            recovery: Some(Recovery {
                dtls_handshake: Some(Duration::from_millis(700)),
                ..Recovery::default()
            }),
            ..settings
        };
        let plan = Plan::of("alice");
        let alice = Plan { settings: short(plan.settings), ..plan };
        let bob = with_a_wrong_certificate("bob", short);
        let (mut alice, mut bob) = connected_at_last(alice, bob).await;
        alice.until_media().await;
        bob.until_media().await;
        hang_up(alice, bob).await;
    });
}

/// As [`connected`], for a connection that takes two.
async fn connected_at_last(alice: Plan, bob: Plan) -> (crate::rig::Side, crate::rig::Side) {
    let hub = signaller::memory::Hub::default();
    let (mut alice, mut bob) = (alice.start(&hub), bob.start(&hub));
    alice.engine.dial("bob", "call-1");
    bob.until(CallState::Ringing).await;
    bob.engine.accept();
    let seen = alice.until(CallState::Connected).await;
    // `webrtc` 0.21.1 does not report a certificate that it refuses: the handshake just never ends.
    let dtls = EngineEvent::Recovery { step: RecoveryStep::Rebuild, cause: RecoveryCause::DtlsTimeout };
    assert!(seen.contains(&dtls), "{seen:?}");
    bob.until_event(|event| matches!(event, EngineEvent::Recovery { step: RecoveryStep::FollowRebuild, .. }))
        .await;
    bob.until(CallState::Connected).await;
    (alice, bob)
}

#[test]
fn a_callee_that_alone_sees_the_failure_asks_and_the_caller_rebuilds_once() {
    play(async {
        let patience = |dtls_handshake| Recovery { dtls_handshake, ..Recovery::default() };
        let alice = Plan::of("alice");
        let settings = Settings { recovery: Some(patience(None)), ..alice.settings };
        let alice = Plan { settings, ..alice };
        let soon = Recovery { follower_grace: Duration::ZERO, ..patience(Some(Duration::from_millis(700))) };
        let mut bob =
            with_a_wrong_certificate("bob", |settings| Settings { recovery: Some(soon), ..settings });
        // The wish comes twice, as from a network that repeats.
        let mut tamper = bob.tamper;
        bob.tamper = Box::new(move |outgoing| match tamper(outgoing) {
            Fate::Sent if matches!(outgoing.body, Message::Renegotiate { .. }) => Fate::SentTwice,
            fate => fate,
        });
        let hub = signaller::memory::Hub::default();
        let (mut alice, mut bob) = (alice.start(&hub), bob.start(&hub));
        alice.engine.dial("bob", "call-1");
        bob.until(CallState::Ringing).await;
        bob.engine.accept();
        let steps = recovered(&mut alice).await;
        assert_eq!(steps, [RecoveryStep::Rebuild, RecoveryStep::Recovered]);
        bob.until_media().await;
        alice.until_media().await;
        hang_up(alice, bob).await;
    });
}

#[test]
fn a_rebuild_in_mid_call_brings_everything_back() {
    play(async {
        let bob = Plan::of("bob");
        // Bob's offer of his screen goes out as a wish for a new peer connection.
        let tamper: crate::rig::Tamper = Box::new(|outgoing| {
            if matches!(outgoing.body, Message::Offer { negotiation: 2, .. }) {
                outgoing.body = Message::Renegotiate { negotiation: 1 };
            }
            Fate::Sent
        });
        let (mut alice, mut bob) = connected(Plan::of("alice"), Plan { tamper, ..bob }).await;
        alice.until_stream("synthetic").await;
        bob.engine.share_screen();
        alice
            .until_event(|event| matches!(event, EngineEvent::StreamRemoved { id } if id == "synthetic"))
            .await;
        assert_eq!(recovered(&mut alice).await.last(), Some(&RecoveryStep::Recovered));
        let mut streams = [String::new(), String::new()];
        for stream in &mut streams {
            let seen = alice.until_event(|event| matches!(event, EngineEvent::StreamAdded { .. })).await;
            let Some(EngineEvent::StreamAdded { id }) = seen.last() else { unreachable!("waited for") };
            stream.clone_from(id);
        }
        streams.sort();
        assert_eq!(streams, ["screen", "synthetic"]);
        assert_eq!(recovered(&mut bob).await.last(), Some(&RecoveryStep::Recovered));
        hang_up(alice, bob).await;
    });
}

#[test]
fn without_recovery_it_ends_the_call() {
    play(async {
        let timers = Timers { connect: Duration::from_millis(1_500), ..Timers::default() };
        let off = |settings| Settings { recovery: None, timers, ..settings };
        let hub = signaller::memory::Hub::default();
        let plan = Plan::of("alice");
        let mut alice = Plan { settings: off(plan.settings), ..plan }.start(&hub);
        let mut bob = with_a_wrong_certificate("bob", off).start(&hub);
        alice.engine.dial("bob", "call-1");
        bob.until(CallState::Ringing).await;
        bob.engine.accept();
        alice.until(CallState::Ended(EndReason::ConnectTimeout)).await;
        bob.until(CallState::Ended(EndReason::ConnectTimeout)).await;
    });
}
