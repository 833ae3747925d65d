//! One message, seen through one mapping.

use serde_json::Value;

use std::borrow::Cow;

use super::{
    Framing, Mapping,
    places::{Places, Roots, Seen},
    words,
};
use crate::{
    candidate::Candidate,
    json,
    sdp::{Description, SdpType},
    trace::{MediaState, Signal, SignalKind},
};

/// How deep JSON within strings is looked for.
const NESTED: usize = 3;

/// `value` with every string that is itself a JSON object or array replaced by it.
pub(super) fn opened(value: &Value) -> Cow<'_, Value> {
    match may_be_opened(value) {
        true => Cow::Owned(opened_whole(value.clone())),
        false => Cow::Borrowed(value),
    }
}

fn may_be_opened(value: &Value) -> bool {
    match value {
        Value::String(text) => text.trim_start().starts_with(['{', '[']),
        Value::Object(object) => object.values().any(may_be_opened),
        Value::Array(items) => items.iter().any(may_be_opened),
        _ => false,
    }
}

/// The same of a value that nobody else needs.
pub(super) fn opened_whole(mut value: Value) -> Value {
    fn open(value: &mut Value, depth: usize) {
        match value {
            Value::String(text) if depth > 0 && text.trim_start().starts_with(['{', '[']) => {
                if let Ok(inner @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text) {
                    *value = inner;
                    open(value, depth - 1);
                }
            }
            Value::Object(object) => object.values_mut().for_each(|value| open(value, depth)),
            Value::Array(items) => items.iter_mut().for_each(|value| open(value, depth)),
            _ => {}
        }
    }
    open(&mut value, NESTED);
    value
}

/// A mapping, made ready to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ready {
    pub(super) name: String,
    pub(super) framing: Framing,
    kind: Places,
    sdp: Places,
    candidate: Places,
    mid: Places,
    mline_index: Places,
    from: Places,
    to: Places,
    call: Places,
    reason: Places,
    audio: Places,
    video: Places,
    words: Vec<(String, SignalKind)>,
}

impl Ready {
    pub(super) fn new(mapping: Mapping, roots: &Roots) -> Self {
        let places = |pointers: &[String]| Places::new(pointers, roots);
        Self {
            framing: mapping.framing,
            kind: places(&mapping.kind),
            sdp: places(&mapping.sdp),
            candidate: places(&mapping.candidate),
            mid: places(&mapping.mid),
            mline_index: places(&mapping.mline_index),
            from: places(&mapping.from),
            to: places(&mapping.to),
            call: places(&mapping.call),
            reason: places(&mapping.reason),
            audio: places(&mapping.audio),
            video: places(&mapping.video),
            name: mapping.name,
            words: mapping.words,
        }
    }

    /// What `message` says: one signal, or several where it carries a list of candidates. Nothing where this
    /// mapping finds neither a type that it knows, nor a description, nor a candidate.
    pub(super) fn apply(&self, message: &Seen<'_>) -> Vec<Signal> {
        let known = self.known_kind(message);
        if let Some(description) = self.description(message, known.as_ref()) {
            let kind = match description.kind {
                SdpType::Offer => SignalKind::Offer,
                SdpType::Pranswer => SignalKind::Pranswer,
                SdpType::Answer => SignalKind::Answer,
                SdpType::Rollback => return Vec::new(),
            };
            return vec![Signal { kind, description: Some(description), ..self.envelope(message) }];
        }
        let candidates = self.candidates(message, known.as_ref());
        if !candidates.is_empty() {
            let signal = |candidate: Candidate| {
                let kind =
                    if candidate.is_end() { SignalKind::EndOfCandidates } else { SignalKind::Candidate };
                Signal { kind, candidate: Some(candidate), ..self.envelope(message) }
            };
            return candidates.into_iter().map(signal).collect();
        }
        let Some(kind) = known else { return Vec::new() };
        let media = MediaState { audio: switch(message, &self.audio), video: switch(message, &self.video) };
        let has_media =
            matches!(kind, SignalKind::MediaState | SignalKind::Ring) && media != MediaState::default();
        vec![Signal { kind, media: has_media.then_some(media), ..self.envelope(message) }]
    }

