//! How a baseline comes to expect something else.

use super::place::{Fake, Place};
use crate::said::check;

const BASELINE: &str = "benches/baselines/virtual.json";

fn place() -> Place {
    let place = Place::expecting(&Fake::of("virtual", &[("a#x", "1000"), ("b#x", "20")]));
    place.worker("worker", &Fake::of("virtual", &[("a#x", "1100"), ("b#x", "$$"), ("c#x", "5")]));
    check(&place.gate(&["--tier", "virtual"]), 3, "REGRESSION");
    place
}

#[test]
fn only_what_is_named_is_taken_and_the_reason_stands_beside_it() {
    let place = place();
    check(&place.accept(&["a#x", "c*"], "waits for the relay"), 0, "a#x: 1000 us → 1100 us");
    let text = place.read(BASELINE);
    assert!(text.contains(r#""a#x": {"unit":"us","better":"lower","value":1100}"#), "{text}");
    assert!(text.contains(r#""b#x": {"unit":"us","better":"lower","value":20}"#), "{text}");
    assert!(
        text.contains(r#"{"id":"a#x","entry":{"from":{"single":1000},"to":{"single":1100},"date":""#),
        "{text}"
    );
    assert!(text.contains(r#""reason":"waits for the relay""#), "{text}");
    assert_eq!(place.gate(&["--tier", "virtual", "--filter", "[ac]*", "--filter", "a#x"]).code, Some(0));
}

#[test]
fn what_is_not_certain_is_refused_and_then_nothing_is_written() {
    let place = place();
    let before = place.read(BASELINE);
    check(&place.accept(&["*"], "all of it"), 2, "`b#x` cannot be accepted: NONDETERMINISTIC");
    check(&place.accept(&["a#y"], "a slip"), 2, "did you mean `a#x`?");
    check(&place.accept(&["a#x"], " "), 2, "say why");
    check(&place.accept(&["a#x", "--report", "none.json"], "no report"), 2, "run `cargo xtask gate` first");
    assert_eq!(place.read(BASELINE), before);
}

#[test]
fn what_is_as_expected_needs_no_acceptance() {
    let place = Place::expecting(&Fake::of("virtual", &[("a#x", "1000")]));
    check(&place.gate(&["--tier", "virtual"]), 0, "passed");
    check(&place.accept(&["*"], "again"), 2, "nothing to accept");
}

#[test]
fn what_vanished_can_be_given_up() {
    let place = Place::expecting(&Fake::of("virtual", &[("a#x", "1000"), ("b#x", "20")]));
    place.worker("worker", &Fake::of("virtual", &[("a#x", "1000")]));
    check(&place.gate(&["--tier", "virtual"]), 3, "VANISHED");
    check(&place.accept(&["b#x"], "no longer of interest"), 0, "b#x: 20 us → –");
    check(&place.gate(&["--tier", "virtual"]), 0, "passed: 1 virtual");
}

#[test]
fn other_conditions_are_accepted_for_all_metrics_or_none() {
    let place = Place::expecting(&Fake::of("virtual", &[("a#x", "1000"), ("b#x", "20")]));
    place.program(
        "worker",
        &place.read("worker").replace(r#""ticks":"1""#, r#""ticks":"2""#).replace("1000", "999"),
    );
    check(&place.gate(&["--tier", "virtual"]), 5, "STALE");
    check(&place.accept(&["a#x"], "finer ticks"), 2, "all of it must be accepted at once");
    check(&place.accept(&["*"], "finer ticks"), 0, "a#x: 1000 us → 999 us");
    check(&place.gate(&["--tier", "virtual"]), 0, "under conditions that the change replaces");
}
