//! A signalling server's log, one JSON object a line:
//! `{"ts":1795415919274,"dir":"in","peer":"alice","msg":{…}}`.
//!
//! | field | meaning |
//! |---|---|
//! | `ts` | milliseconds since the epoch (or seconds, told by size; or an ISO 8601 text) |
//! | `dir` | `in`: from the peer; `out`: to the peer; `drop`: not passed on; `close`: its connection ended |
//! | `peer` | the participant at the other end of the connection |
//! | `msg` | the message, in any form that a mapping understands |
//! | `code` | of a `close`: the WebSocket close code (RFC 6455 §7.4) |
//!
//! Usual other names of the fields are accepted.

use serde_json::{Map, Value};

use super::{
    Recording, RelayDirection, RelayLine,
    input::{Budget, Input},
    lines::{LineError, for_each_line, object},
    times,
};
use crate::{
    limits::Limits,
    mapping::{Mapped, Mappings},
    moment::Moment,
    trace::{Signal, SignalKind},
};

/// The names under which the time stands.
pub(super) const TIME_KEYS: &[&str] = &["ts", "time", "timestamp", "at", "@timestamp", "t"];
/// The names under which the direction stands.
pub(super) const DIRECTION_KEYS: &[&str] = &["dir", "direction"];
/// The names under which the message stands.
pub(super) const MESSAGE_KEYS: &[&str] = &["msg", "message", "data", "payload", "frame"];
const PEER_KEYS: &[&str] = &["peer", "participant", "client", "user", "conn", "connection", "who"];

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
    let at = first(&fields, TIME_KEYS).and_then(moment).ok_or(missing("time that can be read"))?;
    let word = first(&fields, DIRECTION_KEYS).and_then(Value::as_str).ok_or(missing("direction"))?;
    let code = fields.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
    let direction =
        direction(word, code).ok_or_else(|| LineError::UnknownDirection { word: word.to_owned() })?;
    let peer = match first(&fields, PEER_KEYS) {
        Some(Value::String(name)) => name.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let signals = match first(&fields, MESSAGE_KEYS) {
        None if matches!(direction, RelayDirection::Close(_)) => {
            vec![Signal::of(SignalKind::Other("close".to_owned()))]
        }
        None => return Err(missing("message")),
        Some(Value::String(text)) => match mappings.text(text) {
            Mapped::Signals(signals) => signals,
            Mapped::Unknown(value) => {
                recording.unmapped.note(&value);
                return Ok(());
            }
            Mapped::Ignored => return Ok(()),
        },
        Some(message) => match mappings.signals(message) {
            Some(signals) => signals,
            None => {
                recording.unmapped.note(message);
                return Ok(());
            }
        },
    };
    for signal in signals {
        // The connection says who it is where the message does not.
        let known = match direction {
            RelayDirection::In | RelayDirection::Drop => signal.from.clone(),
            _ => signal.to.clone(),
        };
        let peer = if peer.is_empty() { known.unwrap_or_default() } else { peer.clone() };
        if budget.take(text.len()) {
            recording.relay.push(RelayLine { at, direction, peer, signal });
        }
    }
    Ok(())
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
            let seconds = (1e9..1e11).contains(&number) && number.fract() != 0.0;
            Moment::from_millis(if seconds { number * 1e3 } else { number })
        }
    }
}

fn direction(word: &str, code: Option<u16>) -> Option<RelayDirection> {
    Some(match word.to_ascii_lowercase().as_str() {
        "in" | "recv" | "receive" | "received" | "rx" | "from" => RelayDirection::In,
        "out" | "send" | "sent" | "tx" | "to" => RelayDirection::Out,
        "drop" | "dropped" => RelayDirection::Drop,
        "close" | "closed" | "disconnect" | "left" => RelayDirection::Close(code),
        _ => return None,
    })
}
