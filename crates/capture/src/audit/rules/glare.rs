//! Both sides offer at once.

use crate::{
    audit::{
        Code, Findings, Severity,
        rounds::{Round, crossing, rounds},
    },
    trace::Trace,
};

pub(in crate::audit) fn glare(trace: &Trace, findings: &mut Findings<'_>) {
    let rounds = rounds(trace);
    for (first, second) in crossing(&rounds) {
        let at = second.began();
        let (a, b) = (&first.offer.from, &second.offer.from);
        let message = format!("{a} and {b} made an offer at the same time, before either had the other's");
        findings.add(Code::Glare, Severity::Note, None, at, message, "");
        match (first.succeeded(), second.succeeded()) {
            (true, false) => rolled_back(&second, findings),
            (false, true) => rolled_back(&first, findings),
            _ if settled_later(&rounds, &first, &second) => rolled_back(&first, findings),
            _ => {
                let what = match (first.answer, second.answer) {
                    (Some(_), Some(_)) => {
                        "both gave way and answered, so that neither answer could be applied"
                    }
                    _ => "neither offer was answered",
                };
                let message = format!("the two offers of {a} and {b} crossed, and {what}: the call hangs");
                let advice = "Make one side polite: it rolls its offer back and answers; the other ignores the \
                     offer that it gets (\"perfect negotiation\", W3C webrtc-pc §10.7).";
                findings.add(Code::GlareUnresolved, Severity::Error, None, at, message, advice);
            }
        }
    }
}

/// Both offers were given up, and a later one went through.
fn settled_later(rounds: &[Round<'_>], first: &Round<'_>, second: &Round<'_>) -> bool {
    let later = first.began().max(second.began());
    rounds.iter().any(|round| round.began() > later && round.succeeded())
}

fn rolled_back(loser: &Round<'_>, findings: &mut Findings<'_>) {
    let peer = &loser.offer.from;
    let message = format!("{peer} gave its own offer up and answered the other one");
    findings.add(Code::GlareRolledBack, Severity::Note, Some(peer), loser.began(), message, "");
}
