use gate::{
    Case, Evidence, Finding, Verdict,
    exact::{VirtualEvidence, VirtualRun},
    judge,
    metric::{Better, Budget, Metric, Tier},
    value::{Distribution, Value},
};

use crate::cases::{budgeted, by_seed, metric, percent, ramp, run, settings, virtual_case};

fn plain() -> Metric {
    metric("happy/host#connected", Tier::Virtual)
}

#[track_caller]
fn check(case: Case, expect: Verdict) -> Finding {
    let finding = judge(&[case], &settings()).remove(0);
    assert_eq!(finding.verdict, expect, "{finding:?}");
    finding
}

#[track_caller]
fn check_single(metric: Metric, base: u64, new: u64, expect: Verdict) {
    check(virtual_case(metric, Some(Value::Single(base)), Value::Single(new)), expect);
}

#[test]
fn any_difference_fails_better_or_worse() {
    check_single(plain(), 48_300, 48_300, Verdict::Pass);
    check_single(plain(), 48_300, 48_301, Verdict::Regression);
    check_single(plain(), 48_300, 48_299, Verdict::ImprovedNotAccepted);
    check_single(plain(), 0, 1, Verdict::Regression);
    let rate = Metric { better: Better::Higher, ..plain() };
    check_single(rate.clone(), 100, 99, Verdict::Regression);
    check_single(rate, 100, 101, Verdict::ImprovedNotAccepted);
}

#[test]
fn a_budget_tolerates_change_up_to_itself_in_both_directions() {
    check_single(budgeted(plain(), 2.0), 1000, 1020, Verdict::Pass);
    check_single(budgeted(plain(), 2.0), 1000, 1021, Verdict::Regression);
    check_single(budgeted(plain(), 2.0), 1000, 980, Verdict::Pass);
    check_single(budgeted(plain(), 2.0), 1000, 979, Verdict::ImprovedNotAccepted);
}

fn case(base: Option<Value>, runs: Option<[VirtualRun; 2]>) -> Case {
    Case {
        metric: plain(),
        evidence: Evidence::Virtual(VirtualEvidence { base, runs, stale: None, failed: None }),
    }
}

#[test]
fn two_runs_that_differ_are_nondeterministic_and_never_a_regression() {
    let base = || Some(Value::Single(1000));
    let differ = Some([run(Value::Single(1000)), run(Value::Single(5000))]);
    let finding = check(case(base(), differ.clone()), Verdict::Nondeterministic);
    assert_eq!(finding.message, "two runs of the same thing gave 1000 and 5000");
    // Not even new.
    check(case(None, differ), Verdict::Nondeterministic);
    let digest = |digest: &str| VirtualRun { digest: Some(digest.to_owned()), ..run(Value::Single(1000)) };
    check(case(base(), Some([digest("a"), digest("b")])), Verdict::Nondeterministic);
    check(case(base(), Some([digest("a"), digest("a")])), Verdict::Pass);
}

#[test]
fn the_seeds_in_which_two_runs_differ_are_named() {
    let mut other = ramp();
    other[6] = None;
    let runs = Some([run(by_seed(ramp())), run(by_seed(other))]);
    let finding = check(case(Some(by_seed(ramp())), runs), Verdict::Nondeterministic);
    assert_eq!(finding.message, "two runs of the same thing differ: 1 of 200 seeds changed: 7");
}

#[test]
fn what_is_not_measured_vanished_and_what_is_not_expected_is_new() {
    check(case(Some(Value::Single(1)), None), Verdict::Vanished);
    check(case(None, Some([run(Value::Single(1)), run(Value::Single(1))])), Verdict::New);
}

/// The p95 of 200 seeds is the outcome at rank 190, the p50 the one at rank 100.
fn changed(change: impl FnOnce(&mut Vec<Option<u64>>)) -> Case {
    let mut outcomes = ramp();
    change(&mut outcomes);
    let lossy = Metric { budget: Some(Budget::of(percent(2.0)).max_more_failures(1)), ..plain() };
    virtual_case(lossy, Some(by_seed(ramp())), by_seed(outcomes))
}

#[test]
fn seeds_that_change_within_the_budget_pass_and_are_named() {
    let finding = check(changed(|outcomes| outcomes[3] = Some(1007)), Verdict::Pass);
    assert_eq!(finding.message, "1 of 200 seeds changed: 4");
    let finding = check(changed(|_| ()), Verdict::Pass);
    assert_eq!(finding.message, "none of 200 seeds changed");
}

#[test]
fn a_tail_that_grows_beyond_the_budget_regresses_at_the_p95_alone() {
    // 1189 + 2 % = 1212.78.
    let tail = |value: u64| changed(move |outcomes| outcomes[185..].fill(Some(value)));
    check(tail(1212), Verdict::Pass);
    let finding = check(tail(1213), Verdict::Regression);
    assert!(
        finding.message.starts_with("p95 1189 → 1213, 15 of 200 seeds changed: 186,"),
        "{}",
        finding.message
    );
    assert_eq!((finding.base, finding.new), (Some(1189), Some(1213)));
}

#[test]
fn a_shift_of_all_seeds_regresses_at_the_p50() {
    let shifted = changed(|outcomes| outcomes.iter_mut().flatten().for_each(|outcome| *outcome += 22));
    // p50: 1099 + 22 is 2.002 % more; p95: 1189 + 22 is 1.85 % more.
    let finding = check(shifted, Verdict::Regression);
    assert!(finding.message.starts_with("p50 1099 → 1121, 200 of 200"), "{}", finding.message);
}

#[test]
fn more_failures_than_the_budget_regress_and_fewer_are_accepted_first() {
    check(changed(|outcomes| outcomes[50] = None), Verdict::Pass);
    let finding = check(changed(|outcomes| outcomes[50..52].fill(None)), Verdict::Regression);
    assert!(finding.message.starts_with("failures 0 → 2"), "{}", finding.message);
    let mut failing = ramp();
    failing[50..52].fill(None);
    let recovered = virtual_case(plain(), Some(by_seed(failing.clone())), by_seed(ramp()));
    check(recovered, Verdict::ImprovedNotAccepted);
    let all = virtual_case(plain(), Some(by_seed(failing)), by_seed(vec![None; 200]));
    check(all, Verdict::Regression);
}

#[test]
fn other_seeds_or_another_kind_of_value_are_stale() {
    let from_two = Value::BySeed(Distribution::new(2, ramp()).unwrap());
    check(virtual_case(plain(), Some(by_seed(ramp())), from_two), Verdict::Stale);
    check(virtual_case(plain(), Some(Value::Single(1)), by_seed(ramp())), Verdict::Stale);
}
