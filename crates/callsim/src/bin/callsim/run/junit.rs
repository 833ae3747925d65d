//! The report for build servers: a suite per scenario, a case per seed, and one for its rates.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};
use scenario::{
    report::{FailureReport, Report, ScenarioReport},
    suite::{Run, SuiteResult},
};
use timeline::escaped;

use super::{budgets, pins};

/// JUnit XML. The time of a case is the processor time of its run.
pub(super) fn report(report: &Report, result: &SuiteResult) -> anyhow::Result<String> {
    let mut junit = Junit::new("callsim scenarios");
    junit.set_time(Duration::from_secs_f64(report.totals.wall_s));
    // A report leaves out scenarios without a run.
    let played = result.scenarios.iter().filter(|runs| !runs.is_empty());
    for (scenario, runs) in report.scenarios.iter().zip(played) {
        junit.add_test_suite(suite(scenario, runs));
    }
    Ok(junit.to_string()?)
}

fn suite(scenario: &ScenarioReport, runs: &[Run]) -> TestSuite {
    let mut suite = TestSuite::new(&scenario.name);
    for run in runs {
        let failures = scenario.failures.iter().filter(|failure| failure.seed == Some(run.seed));
        let mut case = case(scenario, &format!("seed {}", run.seed), &failures.collect::<Vec<_>>());
        let cpu = run.result.as_ref().ok().and_then(|played| played.cpu);
        case.set_time(cpu.unwrap_or_default());
        suite.add_test_case(case);
    }
    let of_all = |check: &dyn Fn(&str) -> bool| -> Vec<&FailureReport> {
        let failures = scenario.failures.iter().filter(|failure| failure.seed.is_none());
        failures.filter(|failure| check(failure.check)).collect()
    };
    if let Some(rates) = scenario.rates {
        let mut case =
            case(scenario, "rates", &of_all(&|check| ![budgets::CHECK, pins::CHECK].contains(&check)));
        if rates == "skipped" {
            case.status = TestCaseStatus::skipped();
        }
        suite.add_test_case(case);
    }
    for (name, known) in [("budgets", budgets::CHECK), ("pins", pins::CHECK)] {
        let failures = of_all(&|check| check == known);
        if !failures.is_empty() {
            suite.add_test_case(case(scenario, name, &failures));
        }
    }
    suite
}

fn case(scenario: &ScenarioReport, name: &str, failures: &[&FailureReport]) -> TestCase {
    let mut case = TestCase::new(name, status(failures));
    case.set_classname(&scenario.name);
    case
}

fn status(failures: &[&FailureReport]) -> TestCaseStatus {
    let Some(first) = failures.first() else { return TestCaseStatus::success() };
    let kind = match first.check {
        "panicked" | "not-played" => NonSuccessKind::Error,
        _ => NonSuccessKind::Failure,
    };
    let mut status = TestCaseStatus::non_success(kind);
    let said = first.cause.as_ref().map_or(&first.message, |cause| &cause.sentence);
    status.set_type(first.code.as_str()).set_message(escaped(said));
    let mut text = String::new();
    if let Some(cause) = &first.cause {
        text.push_str(&format!("{}: {}\n", cause.code, escaped(&cause.sentence)));
        if !cause.recommendation.is_empty() {
            text.push_str(&format!("what to do: {}\n", escaped(&cause.recommendation)));
        }
    }
    for failure in failures {
        text.push_str(&format!("{} at {} ms: {}\n", failure.check, failure.at_ms, escaped(&failure.message)));
    }
    for line in &first.transcript {
        text.push_str(&format!("  {}\n", escaped(line)));
    }
    text.push_str(&format!("repeat: {}\n", escaped(&first.repro)));
    status.set_description(text);
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::testing;

    #[test]
    fn a_suite_per_scenario_and_a_case_per_seed() {
        insta::assert_snapshot!(report(&testing::report(), &testing::result()).unwrap());
    }
}
