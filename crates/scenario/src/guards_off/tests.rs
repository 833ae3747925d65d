use std::num::NonZeroUsize;

use timeline::EndReason;

use super::*;
use crate::{
    suite::{self, Broken, Cancel, Keep, Options, Seeds},
    testing::{Sketch, plan},
};

/// A scenario about the first guard, whose runs fail `outcome` or break as `play` says of each seed.
fn judged(fails: &str, coverage: Coverage, play: fn(u64) -> Result<Sketch, Broken>) -> GuardsOff {
    let expect =
        format!("outcome = \"connected\"\n[guard]\noff = \"hold_early_candidates\"\nfails = [\"{fails}\"]");
    let plans = [plan(&expect)];
    let options = Options { seeds: Seeds::Count(4), jobs: NonZeroUsize::MIN, keep: Keep::Nothing };
    let result =
        suite::run(&plans, &options, &Cancel::new(), |_, seed| play(seed).map(Sketch::record), |_| {});
    GuardsOff::new(&plans, &result, coverage)
}

fn well(_: u64) -> Result<Sketch, Broken> {
    Ok(Sketch::connected())
}

fn every_other_is_busy(seed: u64) -> Result<Sketch, Broken> {
    Ok(if seed.is_multiple_of(2) { Sketch::never_connected(EndReason::Busy) } else { Sketch::connected() })
}

fn breaks(_: u64) -> Result<Sketch, Broken> {
    Err(Broken::NotPlayed("no world".to_owned()))
}

#[test]
fn a_guard_is_caught_by_a_check_that_its_scenario_names() {
    let found = judged("outcome", Coverage::Played, every_other_is_busy);
    let [row] = found.rows.as_slice() else { panic!("{found:?}") };
    assert!(found.passed && row.caught);
    assert_eq!((row.runs, row.caught_runs, row.by.iter().copied().collect()), (4, 2, vec!["outcome"]));
}

#[test]
fn a_failure_that_the_scenario_does_not_name_catches_nothing() {
    let found = judged("milestone", Coverage::Played, every_other_is_busy);
    assert!(!found.passed && found.rows[0].by.is_empty());
}

#[test]
fn runs_that_pass_or_break_catch_nothing() {
    assert!(!judged("outcome", Coverage::Played, well).passed);
    let broken = judged("outcome", Coverage::Played, breaks);
    assert_eq!((broken.passed, broken.rows[0].broken_runs), (false, 4));
}

#[test]
fn a_guard_without_a_scenario_is_not_caught() {
    let found = judged("outcome", Coverage::EveryGuard, every_other_is_busy);
    assert_eq!((found.rows.len(), found.caught(), found.passed), (Guards::NAMES.len(), 1, false));
    assert_eq!((found.rows[2].scenario.as_ref(), found.rows[2].out_of_reach), (None, None));
}

#[test]
fn no_guard_is_out_of_reach() {
    let found = judged("outcome", Coverage::EveryGuard, every_other_is_busy);
    assert_eq!((OUT_OF_REACH.len(), found.out_of_reach()), (0, 0));
}

#[test]
fn the_guard_that_is_off_is_the_one_that_the_scenario_is_about() {
    let plan = plan("[guard]\noff = \"dtls_deadline\"\nfails = \"outcome\"");
    let off = plan.guard_off().expect("it is about a guard");
    let mut expect = Guards::ALL_ON;
    expect.dtls_deadline = false;
    assert_eq!((plan.guards, off.guards), (Guards::ALL_ON, expect));
    assert_eq!(crate::testing::plan("").guard_off(), None);
}

#[test]
fn json_is_the_documented_object() {
    let found = judged("outcome", Coverage::Played, every_other_is_busy);
    insta::assert_snapshot!(found.to_json().expect("JSON"));
}
