//! A signalling server's log, one JSON object a line:
//! `{"ts":1795415919274,"dir":"in","peer":"alice","msg":{…}}`.
//!
//! | field | meaning |
//! |---|---|
//! | `ts` | milliseconds since the epoch (or seconds, told by size; or an ISO 8601 text) |
//! | `dir` | `in`: from the peer; `out`: to the peer; `drop`: not passed on; `close`: its connection ended |
//! | `peer` | the participant at the other end of the connection; of a `drop`, its sender or its addressee: the message tells which |
//! | `msg` | the message, in any form that a mapping understands |
//! | `code` | of a `close`: the WebSocket close code (RFC 6455 §7.4) |
//!
//! Usual other names of the fields are accepted: `time`, `timestamp`, `at`; `direction`; `participant`, `client`, `user`,
//! `conn`, `who`; `message`, `data`, `payload`, `frame`; and, beside a message, `event`, `evt`, `action`, `op` for the
//! direction. So are usual other words: `recv`, `received`, `rx`, `incoming`; `send`, `sent`, `tx`, `outgoing`, `forwarded`;
//! `dropped`, `undeliverable`; `closed`, `disconnect`, `left`. A mapping file can describe any other line of JSON ([`LineMapping`]).

use serde_json::{Map, Value};

use super::{
    Recording, RelayDirection, RelayLine,
    input::{Budget, Input},
    lines::{LineError, for_each_line, object},
    times,
};
use crate::{
    limits::Limits,
    mapping::{LineMapping, LineWord, Mapped, Mappings},
    moment::Moment,
    trace::{Signal, SignalKind},
};

/// The names under which the time stands.
pub(super) const TIME_KEYS: &[&str] =
    &["ts", "time", "timestamp", "at", "@timestamp", "t", "datetime", "date"];
/// The names under which the direction stands.
pub(super) const DIRECTION_KEYS: &[&str] = &["dir", "direction"];
/// The names under which it stands as well, where a message stands beside it: they may mean anything else.
pub(super) const EVENT_KEYS: &[&str] = &["event", "evt", "action", "op"];
/// The names under which the message stands.
pub(super) const MESSAGE_KEYS: &[&str] = &["msg", "message", "data", "payload", "frame"];
const PEER_KEYS: &[&str] = &[
    "peer",
    "participant",
    "client",
    "user",
    "conn",
    "connection",
    "who",
    "peerId",
    "clientId",
    "userId",
    "username",
    "participantId",
];

pub(super) fn read(
    mut recording: Recording,
    input: &mut Input<'_>,
    mappings: &Mappings,
    limits: &Limits,
) -> Recording {
    for_each_line(&mut recording, input, limits, |recording, text, budget| {
        line(recording, text, mappings, budget)
    });
    recording
}

fn line(
    recording: &mut Recording,
    text: &str,
    mappings: &Mappings,
    budget: &mut Budget,
) -> Result<(), LineError> {
    let fields = object(text)?;
    let missing = |what| LineError::Missing { what };
    let code = fields.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
    let whole = Value::Object(fields);
    let own = mappings.line().filter(|own| own.fits(&whole));
    let find = |keys: &[&str], places: fn(&LineMapping) -> &Vec<String>| match own {
        Some(own) => LineMapping::find(&whole, places(own)),
        None => whole.as_object().and_then(|fields| first(fields, keys)),
    };
    let at = find(TIME_KEYS, |own| &own.time).and_then(moment).ok_or(missing("time that can be read"))?;
    recording.observe(at);
    let word = find(DIRECTION_KEYS, |own| &own.direction)
        .or_else(|| first(whole.as_object()?, EVENT_KEYS))
        .and_then(Value::as_str)
        .ok_or(missing("direction"))?;
    let meaning = own.and_then(|own| own.meaning(word)).map(|meaning| of_word(meaning, code));
    let direction = meaning
        .or_else(|| direction(word, code))
        .ok_or_else(|| LineError::UnknownDirection { word: word.to_owned() })?;
    let peer = match find(PEER_KEYS, |own| &own.person) {
        Some(Value::String(name)) => name.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let signals = match find(MESSAGE_KEYS, |own| &own.message) {
        None if matches!(direction, RelayDirection::Close(_)) => {
            vec![Signal::of(SignalKind::Other("close".to_owned()))]
        }
        None => return Err(missing("message")),
        Some(message) => match mappings.value(message) {
            Mapped::Signals(signals) => signals,
            Mapped::Unknown(value) => {
                recording.unmapped.note(&value);
                if budget.take(peer.len() + 64) {
                    recording.relay_not_understood.push((at, peer));
                }
                return Ok(());
            }
            Mapped::Ignored => return Ok(()),
        },
    };
    for mut signal in signals {
        let peer = at_whose_end(recording, direction, &peer, &mut signal);
        if budget.take(text.len()) {
            recording.relay.push(RelayLine { at, direction, peer, signal });
        }
    }
    Ok(())
}

/// At whose end the message was seen: whom the line names, else whom the message names. Of a message that was dropped,
/// the line may name the sender or the addressee: the message itself says which of them is its sender. Any other
/// contradiction between the two is kept, and the line is believed: it is the connection's.
fn at_whose_end(
    recording: &mut Recording,
    direction: RelayDirection,
    line: &str,
    signal: &mut Signal,
) -> String {
    let said = match direction {
        RelayDirection::In | RelayDirection::Drop => &mut signal.from,
        RelayDirection::Out | RelayDirection::Close(_) => &mut signal.to,
    };
    match said {
        _ if line.is_empty() => said.clone().unwrap_or_default(),
        Some(name) if direction == RelayDirection::Drop => name.clone(),
        Some(name) if name != line && direction == RelayDirection::In => {
            let sentence = format!("{line} sent a message ({}) that names {name} as its sender", signal.kind);
            signal.from = None;
            recording.contradiction(sentence);
            line.to_owned()
        }
        _ => line.to_owned(),
    }
}

fn first<'v>(fields: &'v Map<String, Value>, names: &[&str]) -> Option<&'v Value> {
    names.iter().find_map(|name| fields.get(*name))
}

/// Milliseconds or seconds since the epoch (see the HAR reader), or a text.
fn moment(value: &Value) -> Option<Moment> {
    match value {
        Value::String(text) => times::moment(text),
        number => {
            let number = number.as_f64()?;
            // Small numbers of milliseconds are a virtual world's; only what looks like today is in seconds.
            let seconds = (1e9..1e11).contains(&number);
            Moment::from_millis(if seconds { number * 1e3 } else { number })
        }
    }
}

const fn of_word(word: LineWord, code: Option<u16>) -> RelayDirection {
    match word {
        LineWord::In => RelayDirection::In,
        LineWord::Out => RelayDirection::Out,
        LineWord::Drop => RelayDirection::Drop,
        LineWord::Close => RelayDirection::Close(code),
    }
}

fn direction(word: &str, code: Option<u16>) -> Option<RelayDirection> {
    Some(match word.to_ascii_lowercase().as_str() {
        "in" | "recv" | "receive" | "received" | "rx" | "from" | "inbound" | "incoming" => RelayDirection::In,
        "out" | "send" | "sent" | "tx" | "to" | "outbound" | "outgoing" | "forward" | "forwarded"
        | "relayed" | "delivered" => RelayDirection::Out,
        "drop" | "dropped" | "undeliverable" | "undelivered" | "discarded" => RelayDirection::Drop,
        "close" | "closed" | "disconnect" | "disconnected" | "left" => RelayDirection::Close(code),
        _ => return None,
    })
}
