//! A suite made by hand: one scenario that is well, one that is not, and what they are reported as.

use std::{collections::BTreeMap, time::Duration};

use scenario::{
    cause::{self, Cause, Consequence, Evidence},
    plan::Outcome,
    report::{FailureReport, Report, ScenarioReport, Times, Totals},
    run::Difference,
    suite::{Broken, Played, Run, SuiteResult},
};
use timeline::{Digest, VirtualTime};

use super::*;

pub(super) fn result() -> SuiteResult {
    let run = |seed, outcome| Run {
        seed,
        result: Ok(Played {
            outcome,
            setup: None,
            recovery: None,
            elapsed: VirtualTime::from_millis(5000),
            cpu: Some(Duration::from_millis(4)),
            digest: Digest::new(),
            failures: Vec::new(),
            cause: None,
            record: None,
        }),
    };
    let broken = Run { seed: 2, result: Err(Broken::Panicked("index out of bounds".to_owned())) };
    let well = vec![run(1, Outcome::Connected), run(2, Outcome::Connected)];
    SuiteResult { scenarios: vec![well, vec![run(1, Outcome::NoAnswer), broken]], asked: 4 }
}

/// The plans of the same names.
pub(super) fn plans() -> Vec<Plan> {
    let plan = |name| Plan::from_toml(name, callsim::EXAMPLE).unwrap();
    ["happy/host-candidates", "ringing/busy"].map(plan).into()
}

pub(super) fn report() -> Report {
    let setup = Times { p50: 560, p95: 610, max: 640, slowest_seed: 2 };
    let well = scenario("happy/host-candidates", &[(Outcome::Connected, 2)], Some(setup), Vec::new());
    let sentence = "It rang at callee from 1.0 s on, and nobody took the call within 30 s";
    let mut cause = Cause::new(cause::Code::NotAnswered, VirtualTime::from_millis(1000), sentence)
        .about([&"callee".into()])
        .shown_by([Evidence::of(VirtualTime::from_millis(1000), &"callee".into(), "call: idle → ringing")]);
    cause.consequences = vec![Consequence {
        code: cause::Code::Outcome,
        sentence: "expected busy, the call came out as no-answer".into(),
    }];
    let outcome = FailureReport {
        seed: Some(1),
        code: cause::Code::NotAnswered,
        cause: Some(Box::new(cause)),
        check: "outcome",
        at_ms: 31_000,
        message: "expected busy, the call came out as no-answer".to_owned(),
        repro: "cargo xtask scenarios ringing/busy --seed 1".to_owned(),
        transcript: vec!["    31000  caller  call: ringing → ended: no-answer (ring timer)".to_owned()],
    };
    let panicked = FailureReport {
        seed: Some(2),
        code: cause::Code::Panicked,
        cause: None,
        check: "panicked",
        at_ms: 0,
        message: "panicked: index out of bounds".to_owned(),
        repro: "cargo xtask scenarios ringing/busy --seed 2".to_owned(),
        transcript: Vec::new(),
    };
    let ill = scenario("ringing/busy", &[(Outcome::NoAnswer, 1)], None, vec![outcome, panicked]);
    let totals = Totals {
        scenarios: 2,
        runs: 4,
        failed_runs: 2,
        broken_runs: 1,
        virtual_s: 46.0,
        cpu_s: Some(0.016),
        wall_s: 0.02,
    };
    Report { schema: 1, command: "scenarios", passed: false, totals, scenarios: vec![well, ill] }
}

fn scenario(
    name: &str,
    outcomes: &[(Outcome, usize)],
    setup_ms: Option<Times>,
    failures: Vec<FailureReport>,
) -> ScenarioReport {
    ScenarioReport {
        name: name.to_owned(),
        file: Some(format!("scenarios/{name}.toml")),
        runs: 2,
        passed: 2 - failures.len(),
        setup_ms,
        recovery_ms: None,
        outcomes: outcomes.iter().copied().collect::<BTreeMap<_, _>>(),
        rates: setup_ms.map(|_| "skipped"),
        digest: Digest::new(),
        failures,
    }
}

#[test]
fn the_exit_code_says_what_matters_most() {
    let mut report = report();
    let difference = Difference::Bytes;
    let unlike = Run { seed: 1, result: Err(Broken::NotRepeatable(difference)) };
    let twice = SuiteResult { scenarios: vec![vec![unlike]], asked: 1 };
    let once = SuiteResult { scenarios: Vec::new(), asked: 0 };
    assert_eq!(verdict(&report, &twice), Code::Inconclusive);
    assert_eq!(verdict(&report, &once), Code::ToolFailed);
    report.totals.broken_runs = 0;
    assert_eq!(verdict(&report, &once), Code::CheckFailed);
    report.passed = true;
    assert_eq!(verdict(&report, &once), Code::Good);
    report.totals.runs = 0;
    assert_eq!(verdict(&report, &once), Code::NothingRan);
}
