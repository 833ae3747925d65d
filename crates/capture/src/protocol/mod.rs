//! Signalling protocols that are public: they are understood without a mapping.
//!
//! Each module answers `None` to what is not of its protocol, and no signal to what is and says nothing of a call:
//! acknowledgements, heartbeats, presence.
//!
//! All of them are read message by message, without memory: of an answer that names neither its request nor its call,
//! what it says is taken from its form.

mod home_assistant;
mod janus;
mod livekit;
mod matrix;
mod mediasoup;
pub(crate) mod sip;
mod verto;
mod whip;

use serde_json::Value;

pub(crate) use janus::handle_of as janus_handle;
pub(crate) use livekit::offer_in_address as livekit_offer;
pub(crate) use matrix::{is_matrix, room_event};
pub(crate) use whip::exchange as whip_exchange;

use crate::{candidate::Candidate, json, sdp::Description, sdp::SdpType, trace::Signal, trace::SignalKind};

/// A message that is JSON.
pub(crate) fn value(value: &Value) -> Option<Vec<Signal>> {
    janus::value(value)
        .or_else(|| matrix::value(value))
        .or_else(|| verto::value(value))
        .or_else(|| home_assistant::value(value))
        .or_else(|| mediasoup::value(value))
        .or_else(|| refusal(value))
}

/// `{ "error": "room is full" }`, `{ "error": { "code": 403, "message": "…" } }`: of any protocol, where nothing else says
/// what it is.
fn refusal(value: &Value) -> Option<Vec<Signal>> {
    let error = value.get("error")?;
    let reason = match error {
        Value::String(_) => word(Some(error)),
        Value::Object(_) => {
            ["message", "reason", "description", "code"].iter().find_map(|key| word(error.get(key)))
        }
        _ => None,
    };
    let says_its_type =
        ["type", "event", "action", "sdp", "candidate"].iter().any(|key| value.get(key).is_some());
    let signal = Signal { reason: Some(reason?), ..Signal::of(SignalKind::Error) };
    (!says_its_type).then(|| vec![signal])
}

/// A message that is text and not JSON.
pub(crate) fn text(text: &str) -> Option<Vec<Signal>> {
    sip::text(text)
}

/// A message in binary. `by_client` where the page sent it.
pub(crate) fn binary(bytes: &[u8], by_client: bool) -> Option<Vec<Signal>> {
    livekit::frame(bytes, by_client)
}

/// A description as a signal.
fn described(kind: SdpType, sdp: &str) -> Signal {
    let signal = match kind {
        SdpType::Offer => SignalKind::Offer,
        SdpType::Pranswer => SignalKind::Pranswer,
        SdpType::Answer => SignalKind::Answer,
        SdpType::Rollback => SignalKind::Other("rollback".to_owned()),
    };
    Signal { description: Some(Description { kind, sdp: sdp.to_owned() }), ..Signal::of(signal) }
}

/// A candidate, or the end of the candidates, as a signal.
fn trickled(candidate: Candidate) -> Signal {
    let kind = if candidate.is_end() { SignalKind::EndOfCandidates } else { SignalKind::Candidate };
    Signal { candidate: Some(candidate), ..Signal::of(kind) }
}

/// `{ "type": "offer", "sdp": "v=0…" }`.
fn of_description(value: &Value) -> Option<Signal> {
    let kind = SdpType::from_word(value.get("type")?.as_str()?)?;
    Some(described(kind, value.get("sdp")?.as_str()?))
}

/// `{ "candidate": "candidate:…", … }`, its line alone, or `null`, an empty text or `{ "completed": true }` for the end.
fn of_candidate(value: &Value) -> Option<Signal> {
    match value {
        Value::Null => Some(trickled(Candidate::default())),
        Value::String(line) => Some(trickled(Candidate::new(line.as_str()))),
        Value::Object(fields) if fields.get("completed") == Some(&Value::Bool(true)) => {
            Some(trickled(Candidate::default()))
        }
        value => json::candidate(value).map(trickled),
    }
}

/// A text, or a number as one.
fn word(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
