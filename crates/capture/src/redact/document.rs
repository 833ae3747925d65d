//! JSON, value by value.

use serde_json::{Map, Number, Value};

use super::{
    browser,
    keys::{Meaning, meaning_in},
    pseudonyms::{Pseudonyms, is_address, nested},
    text,
};

/// How deep JSON within JSON is looked into; what is deeper goes.
const MAX_DEPTH: usize = 8;

/// The document with everything replaced that is nobody else's business.
pub(super) fn redacted(pseudonyms: &mut Pseudonyms, document: Value) -> Value {
    value(pseudonyms, document, &Place { key: "", says: Meaning::Other, nested: 0 })
}

/// Where a value is: under which key, what that says, and within how many texts.
struct Place<'k> {
    key: &'k str,
    says: Meaning,
    nested: usize,
}

fn value(pseudonyms: &mut Pseudonyms, document: Value, place: &Place<'_>) -> Value {
    match document {
        Value::Object(object) => Value::Object(members(pseudonyms, object, place)),
        Value::Array(items) => array(pseudonyms, items, place),
        Value::String(text) => Value::String(string(pseudonyms, &text, place)),
        Value::Number(number) => self::number(pseudonyms, number, place),
        other => other,
    }
}

fn members(pseudonyms: &mut Pseudonyms, object: Map<String, Value>, outer: &Place<'_>) -> Map<String, Value> {
    let says: Vec<Meaning> = object.keys().map(|key| meaning_in(&object, key)).collect();
    object
        .into_iter()
        .zip(says)
        .map(|((key, inner), says)| {
            // A series of statistics: `"T01-iceLocalUsernameFragment": {"values": "[…]"}`.
            let place = match key.as_str() {
                "values" => Place { nested: outer.nested, ..*outer },
                _ => Place { key: &key, says, nested: outer.nested },
            };
            let inner = value(pseudonyms, inner, &place);
            (self::key(pseudonyms, &key), inner)
        })
        .collect()
}

/// A key may be somebody's name.
fn key(pseudonyms: &mut Pseudonyms, key: &str) -> String {
    text::redacted(pseudonyms, key)
}

fn array(pseudonyms: &mut Pseudonyms, mut items: Vec<Value>, place: &Place<'_>) -> Value {
    // `["navigator.mediaDevices.getUserMediaOnSuccess", …, [["audio", id, device, stream]], …]`
    if items.first().and_then(Value::as_str).is_some_and(|name| name.starts_with("navigator.mediaDevices.")) {
        for track in items.iter_mut().filter_map(Value::as_array_mut).flatten() {
            if let Some(Value::String(device)) = track.get_mut(2) {
                *device = pseudonyms.label(device);
            }
        }
    }
    items.into_iter().map(|item| value(pseudonyms, item, place)).collect()
}

fn string(pseudonyms: &mut Pseudonyms, text: &str, place: &Place<'_>) -> String {
    if let Some(inner) = nested(text) {
        return match place.nested < MAX_DEPTH {
            true => value(pseudonyms, inner, &Place { nested: place.nested + 1, ..*place }).to_string(),
            false => "redacted".to_owned(),
        };
    }
    match place.says {
        Meaning::Name | Meaning::Call | Meaning::Host if is_address(text) => text::redacted(pseudonyms, text),
        Meaning::Name => pseudonyms.name(text),
        Meaning::Call => pseudonyms.call(text),
        Meaning::Secret if text.is_empty() => String::new(),
        Meaning::Secret => "redacted".to_owned(),
        Meaning::Ufrag if text.is_empty() => String::new(),
        Meaning::Ufrag => pseudonyms.word(text),
        Meaning::Label => pseudonyms.label(text),
        Meaning::Host => pseudonyms.host(text),
        Meaning::Browser => browser::reduced(text),
        Meaning::Version => browser::major(text),
        Meaning::Time if is_time(text) => text.to_owned(),
        _ => text::redacted(pseudonyms, text),
    }
}

/// Whether a text is a time and no more: `2026-11-30T12:00:00.5Z`, `11/23/2026, 6:38:39 AM`, milliseconds since the epoch.
pub(super) fn is_time(text: &str) -> bool {
    const FORMS: [&str; 8] = [
        "0-0-0",
        "0-0-0T0:0:0",
        "0-0-0T0:0:0.0",
        "0-0-0 0:0:0",
        "0/0/0, 0:0:0",
        "0.0.0, 0:0:0",
        "0/0/0 0:0:0",
        "0-0-0, 0:0:0",
    ];
    const ENDS: [&str; 8] = ["Z", "+0:0", "-0:0", " AM", " PM", "\u{202f}AM", "\u{202f}PM", ""];
    let mut form = String::new();
    let mut digits = text.split(|letter: char| !letter.is_ascii_digit()).filter(|digits| !digits.is_empty());
    for letter in text.chars() {
        match letter.is_ascii_digit() {
            true if form.ends_with('0') => {}
            true => form.push('0'),
            false => form.push(letter),
        }
    }
    if form == "0" || form == "0.0" {
        return (12..=20).contains(&text.len()) && text.len() - form.len() < 18;
    }
    let is_form = FORMS.iter().any(|known| form.strip_prefix(known).is_some_and(|rest| ENDS.contains(&rest)));
    is_form
        && digits.clone().take(6).all(|digits| digits.len() <= 4)
        && digits.all(|digits| digits.len() <= 9)
}

fn number(pseudonyms: &mut Pseudonyms, number: Number, place: &Place<'_>) -> Value {
    match place.says {
        Meaning::Name => Value::String(pseudonyms.name(&number.to_string())),
        Meaning::Call => Value::String(pseudonyms.call(&number.to_string())),
        Meaning::Secret | Meaning::Host | Meaning::Label => Value::Null,
        Meaning::Time | Meaning::Figure | Meaning::Version => Value::Number(number),
        // Items of an array that stands alone: a line of an rtcstats dump, with its time.
        _ if place.key.is_empty() => Value::Number(number),
        _ => {
            let digits = number.to_string();
            match digits.len() <= 3 {
                true => Value::Number(number),
                false => {
                    let whole: String = digits.chars().filter(char::is_ascii_digit).collect();
                    pseudonyms.digits(&whole).parse::<u64>().map_or(Value::Null, Value::from)
                }
            }
        }
    }
}
