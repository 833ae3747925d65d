//! Whoever is connected again is heard again: the media of a call whose network changes, fails or loses its relay. How long
//! that takes is pinned (`scenarios/pins.json`, `docs/recovery.md`).

use std::time::Duration;

use scenario::{metrics::recoveries, record::RunRecord, run::Player};
use timeline::{Event, MediaChange};

/// How long after both connections are connected again the last side hears the other, at most.
const MEDIA_FOLLOWS_WITHIN: Duration = Duration::from_millis(150);

#[track_caller]
fn check(name: &str) {
    let plan = super::scenario(name);
    for seed in 1..=10 {
        media_follows(&Player::new(&plan).seed(seed).play().expect("the scenario plays"));
    }
}

/// When the connections of both sides are connected again, both hear each other.
#[track_caller]
fn media_follows(record: &RunRecord) {
    let resumed = |event: &Event| matches!(event, Event::Media { change: MediaChange::Resumed, .. });
    let heard = record.timeline.entries.iter().rfind(|entry| resumed(&entry.event));
    let heard = heard.expect("media pauses, and is heard again").at;
    let again = recoveries(record).iter().map(|recovery| recovery.to).max().expect("something was lost");
    let seed = record.seed;
    assert!(heard.since(again) <= MEDIA_FOLLOWS_WITHIN, "seed {seed}: again at {again}, heard at {heard}");
}

#[test]
fn after_a_change_of_network() {
    check("recovery/wifi-to-lte-with-gap");
}

#[test]
fn after_ten_seconds_without_network() {
    check("recovery/blackout-10s");
}

#[test]
fn after_the_reboot_of_a_relay() {
    check("recovery/turn-reboot-in-mid-call");
}
