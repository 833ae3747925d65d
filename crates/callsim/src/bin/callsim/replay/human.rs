//! What a replay came to, for a person: the verdict first.

use std::fmt::Write as _;

use capture::{
    audit::{Finding, Severity, Wait},
    diagram::{Sequence, terminal},
    merge::FileReport,
};

use scenario::replay::{Driver, Replay};

use timeline::{escaped, fit_lines};

use super::report::{CallReport, Report};

/// How many waits are worth showing: the others are short.
const WAITS: usize = 5;
/// How many pieces of advice are worth reading at once.
const ADVICE: usize = 3;

/// What happened and what to do, for people who are no developers, in lines of at most `width` cells.
pub(super) fn report(report: &Report, width: usize) -> String {
    let mut out = String::new();
    for (index, call) in report.calls.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        let _ = writeln!(out, "{}", escaped(&call.verdict));
        show_advice(&mut out, &call.findings);
    }
    if !report.calls.is_empty() {
        out.push_str("\n`--details` shows the call step by step, everything that was found, and what was played again.\n");
    }
    show_rest(&mut out, report);
    fit_lines(&out, width)
}

/// What to do, the gravest first, each once.
fn show_advice(out: &mut String, findings: &[Finding]) {
    let mut said: Vec<&str> = Vec::new();
    for severity in [Severity::Error, Severity::Warning] {
        let found = findings.iter().filter(|finding| finding.severity == severity);
        for finding in found.filter(|finding| !finding.advice.is_empty()) {
            if !said.contains(&finding.advice.as_str()) {
                said.push(&finding.advice);
            }
        }
    }
    if said.is_empty() {
        out.push_str("\nNothing needs to be done.\n");
        return;
    }
    out.push_str("\nWhat to do\n");
    for advice in said.into_iter().take(ADVICE) {
        let _ = writeln!(out, "  - {}", escaped(advice));
    }
}

/// All that is known, for developers, in lines of at most `width` cells.
pub(super) fn details(report: &Report, width: usize) -> String {
    let mut out = String::new();
    for (index, call) in report.calls.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        show_call(&mut out, call, width);
    }
    show_rest(&mut out, report);
    fit_lines(&out, width)
}

/// Files that add nothing, or of which a part is missing, and messages that were not understood.
fn show_rest(out: &mut String, report: &Report) {
    report.files.iter().for_each(|file| show_file(out, file));
    if report.unmapped.holds_signalling() {
        let _ = write!(out, "\n{}", report.unmapped.advice());
    }
    if report.calls.is_empty() {
        out.push_str("No call was found.\n");
    }
}

fn show_call(out: &mut String, call: &CallReport, width: usize) {
    let trace = &call.trace;
    let _ = writeln!(out, "{}", escaped(&call.verdict));
    let _ = writeln!(out, "\nCall {} ({}), from", escaped(&trace.id), trace.outcome().as_str());
    for source in &trace.sources {
        let _ = write!(out, "  {} ({})", escaped(&source.file), source.format);
        if source.skew_ms != 0.0 {
            let exact = source.skew_uncertainty_ms.map(|ms| format!(" ± {ms:.0}")).unwrap_or_default();
            let _ = write!(out, ", its clock {:.0}{exact} ms ahead, corrected", source.skew_ms);
        } else if !source.aligned {
            out.push_str(", its clock not tied to the others: no message is in both");
        }
        out.push('\n');
    }
    let _ = write!(out, "\n{}", terminal(&Sequence::new(trace, &call.findings), width));
    show_findings(out, &call.findings);
    show_waits(out, &call.waits);
    show_replay(out, &call.replay);
}

fn show_replay(out: &mut String, replay: &Replay) {
    let played = match replay {
        Replay::Played(played) => played,
        Replay::NotPlayed { reason } => {
            let _ = writeln!(out, "\nNot re-executed: {}.", escaped(&reason.to_string()));
            return;
        }
    };
    let (outcome, matched, captured) = (played.outcome.as_str(), played.matched, played.captured);
    let how = match played.driver {
        Driver::Engine => "against our engine",
        Driver::Applications => "call by call on our engine's peer connections",
    };
    let _ = writeln!(out, "\nRe-executed {how}: {outcome}");
    match captured {
        0 => out.push_str("  No state was captured that could be compared.\n"),
        _ => {
            let _ = writeln!(out, "  {matched} of {captured} captured transitions came again.");
        }
    }
    match &played.divergence {
        Some(divergence) => {
            let _ = writeln!(out, "  The two part here: {}.", escaped(&divergence.to_string()));
        }
        None => out.push_str("  The two do not part.\n"),
    }
    if !played.freedoms.is_empty() {
        let taken = played.freedoms.iter().map(|(freedom, count)| format!("{freedom} × {count}"));
        let _ = writeln!(out, "  Freedoms taken: {}", taken.collect::<Vec<_>>().join(", "));
    }
    for assumption in &played.assumptions {
        let _ = writeln!(out, "  Assumed: {}", escaped(assumption));
    }
}

/// The gravest first.
fn show_findings(out: &mut String, findings: &[Finding]) {
    if findings.is_empty() {
        out.push_str("\nNothing was found that is not as it should be.\n");
        return;
    }
    out.push_str("\nFindings\n");
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        for finding in findings.iter().filter(|finding| finding.severity == severity) {
            let whom = finding.peer.as_ref().map(|peer| format!(", {peer}")).unwrap_or_default();
            let at = finding.at.as_millis_f64();
            let _ = writeln!(out, "  {} {} at {at:.0} ms{whom}", severity.as_str(), finding.code);
            let _ = writeln!(out, "    {}", escaped(&finding.message));
            if !finding.detail.is_empty() {
                let _ = writeln!(out, "    In the capture: {}", escaped(&finding.detail));
            }
            if !finding.advice.is_empty() {
                let _ = writeln!(out, "    What to do: {}", escaped(&finding.advice));
            }
        }
    }
}

fn show_waits(out: &mut String, waits: &[Wait]) {
    if waits.is_empty() {
        return;
    }
    out.push_str("\nWhere the time went, longest first\n");
    for wait in waits.iter().take(WAITS) {
        let took = wait.took.as_secs_f64() * 1e3;
        let _ = writeln!(out, "  {took:>8.0} ms  {}, at {}", wait.kind, wait.peer);
    }
}

/// What of a file could not be used.
fn show_file(out: &mut String, file: &FileReport) {
    if let Some(why) = &file.adds_nothing {
        let _ = writeln!(out, "\n{} ({}) adds nothing: {}.", escaped(&file.file), file.format, escaped(why));
    }
    if file.gaps.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{} could be read in part only:", escaped(&file.file));
    for gap in &file.gaps {
        let line = if gap.line == 0 { String::new() } else { format!("line {}, ", gap.line) };
        let _ = writeln!(out, "  {line}byte {}: {}", gap.offset, escaped(&gap.what));
    }
    if file.gaps_left_out > 0 {
        let _ = writeln!(out, "  and {} more places", file.gaps_left_out);
    }
}
