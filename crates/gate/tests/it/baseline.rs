use gate::{
    baseline::{
        AcceptError, Acceptance, Baseline, BaselineError, Date, Expected, Fingerprint, Reference,
        ReferenceError,
    },
    metric::{Budget, Tier},
    value::Value,
};

use crate::cases::{by_seed, expected, id, percent, ramp};

fn acceptance(reason: &str) -> Acceptance {
    Acceptance { reason: reason.to_owned(), date: Date::new("2026-11-23").unwrap() }
}

fn single(value: u64) -> Option<Expected> {
    Some(expected(Value::Single(value)))
}

/// Three metrics, accepted one after the other, one of them changed once.
fn sample() -> Baseline {
    let fingerprint = Fingerprint::from([("rustc".to_owned(), "1.95.0".to_owned())]);
    let mut baseline = Baseline::new(Tier::Virtual, fingerprint);
    let lossy = Budget::of(percent(2.0)).at_least(1000).max_more_failures(1);
    let lossy = Expected { budget: Some(lossy), ..expected(by_seed(ramp())) };
    baseline.accept(&id("loss/burst#connected"), Some(lossy), &acceptance("first measured")).unwrap();
    baseline.accept(&id("happy/host#connected"), single(48_300), &acceptance("first measured")).unwrap();
    baseline.accept(&id("happy/host#packets"), single(61), &acceptance("first measured")).unwrap();
    baseline
        .accept(&id("happy/host#connected"), single(51_100), &acceptance("waits for a nomination"))
        .unwrap();
    baseline
}

#[test]
fn a_file_has_sorted_lines_one_for_each_metric() {
    let text = sample().to_json();
    let shortened = text.replace(&text[text.find("1000,1001").unwrap()..text.find(",1199").unwrap()], "…");
    insta::assert_snapshot!(shortened);
}

#[test]
fn what_is_written_is_read_back() {
    let baseline = sample();
    assert_eq!(Baseline::from_json("virtual.json", &baseline.to_json()), Ok(baseline));
    let empty = Baseline::new(Tier::Instructions, Fingerprint::new());
    assert_eq!(Baseline::from_json("instructions.json", &empty.to_json()), Ok(empty));
}

#[track_caller]
fn error_of(from: &str, to: &str) -> String {
    let text = sample().to_json();
    assert!(text.contains(from), "{text}");
    Baseline::from_json("b.json", &text.replacen(from, to, 1)).unwrap_err().to_string()
}

#[test]
fn faults_are_shown_at_their_line_with_the_nearest_word() {
    let faults = [
        error_of("\"unit\":\"us\"", "\"unti\":\"us\""),
        error_of("\"unit\":\"us\"", "\"unit\":\"µs\""),
        error_of("\"value\":51100", "\"value\":-5"),
        error_of("\"value\":51100", "\"value\":51100,\"p95\":4"),
        error_of("\"p50\":1099", "\"p50\":1098"),
        error_of("happy/host#packets", "happy/host#connected"),
        error_of("happy/host#packets", "happy host"),
        error_of("\"max_change_pct\":2.0", "\"max_change_pct\":-2.0"),
        error_of("2026-11-23", "23.11.2026"),
        error_of("\"schema\": 1", "\"schema\": 2"),
        error_of("\"tier\": \"virtual\"", "\"tier\": \"wall\""),
        error_of("\"tier\": \"virtual\"", "\"tier\": \"instructions\""),
        error_of("}", ""),
    ];
    insta::assert_snapshot!(faults.join("\n"));
}

#[test]
fn too_few_seeds_are_refused_where_they_stand() {
    let text = sample().to_json().replacen("1000,1001,", "1001,", 1);
    let Err(BaselineError::Malformed { line, reason, .. }) = Baseline::from_json("b.json", &text) else {
        panic!("199 seeds were read");
    };
    assert_eq!(line, text.lines().position(|line| line.contains("by_seed")).unwrap() + 1);
    assert!(reason.contains("199 seeds are too few"), "{reason}");
}

