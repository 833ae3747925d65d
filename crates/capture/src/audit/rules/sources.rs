//! What the capture itself is worth.

use timeline::VirtualTime;

use crate::{
    audit::{
        Code, Findings, Severity,
        rounds::{Round, rounds},
    },
    trace::{Connection, Trace},
};

/// Messages in which nothing was understood: what is missing in the call may be in them.
fn not_understood(trace: &Trace, findings: &mut Findings<'_>) {
    let number = trace.not_understood();
    if number == 0 {
        return;
    }
    let rounds = rounds(trace);
    let open = rounds.iter().any(|round| round.answer.is_none()) || rounds.is_empty();
    let settled = !open && rounds.iter().any(Round::succeeded);
    let severity = if settled { Severity::Note } else { Severity::Warning };
    let (messages, were) =
        (super::count(number as usize, "message"), if number == 1 { "was" } else { "were" });
    let missing = if open { "; an answer may be among them" } else { "" };
    let text = format!("{messages} at the same connection {were} not understood{missing}");
    findings.usual(Code::MessagesNotUnderstood, severity, None, VirtualTime::ZERO, text);
}

/// Clocks that differ, and parts that are missing.
pub(in crate::audit) fn sources(trace: &Trace, findings: &mut Findings<'_>) {
    let start = VirtualTime::ZERO;
    for peer in trace.peers.iter().filter(|peer| peer.connections.iter().any(Connection::was_found)) {
        let message =
            format!("the capture began when the connection of {} stood, or had failed, already", peer.id);
        let advice = "Ask for another capture, and to open the page before the call begins.";
        findings.add(Code::PartialCapture, Severity::Note, Some(&peer.id), start, message, advice);
    }
    not_understood(trace, findings);
    for source in &trace.sources {
        if source.whole_seconds {
            let message = format!(
                "the clock of {} shows whole seconds: a time between two events is right to within a second",
                source.file
            );
            findings.usual(Code::ClockWholeSeconds, Severity::Note, None, start, message);
        }
        for contradiction in &source.contradictions {
            let message = format!("{}: {contradiction}", source.file);
            findings.usual(Code::NamesContradict, Severity::Warning, None, start, message);
        }
        if source.skew_ms != 0.0 {
            let way = if source.skew_ms > 0.0 { "ahead of" } else { "behind" };
            let skew = super::human(std::time::Duration::from_secs_f64(source.skew_ms.abs() / 1e3));
            let exact =
                source.skew_uncertainty_ms.map(|ms| format!(", give or take {ms:.0} ms")).unwrap_or_default();
            let message = format!(
                "the clock of {} is {skew} {way} the others{exact}; its times are corrected",
                source.file
            );
            findings.add(Code::ClockSkew, Severity::Note, None, start, message, "");
        } else if !source.aligned {
            let message =
                format!("no message ties {} to the other files: its clock is taken as right", source.file);
            findings.add(Code::ClockSkew, Severity::Note, None, start, message, "Are the files of one call?");
        }
        if let Some(gap) = source.gaps.first() {
            let more = match source.gaps.len() {
                1 => String::new(),
                more => format!(" (and {} more gaps)", more - 1),
            };
            let place = if gap.line > 0 { format!(":{}", gap.line) } else { String::new() };
            let message = format!("a part of {}{place} is missing: {}{more}", source.file, gap.what);
            findings.add(
                Code::PartialCapture,
                Severity::Note,
                None,
                start,
                message,
                "What is not in the capture cannot be judged.",
            );
        }
    }
}
