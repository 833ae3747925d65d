//! What a relay does, as the lines of a log that `cargo xtask replay` reads.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

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

/// Turns the events of a relay into lines, one JSON object each, without their line ends:
/// `{"ts":1795415919274,"dir":"in","peer":"alice","msg":{…}}`.
///
/// `dir` is `in` for what came from the peer, `out` for what is passed on to it, `drop` for what is not, `close`
/// where its connection ended. `msg` is the message as it went over the wire, descriptions and candidates
/// included: who may read the log may read those.
#[derive(Debug, Default)]
pub struct RelayLog {
    seen: BTreeSet<Key>,
    order: std::collections::VecDeque<Key>,
    /// What waits for participants who are away.
    waiting: BTreeMap<(CallId, ParticipantId), Vec<Passage>>,
}

/// A message, by its call, its sender and its sender's number for it.
type Key = (CallId, ParticipantId, u64);

#[derive(Serialize)]
struct Line<'l> {
    ts: u64,
    dir: &'static str,
    peer: &'l ParticipantId,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg: Option<Box<RawValue>>,
}

impl RelayLog {
    /// The lines of one event that was told at `ts`, milliseconds since the Unix epoch, or of a virtual world.
    pub fn lines(&mut self, ts: u64, event: &RelayEvent) -> Vec<String> {
        match event {
            RelayEvent::Relayed(passage) => {
                let mut lines = self.came(ts, passage);
                lines.extend(line(ts, "out", &passage.to, Some(passage)));
                lines
            }
            RelayEvent::Stored(passage) => {
                let lines = self.came(ts, passage);
                let key = (passage.call.clone(), passage.to.clone());
                self.waiting.entry(key).or_default().push(passage.clone());
                lines
            }
            RelayEvent::Held { passage, .. } | RelayEvent::Duplicated(passage) => self.came(ts, passage),
            RelayEvent::Dropped(passage) => {
                let mut lines = self.came(ts, passage);
                lines.extend(line(ts, "drop", &passage.from, Some(passage)));
                lines
            }
            RelayEvent::Joined { participant, .. } => {
                let waited = self.waiting.extract_if(.., |(_, to), _| to == participant);
                let passages: Vec<Passage> = waited.flat_map(|(_, passages)| passages).collect();
                passages.iter().filter_map(|passage| line(ts, "out", participant, Some(passage))).collect()
            }
            RelayEvent::Left { participant } => line(ts, "close", participant, None).into_iter().collect(),
            RelayEvent::Forgotten { participant, .. } => {
                self.waiting.retain(|(_, to), _| to != participant);
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
        line(ts, "in", &passage.from, Some(passage)).into_iter().collect()
    }
}

fn line(ts: u64, dir: &'static str, peer: &ParticipantId, passage: Option<&Passage>) -> Option<String> {
    let msg = passage.and_then(|passage| {
        let envelope = Envelope {
            version: VERSION,
            id: passage.id,
            call: passage.call.clone(),
            from: passage.from.clone(),
            to: passage.to.clone(),
            body: Arc::unwrap_or_clone(passage.body.clone()),
        };
        RawValue::from_string(String::from_utf8(envelope.to_json()).ok()?).ok()
    });
    serde_json::to_string(&Line { ts, dir, peer, msg }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;

    fn passage(id: u64, to: &str) -> Passage {
        let body = Message::Offer { sdp: "v=0\r\n".to_owned(), negotiation: 1 };
        Passage::of(&Envelope {
            version: VERSION,
            id,
            call: "c".into(),
            from: "a".into(),
            to: to.into(),
            body,
        })
    }

    fn shape(lines: &[String]) -> Vec<String> {
        let read = |line: &String| -> serde_json::Value { serde_json::from_str(line).unwrap() };
        lines
            .iter()
            .map(read)
            .map(|line| format!("{} {}", line["dir"], line["peer"]).replace('"', ""))
            .collect()
    }

    #[test]
    fn a_message_comes_in_once_and_goes_out_with_its_body() {
        let mut log = RelayLog::default();
        let by = std::time::Duration::from_secs(1);
        assert_eq!(shape(&log.lines(1, &RelayEvent::Held { passage: passage(1, "b"), by })), ["in a"]);
        let out = log.lines(1001, &RelayEvent::Relayed(passage(1, "b")));
        assert_eq!(shape(&out), ["out b"]);
        let line: serde_json::Value = serde_json::from_str(&out[0]).unwrap();
        assert_eq!((&line["ts"], &line["msg"]["body"]["sdp"]), (&1001.into(), &"v=0\r\n".into()));
    }

    #[test]
    fn what_waits_goes_out_when_its_addressee_joins() {
        let mut log = RelayLog::default();
        assert_eq!(shape(&log.lines(1, &RelayEvent::Stored(passage(1, "b")))), ["in a"]);
        let joined =
            |who: &str| RelayEvent::Joined { participant: who.into(), session: "s".into(), waiting: 1 };
        assert!(log.lines(2, &joined("c")).is_empty());
        assert_eq!(shape(&log.lines(3, &joined("b"))), ["out b"]);
        assert!(log.lines(4, &joined("b")).is_empty(), "once");
    }

    #[test]
    fn what_is_dropped_is_told_with_its_sender() {
        let mut log = RelayLog::default();
        assert_eq!(shape(&log.lines(1, &RelayEvent::Dropped(passage(1, "b")))), ["in a", "drop a"]);
        assert_eq!(shape(&log.lines(2, &RelayEvent::Left { participant: "a".into() })), ["close a"]);
    }
}
