use gate::{
    Case, Evidence, Mode, Report, Settings, Verdict,
    exact::{VirtualEvidence, VirtualRun},
    instructions::{Counts, InstructionEvidence},
    metric::{Better, Budget, Metric, MetricId, Percent, Tier, Unit},
    recompute,
    report::ReportError,
    value::{Distribution, Value},
    wall::{Epoch, Presence, Role, WallEvidence},
};
use proptest::{collection::vec, option, prelude::*, sample::select};

use crate::cases::{metric, settings, virtual_case};

fn percents() -> impl Strategy<Value = Percent> {
    (0..100_000i32).prop_map(Percent::from_ppm)
}

fn budgets() -> impl Strategy<Value = Budget> {
    (percents(), 0..100u64, 0..3u64)
        .prop_map(|(max, at_least, failures)| Budget::of(max).at_least(at_least).max_more_failures(failures))
}

fn metrics(tier: Tier) -> impl Strategy<Value = Metric> {
    let better = select(vec![Better::Lower, Better::Higher]);
    ("[a-z]{1,8}/[a-z0-9#.-]{1,8}", select(Unit::ALL.to_vec()), better, option::of(budgets())).prop_map(
        move |(id, unit, better, budget)| Metric {
            id: MetricId::new(id).unwrap(),
            tier,
            unit,
            better,
            budget,
        },
    )
}

fn values() -> impl Strategy<Value = Value> {
    let outcomes = vec(option::weighted(0.9, 900..1100u64), 200..=201);
    prop_oneof![
        4 => (95..105u64).prop_map(Value::Single),
        1 => (0..2u64, outcomes).prop_map(|(first, outcomes)| {
            Value::BySeed(Distribution::new(first, outcomes).unwrap())
        }),
    ]
}

fn virtual_runs() -> impl Strategy<Value = [VirtualRun; 2]> {
    let run = (values(), option::of("[a-f0-9]{2}")).prop_map(|(value, digest)| VirtualRun { value, digest });
    (run, any::<bool>(), values()).prop_map(|(first, same, other)| {
        let second = if same { first.clone() } else { VirtualRun { value: other, digest: None } };
        [first, second]
    })
}

fn virtual_cases() -> impl Strategy<Value = Case> {
    let evidence = (option::of(values()), option::of(virtual_runs()), option::weighted(0.1, ".{0,20}"))
        .prop_map(|(base, runs, stale)| {
            Evidence::Virtual(VirtualEvidence { base, runs, stale, failed: None })
        });
    (metrics(Tier::Virtual), evidence).prop_map(|(metric, evidence)| Case { metric, evidence })
}

fn instruction_cases() -> impl Strategy<Value = Case> {
    let counts = prop_oneof![
        8 => vec(0..3u64, 0..12).prop_map(|counts| {
            Counts::Counted(counts.into_iter().map(|count| 1_000_000 + count * 4000).collect())
        }),
        1 => vec(any::<u64>(), 0..4).prop_map(Counts::Counted),
        1 => Just(Counts::ToolMissing),
        1 => ".{0,20}".prop_map(Counts::ToolFailed),
    ];
    let base = option::of(prop_oneof![9 => 990_000..1_020_000u64, 1 => any::<u64>()]);
    let evidence = (base, option::weighted(0.9, counts), option::weighted(0.1, ".{0,20}")).prop_map(
        |(base, measured, stale)| Evidence::Instructions(InstructionEvidence { base, measured, stale }),
    );
    (metrics(Tier::Instructions), evidence).prop_map(|(metric, evidence)| Case { metric, evidence })
}

/// Epochs around one level, so that some are decided and some are not.
fn epochs() -> impl Strategy<Value = Vec<Epoch>> {
    (980..1080u64, 1..40u64, 0..45usize).prop_flat_map(|(level, scatter, count)| {
        let epoch = vec((1000..1000 + scatter, level..level + scatter), 1..3).prop_map(|pairs| {
            let (base, new) = pairs.into_iter().unzip();
            Epoch::new(base, new).unwrap()
        });
        vec(epoch, count)
    })
}

