//! Same seed, same bytes: in another process, on one thread, on four at once.

use std::{process::Command, thread};

use scenario::{plan::Plan, run::Player};

/// Scenarios that between them use everything that could differ: media, loss on UDP and TCP, jitter,
/// a link that goes down, the project's own cryptography, NATs, TURN, a handover there and back, and signalling
/// by WebSocket and REST with masks, backoff, tokens and a server that loses power.
const SCENARIOS: [&str; 13] = [
    "happy/host-candidates",
    "happy/seeded-crypto",
    "loss/uniform-20pct",
    "loss/jittery-150ms",
    "outage/link-down-3s-during-ice",
    "signalling/over-websocket",
    "signalling/over-rest",
    "signalling/power-loss-with-store",
    "signalling/rest-answers-500",
    "signalling/strangers-are-kept-out",
    "signalling/restart-during-call",
    "profiles/hotel-calls-lte",
    "handover/back-in-time",
];
/// The digests of all scenarios with twenty seeds are pinned in `scenarios/pins.json`; here is what pins cannot show.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=5;
/// Set in the process that only prints its digests.
const PRINT: &str = "CALLSIM_PRINT_DIGESTS";

fn digests_of(plan: &Plan, seeds: impl Iterator<Item = u64>) -> Vec<String> {
    seeds
        .map(|seed| Player::new(plan).seed(seed).play().expect("the scenario plays").digest.to_string())
        .collect()
}

fn on_one_thread() -> Vec<String> {
    let plans = SCENARIOS.map(super::scenario);
    plans.iter().flat_map(|plan| digests_of(plan, SEEDS)).collect()
}

/// Each thread plays every fourth seed of each scenario, so that different worlds run side by side.
fn on_four_threads() -> Vec<String> {
    let plans = SCENARIOS.map(super::scenario);
    let quarters: Vec<Vec<Vec<String>>> = thread::scope(|scope| {
        let quarter =
            |first| plans.iter().map(|plan| digests_of(plan, SEEDS.skip(first).step_by(4))).collect();
        let threads: Vec<_> = (0..4).map(|first| scope.spawn(move || quarter(first))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no world panics")).collect()
    });
    let seeds = SEEDS.count();
    let at = |plan: usize, seed: usize| quarters[seed % 4][plan][seed / 4].clone();
    (0..plans.len())
        .flat_map(|plan| (0..seeds).map(move |seed| (plan, seed)))
        .map(|(plan, seed)| at(plan, seed))
        .collect()
}

fn in_another_process() -> Vec<String> {
    let me = std::env::current_exe().expect("a test has a path");
    let output = Command::new(me)
        .args(["--exact", "determinism::same_seed_same_bytes", "--nocapture"])
        .env(PRINT, "1")
        .output()
        .expect("a second process starts");
    let text = String::from_utf8(output.stdout).expect("digests are text");
    text.lines().filter_map(|line| line.strip_prefix("digest ")).map(str::to_owned).collect()
}

#[test]
fn same_seed_same_bytes() {
    let here = on_one_thread();
    if std::env::var_os(PRINT).is_some() {
        // The test harness prints onto the same line as the first of them.
        println!();
        here.iter().for_each(|digest| println!("digest {digest}"));
        return;
    }
    assert_eq!(here.len(), SCENARIOS.len() * SEEDS.count());
    assert_eq!(differences(&here, &on_four_threads()), Vec::<String>::new(), "on four threads at once");
    assert_eq!(differences(&here, &in_another_process()), Vec::<String>::new(), "in another process");
}

fn differences(left: &[String], right: &[String]) -> Vec<String> {
    assert_eq!(left.len(), right.len());
    let names = SCENARIOS.iter().flat_map(|name| SEEDS.map(move |seed| format!("{name} seed {seed}")));
    names
        .zip(left.iter().zip(right))
        .filter(|(_, (left, right))| left != right)
        .map(|(name, _)| name)
        .collect()
}

#[test]
fn another_seed_gives_other_bytes() {
    let plan = super::scenario("happy/host-candidates");
    let mut digests = digests_of(&plan, 1..=10);
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), 10);
}
