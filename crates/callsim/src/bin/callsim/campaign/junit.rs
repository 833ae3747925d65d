//! The report for build servers: a suite per scenario, in it a case for its runs and one for each finding. A case per run would
//! be a million cases.

use campaign::report::{FindingReport, Report, ScenarioReport};
use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};

/// JUnit XML.
pub(super) fn report(report: &Report) -> anyhow::Result<String> {
    let mut junit = Junit::new("callsim campaign");
    for scenario in &report.scenarios {
        junit.add_test_suite(suite(scenario, &report.findings));
    }
    let mut agreement = TestSuite::new("agreement of machines");
    let mut case = TestCase::new("shards that were played more than once", TestCaseStatus::success());
    if report.disagreements > 0 {
        let rows = report.disagreeing.iter().map(|row| format!("{}, seed {}\n", row.scenario, row.seed));
        case.status =
            failed("not-repeatable", &format!("{} runs differ", report.disagreements), rows.collect());
    }
    agreement.add_test_case(case);
    junit.add_test_suite(agreement);
    Ok(junit.to_string()?)
}

fn suite(scenario: &ScenarioReport, findings: &[FindingReport]) -> TestSuite {
    let mut suite = TestSuite::new(&scenario.name);
    let mut runs = TestCase::new(format!("{} runs", scenario.runs), TestCaseStatus::success());
    runs.set_classname(&scenario.name);
    suite.add_test_case(runs);
    for finding in findings {
        let Some(count) = finding.scenarios.get(&scenario.name) else { continue };
        let FindingReport { fingerprint, check, cause, last_transition, last_step, message, repro, .. } =
            finding;
        let text = format!(
            "{count} runs\ncause: {cause}\nlast transition: {last_transition}\nlast step: {last_step}\nrepeat: {repro}\n"
        );
        let mut case = TestCase::new(format!("{check} {fingerprint}"), failed(check, message, text));
        case.set_classname(&scenario.name);
        suite.add_test_case(case);
    }
    suite
}

fn failed(kind: &str, message: &str, text: String) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(match kind {
        "panicked" => NonSuccessKind::Error,
        _ => NonSuccessKind::Failure,
    });
    status.set_type(kind).set_message(message).set_description(text);
    status
}