    fn envelope(&self, message: &Seen<'_>) -> Signal {
        Signal {
            call: text(message, &self.call),
            from: text(message, &self.from),
            to: text(message, &self.to),
            reason: text(message, &self.reason),
            ..Signal::default()
        }
    }

    /// The first word that names a type.
    fn known_kind(&self, message: &Seen<'_>) -> Option<SignalKind> {
        self.kind.values(message).filter_map(Value::as_str).find_map(|word| {
            let own = self.words.iter().find(|(own, _)| own == word).map(|(_, kind)| kind.clone());
            own.or_else(|| words::kind_of(word))
        })
    }

    fn description(&self, message: &Seen<'_>, known: Option<&SignalKind>) -> Option<Description> {
        let (sdp, within) = self.sdp.found(message).find_map(|(value, within)| {
            let sdp = value.as_str()?;
            sdp.trim_start().starts_with("v=").then_some((sdp, within))
        })?;
        let sibling = || SdpType::from_word(within.get("type")?.as_str()?);
        let named = match known {
            Some(SignalKind::Offer) => Some(SdpType::Offer),
            Some(SignalKind::Answer) => Some(SdpType::Answer),
            Some(SignalKind::Pranswer) => Some(SdpType::Pranswer),
            _ => None,
        };
        // An offer leaves the DTLS role open (RFC 8842 §5.2).
        let guessed = if sdp.contains("a=setup:actpass") { SdpType::Offer } else { SdpType::Answer };
        Some(Description { kind: named.or_else(sibling).unwrap_or(guessed), sdp: sdp.to_owned() })
    }

    fn candidates(&self, message: &Seen<'_>, known: Option<&SignalKind>) -> Vec<Candidate> {
        let said = match known {
            None => false,
            Some(SignalKind::Candidate) => true,
            Some(_) => return Vec::new(),
        };
        for value in self.candidate.values(message) {
            let found: Vec<Candidate> = match value {
                Value::Array(items) => {
                    items.iter().filter_map(|item| self.candidate(item, message, said)).collect()
                }
                value => self.candidate(value, message, said).into_iter().collect(),
            };
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }

    /// A candidate's line, an `RTCIceCandidateInit`, or, where the message says that it is about candidates,
    /// `null` or an empty text for their end.
    fn candidate(&self, value: &Value, message: &Seen<'_>, said: bool) -> Option<Candidate> {
        match value {
            Value::Null if said => Some(Candidate::default()),
            Value::String(line) => {
                let is_line = line.trim_start_matches("a=").starts_with("candidate:");
                let is_end = said && line.is_empty();
                if !(is_line || is_end) {
                    return None;
                }
                let mut candidate = Candidate::new(line.as_str());
                candidate.mid = text(message, &self.mid);
                let index = self.mline_index.values(message).find_map(Value::as_u64);
                candidate.mline_index = index.and_then(|index| u16::try_from(index).ok());
                Some(candidate)
            }
            Value::Object(_) => {
                let candidate = json::candidate(value)?;
                (said || candidate.line.contains("candidate:")).then_some(candidate)
            }
            _ => None,
        }
    }
}

/// The first text, or number as a text, at one of `places`.
fn text(message: &Seen<'_>, places: &Places) -> Option<String> {
    places.values(message).find_map(|value| match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// Whether something is on: a boolean, or a word for one.
fn switch(message: &Seen<'_>, places: &Places) -> Option<bool> {
    places.values(message).find_map(|value| match value {
        Value::Bool(on) => Some(*on),
        Value::String(word) => match word.to_ascii_lowercase().as_str() {
            "on" | "true" | "enabled" | "unmuted" => Some(true),
            "off" | "false" | "disabled" | "muted" => Some(false),
            _ => None,
        },
        _ => None,
    })
}
