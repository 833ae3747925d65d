use gate::{
    Finding, Mode, Outcome, Verdict,
    instructions::Counts,
    judge,
    metric::{Metric, Tier},
};

use crate::cases::{budgeted, instruction_case, metric, settings};

fn plain() -> Metric {
    metric("sdp/parse#instructions", Tier::Instructions)
}

#[track_caller]
fn check(metric: Metric, base: Option<u64>, measured: Counts, expect: Verdict) -> Finding {
    let case = instruction_case(metric, base, Some(measured));
    let finding = judge(&[case], &settings()).remove(0);
    assert_eq!(finding.verdict, expect, "{finding:?}");
    finding
}

fn repeated(count: u64) -> Counts {
    Counts::Counted(vec![count; 10])
}

#[test]
fn counts_within_the_tolerance_pass_and_one_instruction_more_regresses() {
    check(plain(), Some(1_000_000), repeated(1_005_000), Verdict::Pass);
    check(plain(), Some(1_000_000), repeated(1_005_001), Verdict::Regression);
    check(plain(), Some(1_000_000), repeated(995_000), Verdict::Pass);
    check(plain(), Some(1_000_000), repeated(994_999), Verdict::Improved);
}

#[test]
fn a_budget_takes_the_place_of_the_tolerance() {
    check(budgeted(plain(), 0.0), Some(1_000_000), repeated(1_000_001), Verdict::Regression);
    check(budgeted(plain(), 3.0), Some(1_000_000), repeated(1_030_000), Verdict::Pass);
}

#[test]
fn counts_of_the_same_thing_that_scatter_widen_the_tolerance_up_to_unfit() {
    // Deviations 0, 0, 0.6 %, 0.6 %: Q3 + 3·IQR = 2.4 %, beyond what the tier may have.
    let scattered = |by: u64| Counts::Counted(vec![1_000_000, 1_000_000, 1_000_000 - by, 1_000_000 + by]);
    let finding = check(plain(), Some(1_000_000), scattered(6_000), Verdict::Unfit);
    assert!(finding.message.contains("hash seeds"), "{}", finding.message);
    // 1.2 %: tolerance of that size, where 0.5 % would have failed.
    let moved = Counts::Counted(vec![1_010_000, 1_010_000, 1_007_000, 1_013_000]);
    check(plain(), Some(1_000_000), moved, Verdict::Pass);
    check(plain(), Some(1_000_000), repeated(1_010_000), Verdict::Regression);
}

#[test]
fn one_odd_count_does_not_move_the_median() {
    let mut counts = vec![1_000_000; 10];
    counts[4] = 1_900_000;
    check(plain(), Some(1_000_000), Counts::Counted(counts), Verdict::Pass);
}

#[test]
fn no_instructions_are_a_failed_tool_and_no_pass() {
    check(plain(), Some(1_000_000), Counts::Counted(vec![]), Verdict::ToolFailed);
    check(plain(), Some(1_000_000), Counts::Counted(vec![1_000_000, 0]), Verdict::ToolFailed);
    check(plain(), Some(1_000_000), Counts::ToolFailed("exit 139".to_owned()), Verdict::ToolFailed);
    check(plain(), Some(0), repeated(1), Verdict::Stale);
}

#[test]
fn a_missing_valgrind_is_skipped_in_a_change_and_an_error_in_a_release() {
    let finding = check(plain(), Some(1_000_000), Counts::ToolMissing, Verdict::ToolMissing);
    assert_eq!(finding.verdict.outcome(Mode::Change), Outcome::Passed);
    assert_eq!(finding.verdict.outcome(Mode::Release), Outcome::ToolFailed);
}

#[test]
fn new_and_vanished_are_told_apart() {
    check(plain(), None, repeated(5), Verdict::New);
    let vanished = judge(&[instruction_case(plain(), Some(5), None)], &settings());
    assert_eq!(vanished[0].verdict, Verdict::Vanished);
}
