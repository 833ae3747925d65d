//! The report for GitHub Actions: annotations and the summary of a step.

use std::fmt::Write as _;

use super::{
    Report, Row,
    table::{cells, conclusion},
};
use crate::verdict::{Outcome, Verdict};

/// The most annotations of one report: GitHub shows ten of a kind per step.
pub const MAX_ANNOTATIONS: usize = 10;

/// The most rows of a summary: GitHub cuts one off at a mebibyte.
const MAX_SUMMARY_ROWS: usize = 200;

/// Workflow commands, one a line, for the worst metrics: `::error title=…::…` for what fails the gate,
/// `::warning` for what is only named. A gate that fails without a metric that does so has one for itself: there is
/// never a red job that says nothing. To be printed when `GITHUB_ACTIONS` is `true`.
pub fn annotations(report: &Report) -> String {
    let mut out = String::new();
    let explained = report.rows.iter().any(|row| is_error(row, report));
    if !report.passed && !explained {
        let notes: Vec<&str> = report.notes.iter().map(String::as_str).collect();
        out = failure_annotation(&format!("{}\n{}", conclusion(report), notes.join("\n")));
    }
    let named = report.worst_first().into_iter().filter(|row| !is_quiet(row));
    let room = MAX_ANNOTATIONS - out.lines().count();
    for row in named.take(room) {
        let level = if is_error(row, report) { "error" } else { "warning" };
        let [verdict, id, base, new, change, ..] = cells(row);
        let title = property(&format!("{verdict}: {id}"));
        let text = data(&format!("{base} → {new} ({change}): {}", row.finding.message));
        let _ = writeln!(out, "::{level} title={title}::{text}");
    }
    out
}

/// The workflow command for a gate that came to no report: `::error title=Gate::…`, a line.
pub fn failure_annotation(message: &str) -> String {
    format!("::error title=Gate::{}\n", data(message.trim_end()))
}

fn is_error(row: &Row, report: &Report) -> bool {
    row.finding.verdict.outcome(report.settings.mode) != Outcome::Passed
}

fn is_quiet(row: &Row) -> bool {
    matches!(row.finding.verdict, Verdict::Pass | Verdict::Improved)
}

/// What follows the second `::` of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, which also ends at a comma or a colon.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Markdown for the file that `GITHUB_STEP_SUMMARY` names.
pub fn step_summary(report: &Report) -> String {
    let mut out = format!("### Gate: {}\n\n", conclusion(report));
    for note in &report.notes {
        let _ = writeln!(out, "{}\n", cell(note));
    }
    let rows: Vec<&Row> =
        report.worst_first().into_iter().filter(|row| row.finding.verdict != Verdict::Pass).collect();
    if rows.is_empty() {
        return out;
    }
    out.push_str("| verdict | metric | base | new | change | interval | limit | evidence |\n");
    out.push_str("|---|---|--:|--:|--:|--:|--:|---|\n");
    for row in rows.iter().take(MAX_SUMMARY_ROWS) {
        let _ = writeln!(out, "| {} |", cells(row).map(|text| cell(&text)).join(" | "));
    }
    if let Some(more) = rows.len().checked_sub(MAX_SUMMARY_ROWS).filter(|more| *more > 0) {
        let _ = writeln!(out, "\n… and {more} more");
    }
    out
}

/// Text that neither ends a cell nor begins markup.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\r' | '\n' => out.push(' '),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '#' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_ends_neither_at_a_comma_nor_at_a_colon() {
        assert_eq!(property("a,b: 5 %\r\n"), "a%2Cb%3A 5 %25%0D%0A");
        assert_eq!(data("a,b: 5 %\r\n"), "a,b: 5 %25%0D%0A");
    }
}
