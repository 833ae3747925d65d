//! Lines of a log in a form of the application's own: what stands where, its mapping says and not its keys.

use serde_json::Value;

use super::{document, pseudonyms::Pseudonyms};
use crate::mapping::LineMapping;

/// Whoever the line is about is known wherever else the name stands.
pub(super) fn learn(pseudonyms: &mut Pseudonyms, own: &LineMapping, line: &Value) {
    if let Some(name) = LineMapping::find(line, &own.person).and_then(name) {
        pseudonyms.name(&name);
    }
}

/// The line with everything replaced that is nobody else's business; its time stays.
pub(super) fn redacted(pseudonyms: &mut Pseudonyms, own: &LineMapping, line: Value) -> Value {
    let mut kept = Vec::new();
    for place in &own.time {
        let time = line.pointer(place).filter(|time| is_time(time));
        kept.extend(time.map(|time| (place, time.clone())));
    }
    for place in &own.person {
        let name = line.pointer(place).and_then(name);
        kept.extend(name.map(|name| (place, Value::String(pseudonyms.name(&name)))));
    }
    let mut copy = document::redacted(pseudonyms, line);
    for (place, value) in kept {
        if let Some(at) = copy.pointer_mut(place) {
            *at = value;
        }
    }
    copy
}

fn is_time(value: &Value) -> bool {
    match value {
        // Seconds, milliseconds or microseconds since the epoch.
        Value::Number(number) => number.as_f64().is_some_and(|number| number > 1e9 && number < 1e16),
        Value::String(text) => document::is_time(text),
        _ => false,
    }
}

fn name(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
