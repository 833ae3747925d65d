use gate::{
    Case, Evidence, Finding, Verdict, judge,
    metric::{Better, Tier},
    wall::{
        Epoch, Phase, Presence, Request, Role, State, Subject, WallEvidence, WallSettings, assess, measure,
    },
};

use crate::cases::{budgeted, epochs, metric, percent, settings, wall_case};

#[track_caller]
fn check(cases: &[Case], expect: &[Verdict]) -> Vec<Finding> {
    let findings = judge(cases, &settings());
    let verdicts: Vec<Verdict> = findings.iter().map(|finding| finding.verdict).collect();
    assert_eq!(verdicts, expect, "{findings:#?}");
    findings
}

fn one(permille: u64) -> Case {
    wall_case("m", Role::Metric, epochs(20, permille), epochs(20, permille))
}

#[test]
fn what_is_above_the_smallest_effect_of_interest_regresses_and_what_is_at_it_does_not() {
    check(&[one(21)], &[Verdict::Regression]);
    check(&[one(20)], &[Verdict::Pass]);
}

#[test]
fn a_finding_says_how_much_and_how_well_it_could_see() {
    let finding = check(&[one(30)], &[Verdict::Regression]).remove(0);
    assert!((finding.change.unwrap() - 0.03).abs() < 1e-9);
    assert_eq!((finding.base, finding.new), (Some(1_000_000), Some(1_030_000)));
    assert_eq!(finding.message, "slower in 20 epochs, and again in fresh ones, spread 0.00 %, sees 2.0 %");
}

#[test]
fn a_budget_moves_the_limit() {
    let with_budget = |permille| Case { metric: budgeted(metric("m", Tier::Wall), 10.0), ..one(permille) };
    check(&[with_budget(100)], &[Verdict::Pass]);
    check(&[with_budget(101)], &[Verdict::Regression]);
}

#[test]
fn higher_is_better_where_the_metric_says_so() {
    let rate = |permille| {
        let mut case = one(permille);
        case.metric.better = Better::Higher;
        case
    };
    check(&[rate(30)], &[Verdict::Improved]);
    check(&[one(30)], &[Verdict::Regression]);
}

#[test]
fn without_confirmation_or_against_it_nothing_is_a_regression() {
    let unconfirmed = wall_case("m", Role::Metric, epochs(20, 30), epochs(19, 30));
    check(&[unconfirmed], &[Verdict::Inconclusive]);
    let contradicted = wall_case("m", Role::Metric, epochs(20, 30), epochs(20, 0));
    let finding = check(&[contradicted], &[Verdict::Inconclusive]).remove(0);
    assert!(finding.message.contains("not in fresh ones"), "{}", finding.message);
}

#[test]
fn fresh_epochs_that_say_nothing_yet_are_extended_to_the_last_look() {
    let torn = |count: usize| vec![[epochs(1, 0), epochs(1, 40)].concat(); count / 2].concat();
    for (count, expect) in [(20, "time ended"), (40, "time ended"), (80, "not in fresh ones")] {
        let case = wall_case("m", Role::Metric, epochs(20, 30), torn(count));
        let finding = check(&[case], &[Verdict::Inconclusive]).remove(0);
        assert!(finding.message.contains(expect), "{count}: {}", finding.message);
    }
    let late = wall_case("m", Role::Metric, epochs(20, 30), [torn(20), epochs(20, 40)].concat());
    check(&[late], &[Verdict::Regression]);
}

#[test]
fn a_look_is_taken_at_its_number_of_epochs_and_one_fewer_says_nothing() {
    check(&[wall_case("m", Role::Metric, epochs(19, 0), vec![])], &[Verdict::Inconclusive]);
    check(&[wall_case("m", Role::Metric, epochs(20, 0), vec![])], &[Verdict::Pass]);
    check(&[wall_case("m", Role::Metric, vec![], vec![])], &[Verdict::Inconclusive]);
}

/// Twenty epochs, of which `slow` are 3 % slower and the rest are equal.
fn mixed(slow: usize) -> Vec<Epoch> {
    [epochs(slow, 30), epochs(20 - slow, 0)].concat()
}

#[test]
fn a_larger_family_asks_for_more() {
    // 17 of 20: p = 0.0013, below 0.01/3 alone, above 0.01/3/10 in a family of ten.
    let alone = wall_case("m00", Role::Metric, mixed(17), epochs(20, 30));
    check(std::slice::from_ref(&alone), &[Verdict::Regression]);
    let others = (1..10).map(|n| wall_case(&format!("m{n:02}"), Role::Metric, epochs(20, 0), vec![]));
    let family: Vec<Case> = std::iter::once(alone).chain(others).collect();
    let first = judge(&family, &settings()).remove(0);
    assert_ne!(first.verdict, Verdict::Regression);
}

#[test]
fn the_alarm_begins_at_the_count_that_the_level_of_a_look_asks_for() {
    // 16 of 20: p = 0.0059, above 0.01/3.
    let verdict = |slow| {
        let case = wall_case("m", Role::Metric, mixed(slow), epochs(20, 30));
        judge(&[case], &settings()).remove(0).verdict
    };
    assert_ne!(verdict(16), Verdict::Regression);
    assert_eq!(verdict(17), Verdict::Regression);
}

