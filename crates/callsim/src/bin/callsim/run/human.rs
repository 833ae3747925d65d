//! The report for people: a table to read at a glance, then whatever failed.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, ContentArrangement, Table};
use scenario::{
    record::RunRecord,
    report::{FailureReport, Report, ScenarioReport, Times},
};

use crate::TABLE_STYLE;

/// How many different failures of one scenario are shown in full.
const KINDS_SHOWN: usize = 3;

/// The report. For a single run, what happened in it stands first.
pub(super) fn report(report: &Report, single: Option<&RunRecord>) -> String {
    let mut out = String::new();
    if let Some(record) = single {
        out.push_str(&timeline::side_by_side(&record.timeline));
        out.push('\n');
    }
    for scenario in report.scenarios.iter().filter(|scenario| !scenario.failures.is_empty()) {
        push_failures(&mut out, scenario);
    }
    push_table(&mut out, report);
    push_totals(&mut out, report);
    out
}

fn push_failures(out: &mut String, scenario: &ScenarioReport) {
    let kinds = kinds(&scenario.failures);
    for (failure, seeds) in kinds.iter().take(KINDS_SHOWN) {
        push_failure(out, scenario, failure, seeds);
    }
    let more = kinds.len().saturating_sub(KINDS_SHOWN);
    if more > 0 {
        let _ = writeln!(
            out,
            "… and {more} other failures of {} (`--format json` has them all)\n",
            scenario.name
        );
    }
}

/// Failures that say the same are one: the first, and the seeds of all.
fn kinds(failures: &[FailureReport]) -> Vec<(&FailureReport, Vec<u64>)> {
    let mut kinds: Vec<(&FailureReport, Vec<u64>)> = Vec::new();
    for failure in failures {
        let same = |(known, _): &&mut (&FailureReport, Vec<u64>)| {
            (known.check, &known.message) == (failure.check, &failure.message)
        };
        match kinds.iter_mut().find(same) {
            Some((_, seeds)) => seeds.extend(failure.seed),
            None => kinds.push((failure, failure.seed.into_iter().collect())),
        }
    }
    kinds
}

fn push_failure(out: &mut String, scenario: &ScenarioReport, failure: &FailureReport, seeds: &[u64]) {
    let FailureReport { seed, check, at_ms, message, repro, transcript } = failure;
    let run = match seed {
        Some(seed) => format!("seed {seed}, at {at_ms} ms"),
        None => format!("over {} runs", scenario.runs),
    };
    let _ = writeln!(out, "FAILED  {}  {check}  ({run})", scenario.name);
    let _ = writeln!(out, "  {}", timeline::escaped(message));
    for line in transcript {
        let _ = writeln!(out, "  │ {line}");
    }
    if let [_, others @ ..] = seeds
        && !others.is_empty()
    {
        let others: Vec<String> = others.iter().map(ToString::to_string).collect();
        let _ = writeln!(out, "  the same with seed {}", others.join(", "));
    }
    let _ = writeln!(out, "  repeat: {repro}\n");
}

fn push_table(out: &mut String, report: &Report) {
    let mut table = Table::new();
    table.load_style(TABLE_STYLE).set_content_arrangement(ContentArrangement::Disabled);
    let recovers = report.scenarios.iter().any(|scenario| scenario.recovery_ms.is_some());
    let head = ["scenario", "runs", "passed", "outcomes", "setup p50", "p95", "slowest"];
    let recovery = ["recovery p50", "p95", "slowest"];
    table.set_header(head.into_iter().chain(recovery.into_iter().filter(|_| recovers)));
    for scenario in &report.scenarios {
        let recovery = times(scenario.recovery_ms);
        table.add_row(row(scenario).into_iter().chain(recovery.into_iter().filter(|_| recovers)));
    }
    for column in [1, 2, 4, 5, 6, 7, 8, 9] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let _ = writeln!(out, "{}", table.trim_fmt());
}

