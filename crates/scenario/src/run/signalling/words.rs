//! What the relay does, in the words of the timeline and of the record.

use signaller::relay::{Passage, RelayEvent, RestFault, RestRequest, WebSocketFault};
use timeline::{Event, Name, VirtualTime};

use crate::{
    plan::Plan,
    record::{Fate, SignallingRecord},
    run::recorder::Recording,
};

/// Writes down what the relay did.
pub(super) fn relay_event(recording: &Recording, at: VirtualTime, event: &RelayEvent) {
    recording.relay_did(at, event);
    recording.signalling(|record| note(record, at, event));
    if let Some(written) = written(event) {
        recording.note(at, &Name::new(Plan::SIGNALLER), written);
    }
}

fn note(record: &mut SignallingRecord, at: VirtualTime, event: &RelayEvent) {
    let mut fated = |passage: &Passage, fate| {
        record.accepted(&passage.from, passage.id, at);
        record.fated(&passage.from, passage.id, fate);
    };
    match event {
        RelayEvent::Relayed(passage) | RelayEvent::Stored(passage) => {
            record.accepted(&passage.from, passage.id, at);
        }
        RelayEvent::Held { passage, .. } => fated(passage, Fate::Held),
        RelayEvent::Dropped(passage) => fated(passage, Fate::Dropped),
        RelayEvent::Duplicated(passage) => fated(passage, Fate::Duplicated),
        RelayEvent::Forgotten { participant, .. } => record.forgotten(participant),
        _ => {}
    }
}

/// `None` for what goes as it should.
fn written(event: &RelayEvent) -> Option<Event> {
    let fault = |what: String| Event::Fault { what: what.into() };
    let note = |what: String| Event::Note { what: what.into() };
    Some(match event {
        RelayEvent::Held { passage, by } => Event::MessageHeld {
            id: passage.id,
            kind: passage.kind,
            from: passage.from.clone(),
            to: passage.to.clone(),
            for_ms: u64::try_from(by.as_millis()).unwrap_or(u64::MAX),
        },
        RelayEvent::Dropped(passage) => fault(format!("drops {}", of(passage))),
        RelayEvent::Duplicated(passage) => fault(format!("passes {} on twice", of(passage))),
        RelayEvent::WebSocketFault { participant, fault: struck } => fault(websocket(participant, *struck)),
        RelayEvent::RestFault { participant, request, fault: struck } => {
            fault(rest(participant, *request, *struck))
        }
        RelayEvent::Joined { participant, waiting: 0, .. } => note(format!("{participant} joined")),
        RelayEvent::Joined { participant, waiting, .. } => {
            note(format!("{participant} joined, {waiting} messages wait for it"))
        }
        RelayEvent::Left { participant, .. } => note(format!("{participant} left")),
        RelayEvent::Forgotten { participant, waiting, .. } => {
            note(format!("forgets {participant}, for whom {waiting} messages wait"))
        }
        RelayEvent::Rejected { participant, code, reason, .. } => {
            let whom = participant.as_ref().map_or_else(String::new, |who| format!(" of {who}"));
            Event::Problem { what: format!("refused a message{whom}: {code}: {reason}").into() }
        }
        RelayEvent::Duplicate(passage) => {
            note(format!("dropped a duplicate {} from {}", passage.kind, passage.from))
        }
        _ => return None,
    })
}

fn of(passage: &Passage) -> String {
    format!("{} from {} to {}", passage.kind, passage.from, passage.to)
}

fn websocket(whose: &Name, fault: WebSocketFault) -> String {
    match fault {
        WebSocketFault::Refused { status } => format!("the WebSocket of {whose} is refused: {status}"),
        WebSocketFault::Hangs => format!("the WebSocket of {whose} gets no answer"),
        WebSocketFault::CutAfter(after) => format!("the WebSocket of {whose} is cut after {after:?}"),
        WebSocketFault::CutAfterBytes(bytes) => {
            format!("the WebSocket of {whose} is cut after {bytes} bytes")
        }
        WebSocketFault::HalfOpenAfter(_) => {
            format!("nothing passes the WebSocket of {whose} any more, and nobody is told")
        }
        WebSocketFault::Buffered { bytes, within } => format!(
            "a proxy keeps what {whose} is to get on its WebSocket until it has {bytes} bytes, or for {within:?}"
        ),
        other => format!("the WebSocket of {whose}: {other:?}"),
    }
}

fn rest(whose: &Name, request: RestRequest, fault: RestFault) -> String {
    let what = match request {
        RestRequest::Post => "post",
        RestRequest::Poll => "poll",
    };
    match fault {
        RestFault::TooManyRequests { retry_after } => {
            format!("a {what} of {whose} is answered 429, again after {retry_after:?}")
        }
        RestFault::ServerError => format!("a {what} of {whose} is answered 500"),
        RestFault::AnswerLost => format!("a {what} of {whose} is carried out and answered 500"),
        RestFault::Slow(by) => format!("a {what} of {whose} takes {by:?}"),
        other => format!("a {what} of {whose}: {other:?}"),
    }
}
