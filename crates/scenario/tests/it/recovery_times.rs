//! How long a call is silent when its network changes, fails or loses its relay: the figures of
//! `docs/recovery.md`.
//!
//! `cargo test -p scenario --test it recovery_times -- --nocapture` prints them.

use std::time::Duration;

use scenario::run::play;
use timeline::Event;

/// How many seeds are played.
const SEEDS: u64 = 40;

/// From the first fault of the network until the last side of the two hears the other again, over all seeds.
#[track_caller]
fn check(name: &str, p50_at_most: Duration, p95_at_most: Duration) {
    let plan = super::scenario(name);
    let mut silences: Vec<Duration> = (1..=SEEDS)
        .map(|seed| {
            let record = play(&plan, seed).expect("the scenario plays");
            let entries = &record.timeline.entries;
            let fault = entries.iter().find(|entry| matches!(entry.event, Event::Fault { .. }));
            let fault = fault.expect("the network fails").at;
            let heard = entries
                .iter()
                .rev()
                .find(|entry| matches!(&entry.event, Event::Media { change, .. } if change == "resumed"));
            heard.map_or(Duration::ZERO, |heard| heard.at.since(fault))
        })
        .collect();
    silences.sort_unstable();
    let [p50, p95] = [0.5, 0.95].map(|share| silences[(silences.len() as f64 * share) as usize]);
    println!("{name}: p50 {} ms, p95 {} ms over {SEEDS} seeds", p50.as_millis(), p95.as_millis());
    assert!(!p50.is_zero(), "{name}: media never paused, so that there is nothing to measure");
    assert!(p50 <= p50_at_most && p95 <= p95_at_most, "{name}: p50 {p50:?}, p95 {p95:?}");
}

#[test]
fn a_change_of_network_is_over_in_seconds() {
    check("recovery/wifi-to-lte-with-gap", Duration::from_secs(4), Duration::from_secs(5));
}

#[test]
fn ten_seconds_without_network_are_over_soon_after() {
    check("recovery/blackout-10s", Duration::from_secs(14), Duration::from_secs(15));
}

#[test]
fn a_relay_that_reboots_is_replaced() {
    check("recovery/turn-reboot-in-mid-call", Duration::from_secs(10), Duration::from_secs(12));
}
