//! Matrix calls of two (Client-Server API, "Voice over IP"): `m.call.invite`, `m.call.answer`, `m.call.candidates`,
//! `m.call.hangup` and others. A client sends the content alone, with the type in the address; it gets whole events,
//! its own among them.

use serde_json::Value;

use super::{of_candidate, of_description, word};
use crate::trace::{Signal, SignalKind};

/// A whole event.
pub(super) fn value(value: &Value) -> Option<Vec<Signal>> {
    let kind = value.get("type")?.as_str()?;
    let content = value.get("content")?;
    if !kind.starts_with("m.call.") && kind != "m.room.encrypted" {
        return None;
    }
    // One's own events come back with the number under which they were sent.
    let is_own = value.get("unsigned").is_some_and(|unsigned| unsigned.get("transaction_id").is_some());
    if is_own {
        return Some(Vec::new());
    }
    let signals = event(kind, content)?;
    let from = word(value.get("sender"));
    Some(signals.into_iter().map(|signal| Signal { from: from.clone(), ..signal }).collect())
}

/// Whether the address is of a homeserver's API.
pub(crate) fn is_matrix(url: &str) -> bool {
    url.contains("/_matrix/client/")
}

/// The content that is sent to `…/rooms/{room}/send/{type}/{transaction}`.
pub(crate) fn room_event(url: &str, content: &Value) -> Option<Vec<Signal>> {
    let path = url.split('?').next().unwrap_or_default();
    let kind = path.split("/send/").nth(1)?.split('/').next()?;
    event(kind, content)
}

/// `None` where it is encrypted, or of a type that is not known.
fn event(kind: &str, content: &Value) -> Option<Vec<Signal>> {
    let plain = |kind: SignalKind| vec![Signal { reason: word(content.get("reason")), ..Signal::of(kind) }];
    let described = |key: &str| content.get(key).and_then(of_description).map(|signal| vec![signal]);
    let signals = match kind {
        "m.call.invite" => described("offer")?,
        "m.call.answer" => described("answer")?,
        "m.call.negotiate" => described("description")?,
        "m.call.candidates" => {
            let candidates = content.get("candidates").and_then(Value::as_array).into_iter().flatten();
            candidates.filter_map(of_candidate).collect()
        }
        "m.call.hangup" => plain(SignalKind::Bye),
        "m.call.reject" => plain(SignalKind::Reject),
        "m.call.select_answer" | "m.call.sdp_stream_metadata_changed" | "m.call.asserted_identity" => {
            Vec::new()
        }
        _ => return None,
    };
    let call = word(content.get("call_id"));
    Some(signals.into_iter().map(|signal| Signal { call: call.clone(), ..signal }).collect())
}
