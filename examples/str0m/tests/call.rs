//! What the example promises.

use callsim::{
    Failure, Plan, RunRecord, check,
    timeline::{CallState, EndReason, MediaKind, transcript},
};
use example_str0m::{SCENARIO, player};

fn play(scenario: &str, seed: u64) -> (Vec<Failure>, RunRecord) {
    let plan = Plan::from_toml("str0m", scenario).unwrap();
    let record = player(&plan).seed(seed).play().unwrap();
    (check(&plan, &record), record)
}

#[track_caller]
fn passes(scenario: &str, seed: u64) -> RunRecord {
    let (failures, record) = play(scenario, seed);
    assert!(failures.is_empty(), "seed {seed}: {failures:#?}\n{}", transcript(&record.timeline));
    record
}

#[test]
fn the_engine_calls_a_peer_on_str0m_through_two_nats() {
    for seed in 1..=3 {
        let record = passes(SCENARIO, seed);
        for (to, from) in [("caller", "callee"), ("callee", "caller")] {
            let flow = &record.peers[to].received[&(from.into(), MediaKind::Audio)];
            // 50 packets a second, for three seconds at least.
            assert!(flow.packets >= 150, "seed {seed}: {} packets came to {to}", flow.packets);
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_events() {
    for seed in [1, 2] {
        let [one, other] = [(); 2].map(|()| transcript(&passes(SCENARIO, seed).timeline));
        assert_eq!(one, other, "seed {seed}");
    }
}

#[test]
fn the_peer_on_str0m_hangs_up() {
    let scenario = SCENARIO.replace(r#"caller = "hang-up""#, r#"callee = "hang-up""#);
    let record = passes(&scenario, 1);
    for name in ["caller", "callee"] {
        assert_eq!(record.peers[name].call_state, CallState::Ended(EndReason::HungUp), "{name}");
    }
}

#[test]
fn the_peer_on_str0m_does_not_know_every_command() {
    let scenario = SCENARIO.replace(r#"callee = "accept""#, r#"callee = "hold""#);
    let (failures, _) = play(&scenario, 1);
    let failure = failures.iter().find(|failure| failure.check == "steps-understood");
    let message = failure.map(|failure| failure.message.as_str());
    assert_eq!(
        message,
        Some("a step of callee was not carried out: the str0m app cannot: holds"),
        "{failures:#?}"
    );
}
