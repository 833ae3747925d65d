use std::collections::BTreeMap;

use gate::{
    Report, Verdict,
    baseline::{Baseline, Expected, Fingerprint, Reference},
    compare::{MeasuredCounts, MeasuredRuns, NotMeasured, instruction_cases, virtual_cases, wall_subjects},
    instructions::Counts,
    metric::{Budget, Metric, Tier, Unit},
    value::Value,
    wall::Presence,
};

use crate::cases::{expected, id, metric, percent, run, settings};

fn fingerprint(rustc: &str) -> Fingerprint {
    Fingerprint::from([("rustc".to_owned(), rustc.to_owned())])
}

fn reference(metrics: &[(&str, Expected)]) -> Reference {
    let mut baseline = Baseline::new(Tier::Virtual, fingerprint("1.95.0"));
    baseline.metrics = metrics.iter().map(|(name, expected)| (id(name), expected.clone())).collect();
    Reference::of(&baseline)
}

fn measured(values: &[(&str, u64)]) -> MeasuredRuns {
    let run = |value| run(Value::Single(value));
    let entry = |&(name, value): &(&str, u64)| {
        (id(name), (metric(name, Tier::Virtual), Ok([run(value), run(value)])))
    };
    values.iter().map(entry).collect()
}

#[track_caller]
fn check(
    reference: Option<&Reference>,
    rustc: &str,
    measured: &MeasuredRuns,
    expect: &[(&str, Verdict)],
    code: u8,
) {
    let cases = virtual_cases(reference, &fingerprint(rustc), measured);
    let report = Report::new(cases, settings(), Vec::new());
    let rows: Vec<(&str, Verdict)> =
        report.rows.iter().map(|row| (row.case.metric.id.as_str(), row.finding.verdict)).collect();
    assert_eq!(rows, expect);
    assert_eq!(report.exit_code, code);
}

fn number(value: u64) -> Expected {
    expected(Value::Single(value))
}

#[test]
fn every_id_of_either_side_is_judged() {
    let reference = reference(&[("gone", number(1)), ("same", number(2)), ("worse", number(3))]);
    let measured = measured(&[("new", 9), ("same", 2), ("worse", 4)]);
    let expect = [
        ("gone", Verdict::Vanished),
        ("new", Verdict::New),
        ("same", Verdict::Pass),
        ("worse", Verdict::Regression),
    ];
    check(Some(&reference), "1.95.0", &measured, &expect, 3);
}

#[test]
fn without_a_baseline_or_without_a_measurement_nothing_passes() {
    check(None, "1.95.0", &measured(&[("a", 1)]), &[("a", Verdict::New)], 5);
    check(None, "1.95.0", &BTreeMap::new(), &[], 5);
    check(Some(&reference(&[])), "1.95.0", &BTreeMap::new(), &[], 5);
    let expecting = reference(&[("a", number(1))]);
    check(Some(&expecting), "1.95.0", &BTreeMap::new(), &[("a", Verdict::Vanished)], 3);
}

#[test]
fn numbers_of_other_conditions_are_not_compared() {
    let reference = reference(&[("a", number(1))]);
    check(Some(&reference), "1.96.0", &measured(&[("a", 2)]), &[("a", Verdict::Stale)], 5);
    let cases = virtual_cases(Some(&reference), &fingerprint("1.96.0"), &measured(&[("a", 2)]));
    let report = Report::new(cases, settings(), Vec::new());
    let message = &report.rows[0].finding.message;
    assert!(message.contains("rustc `1.95.0`, now it is `1.96.0`"), "{message}");
}

#[test]
fn a_metric_whose_unit_changed_is_stale() {
    let reference = reference(&[("a", Expected { unit: Unit::Milliseconds, ..number(1) })]);
    check(Some(&reference), "1.95.0", &measured(&[("a", 1)]), &[("a", Verdict::Stale)], 5);
}

#[test]
fn the_budget_is_that_of_the_baseline_and_not_that_of_the_change() {
    let mut measured = measured(&[("a", 110)]);
    measured.get_mut(&id("a")).unwrap().0.budget = Some(Budget::of(percent(50.0)));
    check(Some(&reference(&[("a", number(100))])), "1.95.0", &measured, &[("a", Verdict::Regression)], 3);
    let generous = Expected { budget: Some(Budget::of(percent(50.0))), ..number(100) };
    check(Some(&reference(&[("a", generous)])), "1.95.0", &measured, &[("a", Verdict::Pass)], 0);
}

#[test]
fn instruction_counts_meet_their_baseline() {
    let expected = Expected { unit: Unit::Instructions, ..number(1_000_000) };
    let reference = reference(&[("a", expected.clone()), ("gone", expected)]);
    let counted =
        |name: &str, count| (id(name), (metric(name, Tier::Instructions), Counts::Counted(vec![count; 4])));
    let measured = MeasuredCounts::from([counted("a", 1_100_000), counted("new", 5)]);
    let cases = instruction_cases(Some(&reference), &fingerprint("1.95.0"), &measured);
    let report = Report::new(cases, settings(), Vec::new());
    let verdicts: Vec<Verdict> = report.rows.iter().map(|row| row.finding.verdict).collect();
    assert_eq!(verdicts, [Verdict::Regression, Verdict::Vanished, Verdict::New]);
}

#[test]
fn wall_subjects_are_what_either_program_can_measure() {
    let list =
        |names: &[&str]| -> Vec<Metric> { names.iter().map(|name| metric(name, Tier::Wall)).collect() };
    let mut new = list(&["both", "fresh"]);
    new.push(metric("not-wall", Tier::Virtual));
    let subjects = wall_subjects(&list(&["both", "gone"]), &new);
    let found: Vec<(&str, Presence)> =
        subjects.iter().map(|subject| (subject.metric.id.as_str(), subject.evidence.presence)).collect();
    let expect = [("both", Presence::Both), ("fresh", Presence::NewOnly), ("gone", Presence::BaseOnly)];
    assert_eq!(found, expect);
}

#[test]
fn a_metric_that_the_worker_cannot_measure_is_a_failed_tool_and_not_a_vanished_one() {
    let reference = reference(&[("a", number(1))]);
    let failed: MeasuredRuns =
        [(id("a"), (metric("a", Tier::Virtual), Err(NotMeasured("no such link".to_owned()))))]
            .into_iter()
            .collect();
    check(Some(&reference), "1.95.0", &failed, &[("a", Verdict::ToolFailed)], 1);
}
