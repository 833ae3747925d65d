//! What differs from the pins is told, and how.

use conformance::{Pin, PinError, Pins, Played, Side, Surprise, Verdict, judge, rows};

/// A row that was not really played.
fn played(bare: Verdict, engine: Verdict) -> Played {
    let row = rows().into_iter().next().expect("the table has rows");
    Played { row, bare: Ok(bare), engine: Ok(engine), digests: [None, None] }
}

fn deviates(found: &str) -> Verdict {
    Verdict::Deviates(found.to_owned())
}

fn pins(deviations: &[(Side, &str)]) -> Pins {
    let pin = |(side, found): &(Side, &str)| Pin {
        id: rows()[0].id.clone(),
        side: *side,
        found: (*found).to_owned(),
        because: (*side == Side::Engine).then(|| "it has a reason".to_owned()),
    };
    Pins { webrtc: "0.21.1".to_owned(), deviations: deviations.iter().map(pin).collect() }
}

#[track_caller]
fn check(played: Played, pins: &Pins, expect: &[&str]) {
    let told: Vec<String> = judge(&[played], &rows(), pins).iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), expect.len(), "{told:#?}");
    for (told, expect) in told.iter().zip(expect) {
        assert!(told.contains(expect), "`{told}` does not say `{expect}`");
    }
}

#[test]
fn what_is_as_pinned_is_no_surprise() {
    let known = pins(&[(Side::Bare, "this"), (Side::Engine, "that")]);
    check(played(deviates("this"), deviates("that")), &known, &[]);
    check(played(Verdict::Pass, Verdict::NotApplicable("why")), &pins(&[]), &[]);
}

#[test]
fn an_upstream_fix_is_a_failure_that_says_so() {
    let known = pins(&[(Side::Bare, "this")]);
    let id = &rows()[0].id;
    let says = format!("upstream fixed `{id}` (it was: this): remove the pin");
    check(played(Verdict::Pass, Verdict::Pass), &known, &[&says]);
}

#[test]
fn new_and_changed_deviations_are_failures_on_either_side() {
    check(played(deviates("this"), Verdict::Pass), &pins(&[]), &["bare webrtc deviates"]);
    check(played(Verdict::Pass, deviates("this")), &pins(&[]), &["the engine deviates"]);
    let known = pins(&[(Side::Bare, "this"), (Side::Engine, "that")]);
    let changed = played(deviates("other"), deviates("that"));
    check(changed, &known, &["in another way: other (pinned: this)"]);
}

#[test]
fn the_engine_that_is_repaired_is_told_apart_from_upstream() {
    let known = pins(&[(Side::Engine, "that")]);
    check(played(Verdict::Pass, Verdict::Pass), &known, &["the engine no longer deviates"]);
    let not_tried = played(Verdict::Pass, Verdict::NotApplicable("why"));
    check(not_tried, &known, &["which no row tries on the engine"]);
}

#[test]
fn a_pin_without_a_row_is_a_failure_even_if_little_was_played() {
    let mut known = pins(&[(Side::Bare, "this")]);
    known.deviations[0].id = "no-such-row".to_owned();
    let surprises = judge(&[], &rows(), &known);
    assert_eq!(surprises, [Surprise::Unknown(known.deviations[0].clone())]);
    assert_eq!(judge(&[], &rows(), &pins(&[(Side::Bare, "this")])), [], "its row was not played");
}

#[test]
fn pins_are_written_as_they_are_read_and_keep_their_reasons() {
    let known = pins(&[(Side::Bare, "this"), (Side::Engine, "that")]);
    let renewed = known.renewed(&[played(deviates("other \"words\""), deviates("that"))], &rows());
    assert_eq!(renewed.reason(&rows()[0].id), Some("it has a reason"));
    assert_eq!(Pins::from_toml(&renewed.to_toml()).unwrap(), renewed);
    assert_eq!(known.renewed(&[played(Verdict::Pass, Verdict::Pass)], &rows()).deviations, []);
    assert_eq!(known.renewed(&[], &rows()), known, "nothing was played");
}

#[test]
fn pins_that_contradict_themselves_are_refused() {
    let text = |pins: &Pins| pins.to_toml();
    let twice = pins(&[(Side::Bare, "this"), (Side::Bare, "that")]);
    assert!(matches!(Pins::from_toml(&text(&twice)), Err(PinError::Twice { .. })));
    let mut without = pins(&[(Side::Engine, "that")]);
    without.deviations[0].because = None;
    assert!(matches!(Pins::from_toml(&text(&without)), Err(PinError::Because { .. })));
    let error =
        Pins::from_toml("webrtc = \"0.21.1\"\n[[deviation]]\nname = \"x\"\n").unwrap_err().to_string();
    assert!(error.contains("line 3") && error.contains("name"), "{error}");
}
