//! What media servers say of the connection themselves.

use diagnosis::wording::count;
use timeline::Name;

use crate::{
    audit::{Code, Findings, Severity, finding::has_connected},
    trace::{Outcome, Report, SignalKind, Trace},
};

/// Failures that a server reported.
pub(in crate::audit) fn failures(trace: &Trace, findings: &mut Findings<'_>) {
    let mut up = false;
    let (mut slow, mut silent) = (0_usize, false);
    for (at, message, report) in trace.reports() {
        let about = message.to.as_ref();
        let whose = about.map_or_else(String::new, |name: &Name| format!(" with {name}"));
        match report {
            Report::Up => up = true,
            report if up && report.is_close_notify() => {}
            Report::Failed { reason } => {
                let when = if up { "was up, and then failed" } else { "failed" };
                let text = format!("the server reports that its connection{whose} {when}: {reason}");
                findings.usual(Code::ServerReportedFailure, Severity::Error, about, at, text);
            }
            Report::NotAcknowledged { times } => {
                let mut answers = trace.messages.iter().filter(|it| it.signal.kind == SignalKind::Answer);
                let from = answers.rfind(|it| it.first_seen() <= at).map_or(&message.from, |it| &it.from);
                let text = format!(
                    "{from} sent its answer {times} times, and the other side acknowledged none of them"
                );
                findings.usual(Code::AnswerNotDelivered, Severity::Error, Some(from), at, text);
                findings.detail("200 OK without ACK (RFC 3261 §13.3.1.4)");
            }
            Report::Slow { .. } => {
                slow += 1;
                if slow == 1 {
                    let all = trace.reports().filter(|(_, _, it)| matches!(it, Report::Slow { .. })).count();
                    let text = format!("the server reports a slow link{whose} ({})", count(all, "report"));
                    findings.usual(Code::ServerReportedFailure, Severity::Warning, about, at, text);
                }
            }
            Report::Media { kind, receiving: false } if !silent => {
                silent = true;
                let text = format!("the server reports that it receives no {kind} of the participant{whose}");
                findings.usual(Code::ServerReportedFailure, Severity::Warning, about, at, text);
            }
            Report::Media { .. } | Report::Ended { .. } => {}
        }
    }
    let refusals = trace.messages.iter().filter(|message| message.signal.kind == SignalKind::Error);
    for message in refusals {
        let Some(reason) = &message.signal.reason else { continue };
        let text = format!("the server answered with an error: {reason}");
        let about = message.to.as_ref();
        let connected = has_connected(trace) || trace.outcome() == Outcome::Connected;
        let severity = if connected { Severity::Warning } else { Severity::Error };
        findings.usual(Code::ServerReportedFailure, severity, about, message.first_seen(), text);
    }
}
