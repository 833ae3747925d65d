//! Where the time went.

use super::human;
use crate::{
    audit::{Code, Findings, Severity, waits},
    trace::Trace,
};

/// The longest wait on the way to `connected`.
pub(in crate::audit) fn slow_step(trace: &Trace, findings: &mut Findings<'_>) {
    // The time that a person took is no slow step; and a clock that shows whole seconds makes a second of nothing.
    let slow = findings.thresholds.slow + trace.resolution();
    let all = waits(trace);
    let machines = all.iter().find(|wait| !wait.kind.is_human());
    let Some(longest) = machines.filter(|wait| wait.took >= slow) else { return };
    let severity = if longest.took >= findings.thresholds.very_slow + trace.resolution() {
        Severity::Warning
    } else {
        Severity::Note
    };
    let about = if trace.resolution().is_zero() { "" } else { "about " };
    let message = format!(
        "the longest wait for a machine was {}, at {}: {about}{}",
        longest.kind,
        longest.peer,
        human(longest.took)
    );
    let advice = "Look at what happened in that time.";
    findings.add(Code::SlowStep, severity, Some(&longest.peer), longest.began, message, advice);
}
