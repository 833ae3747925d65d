//! Descriptions that were sent and did not arrive.

use diagnosis::wording::{duration, moment};
use timeline::{Name, VirtualTime};

use crate::{
    audit::{
        Code, Findings, Severity,
        rounds::{Round, rounds},
    },
    trace::{Loss, Message, ServerEvent, SignalKind, Trace},
};

/// Offers and answers that were lost.
pub(in crate::audit) fn descriptions(trace: &Trace, findings: &mut Findings<'_>) {
    let rounds = rounds(trace);
    let descriptions = trace.messages.iter().filter(|message| message.signal.kind.is_description());
    for message in descriptions.take(MAX) {
        let code = match message.signal.kind {
            SignalKind::Offer => Code::OfferNotDelivered,
            SignalKind::Answer | SignalKind::Pranswer => Code::AnswerNotDelivered,
            _ => continue,
        };
        let Some(loss) = trace.loss(message) else { continue };
        // The call went on, and was negotiated all the same.
        let later = rounds.iter().any(|round| round.succeeded() && round.began() >= message.first_seen());
        let earlier = rounds.iter().any(|round| round.succeeded() && round.began() < message.first_seen());
        let settled = later || earlier && is_glare(&rounds, message);
        let severity = if settled { Severity::Warning } else { Severity::Error };
        let (from, kind) = (&message.from, &message.signal.kind);
        let to = message.to.as_ref().map_or("the other side", |to| to.as_str());
        let what = match loss {
            Loss::Dropped(at) => format!("was dropped by the server at {}", moment(at)),
            Loss::NotPassedOn(at) => {
                format!("reached the server at {} and was never passed on to {to}", moment(at))
            }
            Loss::NotReceived(at) => format!("left at {} and never reached {to}", moment(at)),
            Loss::NotApplied(at) => format!(
                "was made at {} and never applied by {to}: it was lost on its way, or the app of {to} ignored it",
                moment(at)
            ),
        };
        let why = message.to.as_ref().and_then(|to| absence(trace, to, loss.at())).unwrap_or_default();
        let text = format!("the {kind} of {from} for {to} {what}{why}");
        findings.usual(code, severity, Some(from), loss.at(), text);
    }
}

/// More descriptions are no call.
const MAX: usize = 1000;

fn is_glare(rounds: &[Round<'_>], message: &Message) -> bool {
    message.signal.kind == SignalKind::Offer
        && rounds.iter().any(|round| round.succeeded() && round.offer.from != message.from)
}

/// Half a sentence about the addressee's connection to the server, where that had ended.
fn absence(trace: &Trace, to: &Name, at: VirtualTime) -> Option<String> {
    let of = trace.server.iter().filter(|entry| entry.peer == *to);
    let mut last = None;
    for entry in of.clone().filter(|entry| entry.at <= at) {
        last = match entry.event {
            ServerEvent::Closed(code) => Some((entry.at, code)),
            ServerEvent::Rejoined => None,
            ServerEvent::Dropped(_) => last,
        };
    }
    let (closed, code) = last?;
    let code = code.map(|code| format!(" (close code {code})")).unwrap_or_default();
    let ago = duration(at.since(closed));
    let back = of.clone().find(|entry| entry.at > at && entry.event == ServerEvent::Rejoined);
    let back = match back {
        Some(entry) => format!(", and was back at {}, when nobody sent it again", moment(entry.at)),
        None => String::new(),
    };
    Some(format!(": {to}'s connection to the server had ended {ago} before{code}{back}"))
}
