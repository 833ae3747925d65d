//! What a relay does, as the lines of a log that `cargo xtask replay` reads.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Passage, RelayEvent};
use crate::{
    Envelope, ParticipantId,
    message::{CallId, VERSION},
};

/// How many messages the log remembers in order to say of each once when it came in: those of a relay's last
/// hour or so.
const REMEMBERED: usize = 10_000;

/// How many calls of one participant it remembers.
const REMEMBERED_CALLS: usize = 64;

/// Turns the events of a relay into lines, one JSON object each, without their line ends:
/// `{"ts":1795415919274,"dir":"in","peer":"alice","call":"c1","msg":{…}}`.
///
/// `dir` is `in` for what came from the peer, `out` for what was written to it, `drop` for what was not passed on,
/// `close` where its connection ended: one line for each call in which it had messages, of which there is one on a relay
/// with tokens; and `-` for the call of one that had none. `msg` is the message as it went over the wire, descriptions
/// and candidates included: who may read the log may read those.
#[derive(Debug, Default)]
pub struct RelayLog {
    seen: BTreeSet<Key>,
    order: VecDeque<Key>,
    /// The calls of participants who entered without tokens.
    calls: BTreeMap<ParticipantId, BTreeSet<CallId>>,
}

/// A message, by its call, its sender and its sender's number for it.
type Key = (CallId, ParticipantId, u64);

#[derive(Serialize)]
struct Line<'l> {
    ts: u64,
    dir: &'static str,
    peer: &'l ParticipantId,
    call: &'l CallId,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg: Option<Box<RawValue>>,
}

