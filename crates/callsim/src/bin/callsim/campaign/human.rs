//! The report for people.

use std::fmt::Write as _;

use campaign::report::{DisagreementReport, FindingReport, Rate, Report, ScenarioReport};
use comfy_table::{CellAlignment, Table};

use crate::TABLE_STYLE;

/// How many findings and differing runs are shown; JSON has all.
const SHOWN: usize = 20;

/// Tables, what failed, and the verdict.
pub(super) fn report(report: &Report) -> String {
    let mut out = format!("{}\n\n{}\n", set_ups(&report.scenarios), outcomes(&report.scenarios));
    for finding in report.findings.iter().take(SHOWN) {
        out += &self::finding(finding);
    }
    if report.findings.len() > SHOWN {
        let _ =
            writeln!(out, "\nand {} more findings: `--format json` has them", report.findings.len() - SHOWN);
    }
    for row in report.disagreeing.iter().take(SHOWN) {
        out += &disagreement(row);
    }
    let Report { runs, missing_runs, failed_runs, disagreements, .. } = report;
    let findings = report.findings.len();
    let verdict = if report.passed { "all good" } else { "NOT all good" };
    let _ = write!(
        out,
        "\n{verdict}: {runs} runs, {failed_runs} failed, {findings} findings, {disagreements} runs that differ"
    );
    if *missing_runs > 0 {
        let _ = write!(out, "; {missing_runs} of {} planned runs are missing", runs + missing_runs);
    }
    out.push('\n');
    out
}

fn set_ups(scenarios: &[ScenarioReport]) -> String {
    let mut table = Table::new();
    table.load_style(TABLE_STYLE);
    table.set_header(["scenario", "runs", "passed", "rates", "setup p50", "p95", "p99", "slowest"]);
    for scenario in scenarios {
        let percentile = |of: fn(&campaign::report::Percentiles) -> u64| {
            scenario
                .setup_percentiles_ms
                .as_ref()
                .map_or("–".to_owned(), |percentiles| format!("{} ms", of(percentiles)))
        };
        let slowest: Vec<String> =
            scenario.slowest.iter().map(|slow| format!("seed {}: {} ms", slow.seed, slow.setup_ms)).collect();
        table.add_row([
            scenario.name.clone(),
            scenario.runs.to_string(),
            scenario.passed.to_string(),
            scenario.rates.unwrap_or("–").to_owned(),
            percentile(|it| it.p50),
            percentile(|it| it.p95),
            percentile(|it| it.p99),
            slowest.join("\n"),
        ]);
    }
    right(&mut table, &[1, 2, 4, 5, 6, 7]);
    table.trim_fmt()
}

fn outcomes(scenarios: &[ScenarioReport]) -> String {
    let mut table = Table::new();
    table.load_style(TABLE_STYLE);
    table.set_header(["scenario", "outcome", "runs", "share", "95 % bounds"]);
    for scenario in scenarios {
        for (outcome, count) in &scenario.outcomes {
            let Some(Rate { share, at_least, at_most }) = scenario.outcome_rates.get(outcome).copied() else {
                continue;
            };
            table.add_row([
                scenario.name.clone(),
                outcome.to_string(),
                count.to_string(),
                per_cent(share),
                format!("{} to {}", per_cent(at_least), per_cent(at_most)),
            ]);
        }
    }
    right(&mut table, &[2, 3, 4]);
    table.trim_fmt()
}

fn right(table: &mut Table, columns: &[usize]) {
    for column in columns {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

fn per_cent(share: f64) -> String {
    format!("{:.4} %", share * 100.0)
}

fn finding(finding: &FindingReport) -> String {
    let FindingReport {
        fingerprint, check, cause, last_transition, last_step, count, message, repro, ..
    } = finding;
    let plural = |count: u64, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let (runs, scenarios) = (plural(*count, "run"), plural(finding.scenarios.len() as u64, "scenario"));
    let mut out = format!("\n{check} ({cause}): {runs} of {scenarios}, {fingerprint}\n");
    for (what, text) in
        [("last transition", last_transition), ("last step", last_step), ("the first", message)]
    {
        if !text.is_empty() {
            let _ = writeln!(out, "  {what}: {text}");
        }
    }
    let _ = writeln!(out, "  repeat: {repro}");
    out
}

fn disagreement(row: &DisagreementReport) -> String {
    let DisagreementReport { shard, scenario, seed, columns, machine, other_machine, .. } = row;
    let name = |machine: &Option<String>| machine.clone().unwrap_or_else(|| "an unknown machine".to_owned());
    format!(
        "\n{scenario}, seed {seed} (shard {shard}) is not the same on {} and {}: {}\n",
        name(machine),
        name(other_machine),
        columns.join(", ")
    )
}
