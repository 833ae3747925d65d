//! The report for people.

use std::fmt::Write as _;

use campaign::report::{DisagreementReport, FindingReport, Rate, Report, ScenarioReport};
use timeline::{Column, Table, fit_lines};

/// How many findings and differing runs are shown; JSON has all.
const SHOWN: usize = 20;

/// Tables, what failed, and the verdict, in lines of at most `width` cells of a terminal.
pub(super) fn report(report: &Report, width: usize) -> String {
    let (set_ups, outcomes) = (set_ups(&report.scenarios), outcomes(&report.scenarios));
    let mut out = format!("{}\n{}", set_ups.fit(width), outcomes.fit(width));
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
    fit_lines(&out, width)
}

fn set_ups(scenarios: &[ScenarioReport]) -> Table {
    let mut table = Table::new([
        Column::left("scenario").wraps(24),
        Column::right("runs"),
        Column::right("passed"),
        Column::left("rates").may_go(2),
        Column::right("setup p50").may_go(3),
        Column::right("setup p95").may_go(4),
        Column::right("setup p99").may_go(5),
        Column::right("slowest").may_go(6),
    ]);
    for scenario in scenarios {
        let percentile = |of: fn(&campaign::report::Percentiles) -> u64| {
            scenario
                .setup_percentiles_ms
                .as_ref()
                .map_or("–".to_owned(), |percentiles| format!("{} ms", of(percentiles)))
        };
        let slowest: Vec<String> =
            scenario.slowest.iter().map(|slow| format!("seed {}: {} ms", slow.seed, slow.setup_ms)).collect();
        table.push([
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
    table
}

fn outcomes(scenarios: &[ScenarioReport]) -> Table {
    let mut table = Table::new([
        Column::left("scenario").wraps(24),
        Column::left("outcome").wraps(14),
        Column::right("runs"),
        Column::right("share").may_go(1),
        Column::right("95 % bounds").may_go(2),
    ]);
    for scenario in scenarios {
        for (outcome, count) in &scenario.outcomes {
            let Some(Rate { share, at_least, at_most }) = scenario.outcome_rates.get(outcome).copied() else {
                continue;
            };
            table.push([
                scenario.name.clone(),
                outcome.to_string(),
                count.to_string(),
                per_cent(share),
                format!("{} to {}", per_cent(at_least), per_cent(at_most)),
            ]);
        }
    }
    table
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
