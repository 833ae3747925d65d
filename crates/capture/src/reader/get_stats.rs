//! What `RTCPeerConnection.getStats()` gives (W3C webrtc-stats), as applications store it: a list of objects, or an
//! object of them by id; several such one after the other, in a list, in a list of `{timestamp, stats}`, or a line each.

use std::io::Read as _;

use serde_json::{Map, Value};

use super::{ConnectionLog, Recording, TimedSample, input::Input, stats};
use crate::{error::Position, limits::Limits, moment::Moment};

/// The types of objects by which a file is known, and of which a call has some.
pub(super) const TYPES: [&str; 10] = [
    "inbound-rtp",
    "outbound-rtp",
    "remote-inbound-rtp",
    "remote-outbound-rtp",
    "candidate-pair",
    "local-candidate",
    "remote-candidate",
    "transport",
    "media-source",
    "peer-connection",
];

/// More samples than that are not kept.
const MAX: usize = 100_000;

pub(super) fn read(mut recording: Recording, input: &mut Input<'_>, limits: &Limits) -> Recording {
    let limit = u64::try_from(limits.memory_bytes / 8).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    if let Err(error) = input.take().take(limit).read_to_end(&mut bytes) {
        recording.gap(Position::default(), input.explain(&error));
    }
    let mut log = ConnectionLog { key: "get-stats".to_owned(), ..ConnectionLog::default() };
    let mut values = serde_json::Deserializer::from_slice(&bytes).into_iter::<Value>();
    while let Some(value) = values.next() {
        match value {
            Ok(value) => snapshots(&value, None, &mut log),
            Err(error) => {
                let offset = values.byte_offset() as u64;
                let what = format!("the JSON is damaged ({error}); what came before was read");
                recording.gap(Position { line: error.line() as u64, offset }, what);
                break;
            }
        }
    }
    log.stats.sort_by_key(|sample| sample.at);
    log.stats.dedup_by_key(|sample| sample.at);
    log.stats.last().into_iter().for_each(|last| recording.observe(last.at));
    if !log.stats.is_empty() {
        recording.connections.push(log);
    }
    recording
}

/// All snapshots in `value`. `at` is what stands around it as its time.
fn snapshots(value: &Value, at: Option<Moment>, log: &mut ConnectionLog) {
    let objects: Vec<&Map<String, Value>> = match value {
        Value::Array(items) => items.iter().filter_map(object).collect(),
        Value::Object(fields) => fields.values().filter_map(object).collect(),
        _ => return,
    };
    if !objects.is_empty() {
        return log.stats.extend(sample(&objects, at).filter(|_| log.stats.len() < MAX));
    }
    let at = value.get("timestamp").or_else(|| value.get("time")).and_then(moment).or(at);
    match value {
        Value::Array(items) => items.iter().for_each(|item| snapshots(item, at, log)),
        // Some wrap each snapshot; an entry of a Map is written as `[id, object]`.
        Value::Object(fields) => fields.values().for_each(|item| snapshots(item, at, log)),
        _ => {}
    }
}

/// An object of statistics; or the second of `[id, object]`.
fn object(value: &Value) -> Option<&Map<String, Value>> {
    let object = match value {
        Value::Array(pair) => pair.get(1).filter(|_| pair.len() == 2)?.as_object()?,
        value => value.as_object()?,
    };
    object.get("type")?.as_str().filter(|kind| TYPES.contains(kind)).map(|_| object)
}

fn sample(objects: &[&Map<String, Value>], at: Option<Moment>) -> Option<TimedSample> {
    let mut statistics = stats::Statistics::default();
    let mut latest = None;
    for object in objects {
        let kind = object.get("type").and_then(Value::as_str).unwrap_or_default();
        let id = object.get("id").and_then(Value::as_str).unwrap_or(kind);
        latest = latest.max(object.get("timestamp").and_then(moment));
        for (member, value) in *object {
            if let Some(member) = stats::wanted(member) {
                statistics.set(id, kind, member, value.clone());
            }
        }
    }
    Some(TimedSample { at: latest.or(at)?, sample: statistics.sample()? })
}

/// Milliseconds since the epoch; microseconds in some libraries.
fn moment(value: &Value) -> Option<Moment> {
    match value {
        Value::String(text) => super::times::moment(text),
        number => {
            let number = number.as_f64()?;
            Moment::from_millis(if number > 1e14 { number / 1e3 } else { number })
        }
    }
}