#[test]
fn accepting_needs_a_reason_a_known_id_and_a_change() {
    let mut baseline = sample();
    let mut accept = |name: &str, measured, reason: &str| {
        baseline.accept(&id(name), measured, &acceptance(reason)).unwrap_err()
    };
    assert_eq!(accept("happy/host#packets", single(62), " "), AcceptError::NoReason);
    assert_eq!(accept("happy/host#packets", single(62), "one\ntwo"), AcceptError::NoReason);
    let unchanged = AcceptError::Unchanged { id: id("happy/host#packets") };
    assert_eq!(accept("happy/host#packets", single(61), "why not"), unchanged);
    let unknown = accept("happy/host#packet", None, "gone").to_string();
    assert!(unknown.contains("did you mean `happy/host#packets`?"), "{unknown}");
    assert_eq!(baseline, sample());
}

#[track_caller]
fn check(change: impl FnOnce(&mut Baseline), expect: Result<(), ReferenceError>) {
    let base = sample();
    let mut here = sample();
    change(&mut here);
    assert_eq!(Reference::since(&base, &here).map(drop), expect);
}

#[test]
fn what_a_change_accepts_counts_and_what_it_rewrites_does_not() {
    let packets = || id("happy/host#packets");
    check(|_| (), Ok(()));
    check(|here| here.accept(&packets(), single(62), &acceptance("more")).unwrap(), Ok(()));
    check(|here| here.accept(&packets(), None, &acceptance("given up")).unwrap(), Ok(()));
    check(|here| here.accept(&id("new#one"), single(1), &acceptance("new")).unwrap(), Ok(()));
    let not_accepted = || Err(ReferenceError::NotAccepted { id: packets(), hint: String::new() });
    check(|here| here.metrics.get_mut(&packets()).unwrap().value = Value::Single(62), not_accepted());
    check(
        |here| here.metrics.get_mut(&packets()).unwrap().budget = Some(Budget::of(percent(9.0))),
        not_accepted(),
    );
    check(
        |here| {
            here.accept(&packets(), single(62), &acceptance("more")).unwrap();
            here.metrics.get_mut(&packets()).unwrap().value = Value::Single(63);
        },
        not_accepted(),
    );
}

#[test]
fn a_metric_that_was_renamed_by_hand_is_missed_with_its_new_name() {
    let mut here = sample();
    let moved = here.metrics.remove(&id("happy/host#packets")).unwrap();
    here.metrics.insert(id("happy/host#packets-sent"), moved);
    let error = Reference::since(&sample(), &here).unwrap_err().to_string();
    assert!(error.contains("did you mean `happy/host#packets-sent`?"), "{error}");
}

#[test]
fn history_is_only_added_to() {
    let connected = || id("happy/host#connected");
    let rewritten = || Err(ReferenceError::HistoryRewritten { id: connected() });
    check(|here| here.accepted.get_mut(&connected()).unwrap()[0].reason = "other".to_owned(), rewritten());
    check(|here| drop(here.accepted.remove(&connected())), rewritten());
    check(
        |here| {
            here.accept(&connected(), single(1), &acceptance("fast")).unwrap();
            here.accepted.get_mut(&connected()).unwrap()[2].from = None;
        },
        Err(ReferenceError::BrokenChain { id: connected() }),
    );
}

#[test]
fn a_change_of_a_budget_alone_can_be_accepted() {
    let relaxed = Expected { budget: Some(Budget::of(percent(1.0))), ..single(61).unwrap() };
    check(
        |here| {
            here.accept(&id("happy/host#packets"), Some(relaxed), &acceptance("one more is fine")).unwrap()
        },
        Ok(()),
    );
}

#[test]
fn accepted_ids_are_told() {
    let mut here = sample();
    here.accept(&id("happy/host#packets"), single(62), &acceptance("more")).unwrap();
    let reference = Reference::since(&sample(), &here).unwrap();
    assert_eq!(reference.accepted_here.into_iter().collect::<Vec<_>>(), [id("happy/host#packets")]);
    assert!(!reference.fingerprint_changed);
}

#[test]
fn other_conditions_are_told() {
    let mut here = sample();
    here.fingerprint.insert("rustc".to_owned(), "1.96.0".to_owned());
    assert!(Reference::since(&sample(), &here).unwrap().fingerprint_changed);
}

#[test]
fn where_the_merge_base_has_no_baseline_everything_must_be_accepted() {
    let none = Baseline::new(Tier::Virtual, Fingerprint::new());
    assert_eq!(Reference::since(&none, &sample()).unwrap().metrics.len(), 3);
    let mut copied = sample();
    copied.accepted.clear();
    assert!(matches!(Reference::since(&none, &copied), Err(ReferenceError::NotAccepted { .. })));
}