impl RelayLog {
    /// The lines of one event that was told at `ts`, milliseconds since the Unix epoch, or of a virtual world.
    pub fn lines(&mut self, ts: u64, event: &RelayEvent) -> Vec<String> {
        match event {
            RelayEvent::Relayed(passage)
            | RelayEvent::Stored(passage)
            | RelayEvent::Held { passage, .. }
            | RelayEvent::Duplicated(passage) => self.came(ts, passage),
            RelayEvent::Dropped(passage) => {
                let mut lines = self.came(ts, passage);
                lines.extend(line(ts, "drop", &passage.from, &passage.call, whole(passage)));
                lines
            }
            RelayEvent::Written { participant, message, .. } => {
                let Ok(Envelope { call, from, .. }) = Envelope::from_json_within(message, usize::MAX) else {
                    return Vec::new();
                };
                // The relay's own answers were no line when they came either.
                if from == *crate::message::RELAY {
                    return Vec::new();
                }
                self.note_call(participant, &call);
                let message = std::str::from_utf8(message).ok().map(str::to_owned);
                let message = message.and_then(|message| RawValue::from_string(message).ok());
                line(ts, "out", participant, &call, message).into_iter().collect()
            }
            RelayEvent::Left { call: Some(call), participant } => {
                line(ts, "close", participant, call, None).into_iter().collect()
            }
            RelayEvent::Left { call: None, participant } => {
                let calls = self.calls.get(participant).cloned().unwrap_or_else(|| [CallId::none()].into());
                calls.iter().filter_map(|call| line(ts, "close", participant, call, None)).collect()
            }
            RelayEvent::Forgotten { call: None, participant, .. } => {
                self.calls.remove(participant);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// The line of a message that came in, where this is the first that is told of it.
    fn came(&mut self, ts: u64, passage: &Passage) -> Vec<String> {
        let key = (passage.call.clone(), passage.from.clone(), passage.id);
        if !self.seen.insert(key.clone()) {
            return Vec::new();
        }
        self.order.push_back(key);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        self.note_call(&passage.from, &passage.call);
        line(ts, "in", &passage.from, &passage.call, whole(passage)).into_iter().collect()
    }

    fn note_call(&mut self, participant: &ParticipantId, call: &CallId) {
        if self.calls.len() < REMEMBERED || self.calls.contains_key(participant) {
            let calls = self.calls.entry(participant.clone()).or_default();
            if calls.len() >= REMEMBERED_CALLS {
                calls.pop_first();
            }
            calls.insert(call.clone());
        }
    }
}

/// The message of a passage, as its sender would write it.
fn whole(passage: &Passage) -> Option<Box<RawValue>> {
    let envelope = Envelope {
        version: VERSION,
        id: passage.id,
        call: passage.call.clone(),
        from: passage.from.clone(),
        to: passage.to.clone(),
        body: (*passage.body).clone(),
    };
    RawValue::from_string(String::from_utf8(envelope.to_json()).ok()?).ok()
}

fn line(
    ts: u64,
    dir: &'static str,
    peer: &ParticipantId,
    call: &CallId,
    msg: Option<Box<RawValue>>,
) -> Option<String> {
    serde_json::to_string(&Line { ts, dir, peer, call, msg }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;

    fn passage(id: u64, call: &str, to: &str) -> Passage {
        let body = Message::Offer { sdp: "v=0\r\n".to_owned(), negotiation: 1 };
        Passage::of(&Envelope {
            version: VERSION,
            id,
            call: call.into(),
            from: "a".into(),
            to: to.into(),
            body,
        })
    }

    fn written(call: Option<&str>, passage: &Passage) -> RelayEvent {
        let message = whole(passage).unwrap().get().to_owned().into();
        RelayEvent::Written { call: call.map(CallId::new), participant: passage.to.clone(), message }
    }

    fn left(call: Option<&str>, who: &str) -> RelayEvent {
        RelayEvent::Left { call: call.map(CallId::new), participant: who.into() }
    }

    fn shape(lines: &[String]) -> Vec<String> {
        let read = |line: &String| -> serde_json::Value { serde_json::from_str(line).unwrap() };
        lines
            .iter()
            .map(read)
            .map(|line| format!("{} {} {}", line["dir"], line["peer"], line["call"]).replace('"', ""))
            .collect()
    }

    #[test]
    fn a_message_comes_in_once_and_goes_out_with_its_body() {
        let mut log = RelayLog::default();
        let (by, passage) = (std::time::Duration::from_secs(1), passage(1, "c", "b"));
        let held = RelayEvent::Held { passage: passage.clone(), by };
        assert_eq!(shape(&log.lines(1, &held)), ["in a c"]);
        assert!(log.lines(1001, &RelayEvent::Relayed(passage.clone())).is_empty(), "not written yet");
        let out = log.lines(1002, &written(None, &passage));
        assert_eq!(shape(&out), ["out b c"]);
        let line: serde_json::Value = serde_json::from_str(&out[0]).unwrap();
        assert_eq!((&line["ts"], &line["msg"]["body"]["sdp"]), (&1002.into(), &"v=0\r\n".into()));
    }

    #[test]
    fn what_waits_goes_out_when_it_is_written_and_not_before() {
        let mut log = RelayLog::default();
        let passage = passage(1, "c", "b");
        assert_eq!(shape(&log.lines(1, &RelayEvent::Stored(passage.clone()))), ["in a c"]);
        let joined = RelayEvent::Joined {
            call: Some("another".into()),
            participant: "b".into(),
            session: "s".into(),
            waiting: 0,
        };
        assert!(log.lines(2, &joined).is_empty());
        assert_eq!(shape(&log.lines(3, &written(Some("c"), &passage))), ["out b c"]);
    }

    #[test]
    fn what_is_dropped_is_told_with_its_sender() {
        let mut log = RelayLog::default();
        let dropped = RelayEvent::Dropped(passage(1, "c", "b"));
        assert_eq!(shape(&log.lines(1, &dropped)), ["in a c", "drop a c"]);
    }

    #[test]
    fn a_close_names_the_call_or_without_tokens_each() {
        let mut log = RelayLog::default();
        assert_eq!(shape(&log.lines(1, &left(Some("c"), "a"))), ["close a c"]);
        assert_eq!(shape(&log.lines(1, &left(None, "a"))), ["close a -"]);
        for call in ["c", "d"] {
            assert_eq!(log.lines(2, &RelayEvent::Stored(passage(1, call, "b"))).len(), 1);
        }
        assert_eq!(shape(&log.lines(3, &left(None, "a"))), ["close a c", "close a d"]);
    }
}
