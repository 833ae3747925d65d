//! How long a call is without a connection when its network changes, fails or loses its relay: the figures of
//! `docs/recovery.md`.
//!
//! `cargo test -p callsim-scenario --test it recovery_times -- --nocapture` prints them; so does
//! `cargo xtask scenarios recovery --seeds 40`.

use std::time::Duration;

use scenario::{
    metrics::{longest_recovery, percentile, recoveries},
    record::RunRecord,
    run::Player,
};
use timeline::{Event, MediaChange};

/// How many seeds are played.
const SEEDS: u64 = 40;

/// How long after both connections stand again the last side hears the other, at most.
const MEDIA_FOLLOWS_WITHIN: Duration = Duration::from_millis(150);

#[track_caller]
fn check(name: &str, p50_at_most: Duration, p95_at_most: Duration) {
    let plan = super::scenario(name);
    let mut times: Vec<Duration> = (1..=SEEDS)
        .map(|seed| {
            let record = Player::new(&plan).seed(seed).play().expect("the scenario plays");
            media_follows(&record);
            longest_recovery(&record).expect("a connection is lost and stands again")
        })
        .collect();
    times.sort_unstable();
    let [p50, p95] = [50, 95].map(|percent| percentile(&times, percent).expect("seeds were played"));
    println!("{name}: p50 {} ms, p95 {} ms over {SEEDS} seeds", p50.as_millis(), p95.as_millis());
    assert!(p50 <= p50_at_most && p95 <= p95_at_most, "{name}: p50 {p50:?}, p95 {p95:?}");
}

/// When the connections of both sides stand again, both hear each other.
#[track_caller]
fn media_follows(record: &RunRecord) {
    let resumed = |event: &Event| matches!(event, Event::Media { change: MediaChange::Resumed, .. });
    let heard = record.timeline.entries.iter().rfind(|entry| resumed(&entry.event));
    let heard = heard.expect("media pauses, and is heard again").at;
    let stands = recoveries(record).iter().map(|recovery| recovery.to).max().expect("something was lost");
    let seed = record.seed;
    assert!(heard.since(stands) <= MEDIA_FOLLOWS_WITHIN, "seed {seed}: stands at {stands}, heard at {heard}");
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