fn wall_cases() -> impl Strategy<Value = Case> {
    let role = prop_oneof![
        20 => Just(Role::Metric),
        1 => Just(Role::ControlSame),
        1 => percents().prop_map(Role::ControlSlowed),
    ];
    let presence = prop_oneof![
        9 => Just(Presence::Both),
        1 => select(vec![Presence::BaseOnly, Presence::NewOnly, Presence::Failed]),
    ];
    let evidence = (role, presence, epochs(), epochs()).prop_map(|(role, presence, epochs, confirmation)| {
        Evidence::Wall(WallEvidence { role, presence, epochs, confirmation })
    });
    (metrics(Tier::Wall), evidence).prop_map(|(metric, evidence)| Case { metric, evidence })
}

fn all_settings() -> impl Strategy<Value = Settings> {
    (select(vec![Mode::Change, Mode::Release]), any::<u64>(), 0.001..0.4f64).prop_map(
        |(mode, seed, alpha)| {
            let mut settings = Settings::new(mode, seed);
            settings.wall.looks = vec![10, 20, 40];
            settings.wall.alpha = alpha;
            settings.wall.resamples = 50;
            settings
        },
    )
}

pub(crate) fn reports() -> impl Strategy<Value = Report> {
    let cases = vec(prop_oneof![virtual_cases(), instruction_cases(), wall_cases()], 0..8);
    (cases, all_settings(), vec(".{0,30}", 0..3))
        .prop_map(|(cases, settings, notes)| Report::new(cases, settings, notes))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_report_alone_leads_to_the_same_report(report in reports()) {
        let again = recompute(&report.to_json()).unwrap();
        prop_assert!(again.outcome_agrees);
        prop_assert_eq!(again.disagreements, []);
        prop_assert_eq!(again.report, report);
    }
}

fn one_regression() -> Report {
    let value = Value::Single;
    let cases = vec![
        virtual_case(metric("a", Tier::Virtual), Some(value(100)), value(100)),
        virtual_case(metric("b", Tier::Virtual), Some(value(100)), value(101)),
    ];
    Report::new(cases, settings(), Vec::new())
}

#[test]
fn a_report_that_was_touched_up_is_seen_through() {
    let json = one_regression().to_json();
    let whitewashed = json.replace("\"regression\"", "\"pass\"");
    assert_ne!(json, whitewashed);
    let again = recompute(&whitewashed).unwrap();
    assert_eq!(again.disagreements, [MetricId::new("b").unwrap()]);
    assert_eq!(again.report, one_regression());
    let passed = json.replace("\"exit_code\":3", "\"exit_code\":0");
    assert!(!recompute(&passed).unwrap().outcome_agrees);
}

#[test]
fn other_evidence_leads_to_another_verdict() {
    let json = one_regression().to_json().replace("{\"single\":101}", "{\"single\":100}");
    let again = recompute(&json).unwrap();
    assert_eq!(again.report.rows[1].finding.verdict, Verdict::Pass);
    assert_eq!(again.report.exit_code, 0);
}

#[test]
fn what_is_no_report_is_refused_by_place() {
    assert_eq!(recompute("{\"schema\":2}"), Err(ReportError::UnknownSchema { found: 2 }));
    let error = recompute("{\"schema\":1,\n\"comand\":\"gate\"}").unwrap_err().to_string();
    assert!(error.starts_with("line 2, column"), "{error}");
    assert!(error.contains("did you mean `command`?"), "{error}");
    let senseless = one_regression().to_json().replace("\"alpha\":0.01", "\"alpha\":7");
    let error = recompute(&senseless).unwrap_err().to_string();
    assert!(error.contains("alpha must lie between 0 and 0.5"), "{error}");
}
