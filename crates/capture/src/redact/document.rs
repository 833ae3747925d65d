//! JSON, value by value.

use serde_json::{Map, Value};

use super::{
    keys::{Meaning, meaning, meaning_in},
    pseudonyms::{Pseudonyms, nested},
    text,
};

/// The document with everything replaced that is nobody else's business.
pub(super) fn redacted(pseudonyms: &mut Pseudonyms, document: Value) -> Value {
    value(pseudonyms, document, "")
}

fn value(pseudonyms: &mut Pseudonyms, document: Value, key: &str) -> Value {
    match document {
        Value::Object(object) => Value::Object(members(pseudonyms, object, key)),
        Value::Array(items) => array(pseudonyms, items, key),
        Value::String(text) => Value::String(string(pseudonyms, &text, key)),
        Value::Number(_) if meaning(key) == Meaning::Secret => Value::Null,
        other => other,
    }
}

fn members(pseudonyms: &mut Pseudonyms, object: Map<String, Value>, outer: &str) -> Map<String, Value> {
    let harmless: Vec<String> =
        object.keys().filter(|key| meaning_in(&object, key) == Meaning::Harmless).cloned().collect();
    object
        .into_iter()
        .map(|(key, inner)| {
            if harmless.contains(&key) {
                return (key, inner);
            }
            // A series of statistics: `"T01-iceLocalUsernameFragment": {"values": "[…]"}`.
            let named = if key == "values" {
                outer.rsplit_once('-').map_or(outer, |(_, member)| member)
            } else {
                &key
            };
            let inner = value(pseudonyms, inner, named);
            (text::redacted(pseudonyms, &key), inner)
        })
        .collect()
}

fn array(pseudonyms: &mut Pseudonyms, mut items: Vec<Value>, key: &str) -> Value {
    // `["navigator.mediaDevices.getUserMediaOnSuccess", …, [["audio", id, device, stream]], …]`
    if items.first().and_then(Value::as_str).is_some_and(|name| name.starts_with("navigator.mediaDevices.")) {
        for track in items.iter_mut().filter_map(Value::as_array_mut).flatten() {
            if let Some(Value::String(device)) = track.get_mut(2) {
                *device = pseudonyms.label(device);
            }
        }
    }
    items.into_iter().map(|item| value(pseudonyms, item, key)).collect()
}

fn string(pseudonyms: &mut Pseudonyms, text: &str, key: &str) -> String {
    if let Some(inner) = nested(text) {
        return value(pseudonyms, inner, key).to_string();
    }
    match meaning(key) {
        Meaning::Name => pseudonyms.name(text),
        Meaning::Call => pseudonyms.call(text),
        Meaning::Secret if text.is_empty() => String::new(),
        Meaning::Secret => "redacted".to_owned(),
        Meaning::Ufrag => pseudonyms.word(text),
        Meaning::Label => pseudonyms.label(text),
        Meaning::Harmless => text.to_owned(),
        Meaning::Other => text::redacted(pseudonyms, text),
    }
}
