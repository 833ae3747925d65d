//! Where the time went.

use super::human;
use crate::{
    audit::{Code, Findings, Severity, waits},
    trace::Trace,
};

/// The longest wait on the way to `connected`.
pub(in crate::audit) fn slow_step(trace: &Trace, findings: &mut Findings<'_>) {
    let all = waits(trace);
    let Some(longest) = all.first().filter(|wait| wait.took >= findings.thresholds.slow) else { return };
    let person = longest.kind.is_human();
    let severity = if !person && longest.took >= findings.thresholds.very_slow {
        Severity::Warning
    } else {
        Severity::Note
    };
    let message =
        format!("the longest wait was {}, at {}: {}", longest.kind, longest.peer, human(longest.took));
    let advice = if person { "" } else { "Look at what happened in that time." };
    findings.add(Code::SlowStep, severity, Some(&longest.peer), longest.began, message, advice);
}