fn row(scenario: &ScenarioReport) -> [String; 7] {
    let failed = scenario.runs - scenario.passed;
    let passed = match failed {
        0 => scenario.passed.to_string(),
        _ => format!("{failed} FAILED"),
    };
    let outcomes: Vec<String> =
        scenario.outcomes.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
    let rates = match scenario.rates {
        Some("failed") => " (rates FAILED)",
        Some("skipped") => " (rates not judged)",
        _ => "",
    };
    let [p50, p95, slowest] = times(scenario.setup_ms);
    let outcomes = outcomes.join(", ") + rates;
    [scenario.name.clone(), scenario.runs.to_string(), passed, outcomes, p50, p95, slowest]
}

/// Median, 95th percentile and longest; dashes where nothing was measured.
fn times(times: Option<Times>) -> [String; 3] {
    match times {
        Some(Times { p50, p95, max, slowest_seed }) => {
            [format!("{p50} ms"), format!("{p95} ms"), format!("seed {slowest_seed}: {max} ms")]
        }
        None => ["–", "–", "–"].map(str::to_owned),
    }
}

fn push_totals(out: &mut String, report: &Report) {
    let totals = &report.totals;
    let verdict = match (report.passed, totals.failed_runs) {
        (true, _) => "all good".to_owned(),
        (false, 0) => "FAILED".to_owned(),
        (false, failed) => format!("{failed} runs FAILED"),
    };
    let cpu = totals.cpu_s.map(|cpu| format!(" ({cpu:.1} s of processor time)")).unwrap_or_default();
    let speed_up = report.speed_up().map(|times| format!(": {times:.0} × real time")).unwrap_or_default();
    let _ = writeln!(out, "\n{verdict}: {} scenarios, {} runs", totals.scenarios, totals.runs);
    let _ = writeln!(out, "{:.1} virtual s in {:.1} s{cpu}{speed_up}", totals.virtual_s, totals.wall_s);
    if report.scenarios.iter().any(|scenario| scenario.rates == Some("skipped")) {
        let least = scenario::checks::MIN_RUNS_FOR_RATES;
        let _ = writeln!(out, "rates are judged from {least} seeds on");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::testing;

    #[test]
    fn table_failures_and_totals() {
        insta::assert_snapshot!(report(&testing::report(), None));
    }

    #[test]
    fn recovery_times_have_columns_where_there_are_any() {
        let mut whole = testing::report();
        whole.scenarios[0].recovery_ms = Some(Times { p50: 3480, p95: 3501, max: 3510, slowest_seed: 1 });
        let text = report(&whole, None);
        let lines: Vec<&str> = text.lines().filter(|line| line.contains("recovery p50")).collect();
        assert_eq!(lines.len(), 1, "{text}");
        let row = text.lines().find(|line| line.contains("happy/host-candidates")).unwrap_or_default();
        let row = row.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(row.ends_with("3480 ms 3501 ms seed 1: 3510 ms"), "{row}");
        assert!(!report(&testing::report(), None).contains("recovery"));
    }

    #[test]
    fn failures_that_say_the_same_are_shown_once() {
        let mut whole = testing::report();
        let failure = whole.scenarios[1].failures[0].clone();
        let of_seed = |seed| FailureReport { seed: Some(seed), ..failure.clone() };
        whole.scenarios[1].failures = (1..=4).map(of_seed).collect();
        let text = report(&whole, None);
        assert_eq!(text.matches("FAILED  ringing/busy").count(), 1);
        assert!(text.contains("the same with seed 2, 3, 4"), "{text}");
    }

    #[test]
    fn only_the_first_different_failures_are_shown() {
        let mut whole = testing::report();
        let failure = whole.scenarios[1].failures[0].clone();
        let other = |n: u64| FailureReport { message: format!("message {n}"), ..failure.clone() };
        whole.scenarios[1].failures = (1..=5).map(other).collect();
        let text = report(&whole, None);
        assert_eq!(text.matches("FAILED  ringing/busy").count(), 3);
        assert!(text.contains("… and 2 other failures of ringing/busy"), "{text}");
    }
}