#[test]
fn only_metrics_that_can_be_compared_cost_power() {
    let scattered = || -> Vec<Epoch> { (0..20).flat_map(|n| epochs(1, n % 5)).collect() };
    let sees = |others: usize, presence: Presence| {
        let subject = |name: String, presence| {
            let mut evidence = WallEvidence::new(Role::Metric, presence);
            evidence.epochs = scattered();
            Subject { metric: metric(&name, Tier::Wall), evidence }
        };
        let mut subjects = vec![subject("m".to_owned(), Presence::Both)];
        subjects.extend((0..others).map(|n| subject(format!("other{n}"), presence)));
        assess(&subjects, &WallSettings::new(1))[0].power.unwrap().detectable.unwrap()
    };
    let alone = sees(0, Presence::Both);
    assert!(alone < sees(9, Presence::Both));
    assert!((alone - sees(9, Presence::BaseOnly)).abs() < 1e-12);
}

fn controls(same: u64, slowed: u64) -> [Case; 2] {
    [
        wall_case("control-same", Role::ControlSame, epochs(20, same), vec![]),
        wall_case("control-slowed", Role::ControlSlowed(percent(5.0)), epochs(20, slowed), vec![]),
    ]
}

#[test]
fn a_failed_control_takes_every_verdict_back() {
    let with = |metric: Case, [same, slowed]: [Case; 2]| [metric, same, slowed];
    check(&with(one(30), controls(0, 50)), &[Verdict::Regression, Verdict::Pass, Verdict::Pass]);
    check(&with(one(0), controls(0, 50)), &[Verdict::Pass, Verdict::Pass, Verdict::Pass]);
    let missed = [Verdict::Inconclusive, Verdict::Pass, Verdict::Inconclusive];
    check(&with(one(0), controls(0, 10)), &missed);
    let alarm = [Verdict::Inconclusive, Verdict::Inconclusive, Verdict::Pass];
    let findings = check(&with(one(30), controls(30, 50)), &alarm);
    assert!(findings[0].message.contains("`control-same` failed"), "{}", findings[0].message);
    assert!(findings[0].message.contains("REGRESSION"), "{}", findings[0].message);
}

#[test]
fn metrics_of_one_program_only_are_vanished_or_new() {
    let only = |presence| Case {
        metric: metric("m", Tier::Wall),
        evidence: Evidence::Wall(WallEvidence::new(Role::Metric, presence)),
    };
    check(&[only(Presence::BaseOnly)], &[Verdict::Vanished]);
    check(&[only(Presence::NewOnly)], &[Verdict::New]);
    check(&[only(Presence::Failed)], &[Verdict::ToolFailed]);
}

fn subject(name: &str, role: Role) -> Subject {
    Subject { metric: metric(name, Tier::Wall), evidence: WallEvidence::new(role, Presence::Both) }
}

/// Measures with constant effects by name, and gives every request back.
fn measured(subjects: Vec<Subject>, permille: fn(&Request) -> u64) -> (Vec<Subject>, Vec<Request>) {
    let mut requests = Vec::new();
    let subjects = measure(subjects, &WallSettings::new(1), |request| {
        requests.push(request.clone());
        Ok::<_, std::convert::Infallible>(epochs(1, permille(request)).pop())
    });
    let Ok(subjects) = subjects;
    (subjects, requests)
}

#[test]
fn measuring_interleaves_metrics_and_stops_at_a_decision() {
    let subjects = vec![subject("a", Role::Metric), subject("b", Role::ControlSame)];
    let (subjects, requests) = measured(subjects, |_| 0);
    assert_eq!(requests.len(), 40);
    let names: Vec<&str> = requests.iter().take(4).map(|request| request.metric.as_str()).collect();
    assert_eq!(names, ["a", "b", "a", "b"]);
    assert!(requests.iter().all(|request| request.first.len() == 20));
    assert!(subjects.iter().all(|subject| subject.evidence.epochs.len() == 20));
}

#[test]
fn measuring_extends_what_is_undecided_and_confirms_what_is_slower() {
    // Even epochs 4 % slower, odd ones as fast: at the limit of nothing. The other is plainly slower.
    let effect = |request: &Request| match request.metric.as_str() {
        "torn" => [80, 0][request.epoch % 2],
        _ => 40,
    };
    let (subjects, requests) =
        measured(vec![subject("slow", Role::Metric), subject("torn", Role::Metric)], effect);
    let count = |name: &str, phase| {
        requests.iter().filter(|request| request.metric.as_str() == name && request.phase == phase).count()
    };
    assert_eq!((count("slow", Phase::Look), count("slow", Phase::Confirmation)), (20, 20));
    assert_eq!((count("torn", Phase::Look), count("torn", Phase::Confirmation)), (80, 0));
    let states: Vec<State> =
        assess(&subjects, &WallSettings::new(1)).iter().map(|assessment| assessment.state).collect();
    assert_eq!(states, [State::Regression, State::Undecided]);
}

#[test]
fn measuring_ends_when_time_does() {
    let mut left = 7;
    let subjects = measure(vec![subject("m", Role::Metric)], &WallSettings::new(1), |_| {
        left -= 1;
        Ok::<_, std::convert::Infallible>(if left > 0 { epochs(1, 0).pop() } else { None })
    });
    let Ok(subjects) = subjects;
    assert_eq!(subjects[0].evidence.epochs.len(), 6);
    let finding = judge(&[Case::from(subjects[0].clone())], &settings()).remove(0);
    assert_eq!(finding.verdict, Verdict::Inconclusive);
    assert!(finding.message.starts_with("time ended at 6 of 20 epochs"), "{}", finding.message);
}
