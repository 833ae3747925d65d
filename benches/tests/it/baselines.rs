//! The committed baselines expect what the worker measures: nothing that is gone, nothing that nobody expects.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
};

use gate::{
    baseline::Baseline,
    metric::{Metric, MetricId, Tier},
    worker::{Request, Response},
};

/// What the worker lists, asked as the gate asks.
fn listed() -> Vec<Metric> {
    let mut worker = Command::new(env!("CARGO_BIN_EXE_gate-worker"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Its input ends with the line.
    writeln!(worker.stdin.take().unwrap(), "{}", Request::List.to_line()).unwrap();
    let lines: Vec<String> =
        BufReader::new(worker.stdout.take().unwrap()).lines().map(Result::unwrap).collect();
    assert!(worker.wait().unwrap().success());
    let [greeting, answer] = lines.as_slice() else { panic!("a greeting and one answer: {lines:?}") };
    assert!(matches!(Response::from_line(greeting), Ok(Response::Greeting { .. })), "{greeting}");
    match Response::from_line(answer) {
        Ok(Response::Metrics(metrics)) => metrics,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn check(tier: Tier) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("baselines").join(format!("{tier}.json"));
    let baseline = Baseline::from_json(&file.display().to_string(), &std::fs::read_to_string(&file).unwrap());
    let expected: BTreeSet<MetricId> = baseline.unwrap().metrics.into_keys().collect();
    let listed: BTreeSet<MetricId> =
        listed().into_iter().filter(|metric| metric.tier == tier).map(|metric| metric.id).collect();
    let vanished: Vec<&MetricId> = expected.difference(&listed).collect();
    let new: Vec<&MetricId> = listed.difference(&expected).collect();
    assert!(
        vanished.is_empty() && new.is_empty(),
        "vanished: {vanished:?}\nnew: {new:?}\n`gate accept` them"
    );
    assert!(!listed.is_empty());
}

#[test]
fn what_is_expected_of_virtual_time_is_what_is_measured() {
    check(Tier::Virtual);
}

#[test]
fn what_is_expected_of_instructions_is_what_is_measured() {
    check(Tier::Instructions);
}
