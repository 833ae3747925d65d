//! The report for people: the worst first, what passed folded to a count.

use std::{collections::BTreeMap, fmt::Write as _};

use timeline::{Column, Table, fit_lines};

use super::{Report, Row};
use crate::{
    metric::Tier,
    verdict::{Outcome, Verdict},
};

/// The table, and what it comes to, in lines of at most `width` cells of a terminal.
pub fn table(report: &Report, width: usize) -> String {
    let mut out = String::new();
    for note in &report.notes {
        let _ = writeln!(out, "{note}");
    }
    let shown: Vec<&Row> = report.worst_first().into_iter().filter(|row| is_shown(row)).collect();
    if !shown.is_empty() {
        out += &rows(&shown).fit(width);
    }
    let _ = writeln!(out, "{}", totals(report));
    let _ = writeln!(out, "{}", conclusion(report));
    fit_lines(&out, width)
}

/// Passes are folded, but for the controls: they say how well the machine can judge.
fn is_shown(row: &Row) -> bool {
    row.finding.verdict != Verdict::Pass || row.case.is_control()
}

fn rows(shown: &[&Row]) -> Table {
    let mut table = Table::new([
        Column::left("verdict"),
        Column::left("metric").wraps(48),
        Column::right("base").may_go(3),
        Column::right("new").may_go(2),
        Column::right("change"),
        Column::right("interval").may_go(5),
        Column::right("limit").may_go(4),
        Column::left("evidence").wraps(18).may_go(1),
    ]);
    for row in shown {
        table.push(cells(row));
    }
    table
}

pub(super) fn cells(row: &Row) -> [String; 8] {
    let finding = &row.finding;
    let unit = row.case.metric.unit;
    let number = |value: Option<u64>| value.map_or("–".to_owned(), |value| format!("{value} {unit}"));
    let interval = finding.interval.map_or("–".to_owned(), |interval| {
        format!("{} … {}", percent(interval.lower), percent(interval.upper))
    });
    [
        finding.verdict.to_string(),
        row.case.metric.id.to_string(),
        number(finding.base),
        number(finding.new),
        finding.change.map_or("–".to_owned(), percent),
        interval,
        finding.limit.map_or("–".to_owned(), percent),
        finding.message.clone(),
    ]
}

/// Positive is worse.
fn percent(share: f64) -> String {
    format!("{:+.2} %", share * 100.0)
}

fn totals(report: &Report) -> String {
    let mut passes: BTreeMap<Tier, usize> = BTreeMap::new();
    for row in report.rows.iter().filter(|row| !is_shown(row)) {
        *passes.entry(row.case.metric.tier).or_default() += 1;
    }
    if passes.is_empty() {
        return "no metric passed".to_owned();
    }
    let parts: Vec<String> = passes.iter().map(|(tier, count)| format!("{count} {tier}")).collect();
    format!("passed: {}", parts.join(", "))
}

/// What it comes to, and what to do.
pub(super) fn conclusion(report: &Report) -> String {
    let what = match report.outcome {
        Outcome::Passed => "all compared, all pass",
        Outcome::ToolFailed => "a tool failed or is missing: see above",
        Outcome::Regressed => "REGRESSED: find the cause, or `gate accept ID… --reason TEXT`",
        Outcome::Inconclusive => "INCONCLUSIVE: noise or non-determinism, neither a regression nor none",
        Outcome::NothingCompared => {
            "NOTHING COMPARED, or a baseline is missing or stale: `gate accept` makes one"
        }
    };
    format!("{what} (exit {})", report.exit_code)
}
