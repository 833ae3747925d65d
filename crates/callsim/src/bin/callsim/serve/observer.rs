//! What the relay does, for the log and for whoever looks on.

use std::sync::{Arc, Mutex, PoisonError};

use signaller::{
    ParticipantId,
    delivery::status_of,
    message::CallId,
    relay::{Observer, RelayEvent, RelayLog},
};
use timeline::escaped;

use super::{in_one_line, lines::Lines, now};

/// Leaves lines about everything for the log, and about some of it for the terminal; never waits for either.
pub(super) fn observer(terminal: Option<Lines>, log: Option<Lines>) -> Observer {
    let log = log.map(|lines| (Mutex::new(RelayLog::default()), lines));
    Arc::new(move |event| {
        if let Some((log, lines)) = &log {
            let ts = u64::try_from(now().as_millis()).unwrap_or(u64::MAX);
            let log = &mut log.lock().unwrap_or_else(PoisonError::into_inner);
            // Escaped, JSON means the same.
            log.lines(ts, &event).iter().for_each(|line| lines.push(escaped(line).into_owned()));
        }
        if let Some(terminal) = &terminal
            && let Some(line) = said(&event)
        {
            terminal.push(in_one_line(&line));
        }
    })
}

fn said(event: &RelayEvent) -> Option<String> {
    Some(match event {
        RelayEvent::Joined { call, participant, waiting, .. } => {
            format!("{} joined, {waiting} messages wait for it", who(call.as_ref(), Some(participant)))
        }
        RelayEvent::Left { call, participant } => format!("{} left", who(call.as_ref(), Some(participant))),
        RelayEvent::Forgotten { call, participant, waiting } => {
            format!("{} is forgotten, with {waiting} messages", who(call.as_ref(), Some(participant)))
        }
        RelayEvent::Rejected { call, participant, code, reason } => {
            let who = who(call.as_ref(), participant.as_ref());
            format!("refused something of {who}: {code} ({}): {reason}", status_of(code))
        }
        RelayEvent::Refused { call, participant, code, reason } => {
            let who = who(call.as_ref(), participant.as_ref());
            format!("refused a request of {who}: {code} ({}): {reason}", status_of(code))
        }
        _ => return None,
    })
}

fn who(call: Option<&CallId>, participant: Option<&ParticipantId>) -> String {
    let name = participant.map_or("somebody", |participant| participant.as_str());
    call.map_or_else(|| name.to_owned(), |call| format!("{name} in call {}", call.as_str()))
}

#[cfg(test)]
mod tests {
    use signaller::ErrorCode;

    use super::*;

    #[track_caller]
    fn check(event: &RelayEvent, expect: &str) {
        assert_eq!(said(event).as_deref().map(in_one_line).as_deref(), Some(expect));
    }

    #[test]
    fn names_steer_no_terminal_and_forge_no_line() {
        let (call, participant) = (Some("c\u{9b}2J".into()), "\u{1b}]0;owned\u{7}\nroot joined".into());
        let left = RelayEvent::Left { call, participant };
        check(&left, r"\u001b]0;owned\u0007\nroot joined in call c\u009b2J left");
    }

    #[test]
    fn what_is_refused_is_said_with_its_status() {
        let refused = RelayEvent::Refused {
            call: Some("c".into()),
            participant: Some("eve".into()),
            code: ErrorCode::Unauthorized,
            reason: "no token".to_owned(),
        };
        check(&refused, "refused a request of eve in call c: unauthorized (401): no token");
    }
}
