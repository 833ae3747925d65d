//! The report for build servers: a suite per tier, a case per metric.

use quick_junit::{NonSuccessKind, Report as Junit, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::{Report, Row, table::cells};
use crate::{
    metric::Tier,
    verdict::{Mode, Outcome, Verdict},
};

/// JUnit XML: a regression is a failure, noise or a failed tool an error, a missing tool skipped.
///
/// # Errors
///
/// [`SerializeError`] as the writer has it; text with characters that XML forbids is cleaned by it.
pub fn junit(report: &Report) -> Result<String, SerializeError> {
    let mut junit = Junit::new("callsim gate");
    for tier in Tier::ALL {
        let rows: Vec<&Row> = report.rows.iter().filter(|row| row.case.metric.tier == tier).collect();
        if rows.is_empty() {
            continue;
        }
        let mut suite = TestSuite::new(tier.as_str());
        suite.add_test_cases(rows.into_iter().map(|row| case(row, report.settings.mode)));
        junit.add_test_suite(suite);
    }
    junit.to_string()
}

fn case(row: &Row, mode: Mode) -> TestCase {
    let mut case = TestCase::new(row.case.metric.id.as_str(), status(row, mode));
    case.set_classname(row.case.metric.tier.as_str());
    case
}

fn status(row: &Row, mode: Mode) -> TestCaseStatus {
    let verdict = row.finding.verdict;
    let mut status = match verdict.outcome(mode) {
        Outcome::Passed if matches!(verdict, Verdict::ToolMissing | Verdict::New) => {
            TestCaseStatus::skipped()
        }
        Outcome::Passed => return TestCaseStatus::success(),
        Outcome::Regressed => TestCaseStatus::non_success(NonSuccessKind::Failure),
        _ => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    let [_, _, base, new, change, interval, limit, message] = cells(row);
    status.set_type(verdict.as_str()).set_message(message);
    status.set_description(format!(
        "base {base}, new {new}, change {change}, interval {interval}, limit {limit}\n"
    ));
    status
}
