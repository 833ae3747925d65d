use gate::{
    Case, Evidence, Mode, Report, Settings,
    exact::VirtualEvidence,
    instructions::Counts,
    metric::Tier,
    report::{MAX_ANNOTATIONS, annotations, junit, step_summary, table},
    value::Value,
    wall::Role,
};
use proptest::prelude::*;

use crate::{
    cases::{by_seed, epochs, instruction_case, metric, percent, ramp, run, virtual_case, wall_case},
    recompute::reports,
};

fn virtual_of(name: &str, base: u64, new: u64) -> Case {
    virtual_case(metric(name, Tier::Virtual), Some(Value::Single(base)), Value::Single(new))
}

/// One of most verdicts.
fn cases() -> Vec<Case> {
    let mut slower = ramp();
    slower[150..].fill(Some(2000));
    let runs = Some([run(Value::Single(7)), run(Value::Single(8))]);
    let torn = VirtualEvidence { base: Some(Value::Single(7)), runs, stale: None, failed: None };
    let instructions = |name: &str| metric(name, Tier::Instructions);
    vec![
        virtual_of("happy/host#connected", 48_300, 48_300),
        virtual_of("happy/host#packets", 61, 61),
        virtual_of("happy/relay#connected", 100_000, 101_500),
        virtual_of("happy/ring#connected", 100_000, 99_000),
        virtual_case(metric("loss/burst#connected", Tier::Virtual), Some(by_seed(ramp())), by_seed(slower)),
        virtual_case(metric("glare/both#connected", Tier::Virtual), None, Value::Single(5)),
        Case { metric: metric("race/two#connected", Tier::Virtual), evidence: Evidence::Virtual(torn) },
        instruction_case(instructions("sdp/parse#instructions"), Some(1_000_000), Some(Counts::ToolMissing)),
        instruction_case(instructions("wire/route#instructions"), Some(9), None),
        wall_case("call/happy#wall", Role::Metric, epochs(20, 0), vec![]),
        wall_case("call/idle#wall", Role::Metric, epochs(20, 40), epochs(20, 40)),
        wall_case("control/same#wall", Role::ControlSame, epochs(20, 0), vec![]),
        wall_case("control/slowed#wall", Role::ControlSlowed(percent(5.0)), epochs(20, 50), vec![]),
    ]
}

fn report(mode: Mode) -> Report {
    let notes = vec!["compared with v0.1.0 (merge base 1a2b3c4)".to_owned()];
    Report::new(cases(), Settings::new(mode, 1), notes)
}

#[test]
fn the_table_has_the_worst_first_and_passes_folded() {
    insta::assert_snapshot!(table(&report(Mode::Change), 140));
}

#[test]
fn junit_has_a_suite_per_tier() {
    let xml = junit(&report(Mode::Release)).unwrap();
    insta::assert_snapshot!(xml);
}

#[test]
fn annotations_name_what_fails_and_warn_of_what_is_not_gated() {
    insta::assert_snapshot!(annotations(&report(Mode::Change)));
}

#[test]
fn the_step_summary_is_a_markdown_table() {
    insta::assert_snapshot!(step_summary(&report(Mode::Change)));
}

#[test]
fn nothing_in_a_message_ends_an_annotation_or_a_cell() {
    let failed = Counts::ToolFailed("100 %,\r\n::error title=x::y | `z`".to_owned());
    let case = instruction_case(metric("a:b", Tier::Instructions), Some(1), Some(failed));
    let report = Report::new(vec![case], Settings::new(Mode::Change, 1), Vec::new());
    let text = annotations(&report);
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.starts_with("::error title=TOOL FAILED%3A a%3Ab::"), "{text}");
    assert!(text.trim_end().ends_with("100 %25,%0D%0A::error title=x::y | `z`"), "{text}");
    let summary = step_summary(&report);
    assert!(summary.contains("100 %,  ::error title=x::y \\| \\`z\\` |"), "{summary}");
}

#[test]
fn a_gate_that_fails_without_a_metric_that_does_so_says_why() {
    let told = |cases, mode| {
        let notes = vec!["a machine".to_owned(), "virtual: 0 % of it, no baseline yet".to_owned()];
        annotations(&Report::new(cases, Settings::new(mode, 1), notes))
    };
    let nothing = "::error title=Gate::NOTHING COMPARED, or a baseline is missing or stale: `gate accept` makes one \
                   (exit 5)%0Aa machine%0Avirtual: 0 %25 of it, no baseline yet\n";
    assert_eq!(told(Vec::new(), Mode::Change), nothing);
    let new = || virtual_case(metric("m", Tier::Virtual), None, Value::Single(5));
    let both = told(vec![new()], Mode::Change);
    assert!(both.starts_with(nothing) && both.contains("\n::warning title=new%3A m::"), "{both}");
    // For a release the metric itself is what fails.
    assert!(told(vec![new()], Mode::Release).starts_with("::error title=new%3A m::"));
    assert_eq!(told(vec![virtual_of("m", 10, 10)], Mode::Change), "");
}

#[test]
fn no_more_annotations_than_are_shown() {
    let many = |count: usize| {
        let cases = (0..count).map(|n| virtual_of(&format!("m{n:03}"), 10, 11)).collect();
        annotations(&Report::new(cases, Settings::new(Mode::Change, 1), Vec::new())).lines().count()
    };
    assert_eq!((many(MAX_ANNOTATIONS), many(MAX_ANNOTATIONS + 1)), (MAX_ANNOTATIONS, MAX_ANNOTATIONS));
}

#[test]
fn a_regression_is_a_failure_noise_an_error_and_a_missing_tool_skipped() {
    let counts = |mode| {
        let xml = junit(&report(mode)).unwrap();
        ["<failure", "<error", "<skipped"].map(|tag| xml.matches(tag).count())
    };
    // Failures: two regressions, a lossy one, one of wall time, an improvement, a vanished one.
    assert_eq!(counts(Mode::Change), [5, 1, 2]);
    assert_eq!(counts(Mode::Release), [5, 3, 0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_report_can_be_told(report in reports()) {
        let text = table(&report, 100);
        let ending = format!("(exit {})", report.exit_code);
        prop_assert!(text.trim_end().ends_with(&ending), "{}", text);
        prop_assert!(quick_junit::Report::deserialize_from_str(&junit(&report).unwrap()).is_ok());
        prop_assert!(annotations(&report).lines().all(|line| line.starts_with("::")));
        prop_assert!(step_summary(&report).starts_with("### Gate: "));
    }
}
