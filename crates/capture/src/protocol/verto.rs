//! Verto (FreeSWITCH; Telnyx and SignalWire with words of their own): JSON-RPC 2.0 with `verto.invite`,
//! `telnyx_rtc.answer` and the like. The call's id stands in `dialogParams.callID` in what a client asks, in `callID`
//! in what the server asks, and in `result.callID` in its answers.

use serde_json::Value;

use super::{described, word};
use crate::{
    sdp::SdpType,
    trace::{Signal, SignalKind},
};

const PREFIXES: [&str; 3] = ["verto.", "telnyx_rtc.", "signalwire."];

pub(super) fn value(value: &Value) -> Option<Vec<Signal>> {
    let params = value.get("params").unwrap_or(&Value::Null);
    let dialog = params.get("dialogParams").unwrap_or(&Value::Null);
    if let Some(method) = value.get("method").and_then(Value::as_str) {
        if value.get("jsonrpc").is_some() && matches!(method, "login" | "anonymous_login" | "ping") {
            return Some(Vec::new());
        }
        let verb = PREFIXES.iter().find_map(|prefix| method.strip_prefix(prefix))?;
        let call = word(params.get("callID")).or_else(|| word(dialog.get("callID")));
        return Some(
            asked(verb, params).into_iter().map(|signal| Signal { call: call.clone(), ..signal }).collect(),
        );
    }
    // The answer to a request of the server names the request; to one of the client, the call.
    value.get("jsonrpc")?;
    let of = |part: &str, key: &str| value.get(part).and_then(|part| part.get(key));
    let names_method = of("result", "method").and_then(Value::as_str).unwrap_or_default();
    if PREFIXES.iter().any(|prefix| names_method.starts_with(prefix)) {
        return Some(Vec::new());
    }
    let call = word(of("result", "callID")).or_else(|| word(of("error", "callID")));
    let is_empty = value.get("result").and_then(Value::as_object).is_some_and(says_nothing);
    let is_verto = of("result", "sessid").is_some() || of("error", "code").is_some();
    match (value.get("error"), &call) {
        (Some(error), _) => {
            let reason = word(error.get("message"));
            Some(vec![Signal { call, reason, ..Signal::of(SignalKind::Error) }])
        }
        (None, Some(_)) => Some(Vec::new()),
        (None, None) => (is_verto || is_empty).then(Vec::new),
    }
}

/// Whether a result only says that all is well: `{}`, `{ "message": "logged in" }`.
fn says_nothing(result: &serde_json::Map<String, Value>) -> bool {
    const SAYING: [&str; 5] = ["type", "event", "sdp", "candidate", "action"];
    let is_short = |value: &Value| match value {
        Value::String(text) => text.len() < 64,
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::Array(_) | Value::Object(_) => false,
    };
    result.iter().all(|(key, value)| is_short(value) && !SAYING.contains(&key.as_str()))
}

fn asked(verb: &str, params: &Value) -> Vec<Signal> {
    let sdp = params.get("sdp").and_then(Value::as_str).filter(|sdp| sdp.trim_start().starts_with("v="));
    let reason = word(params.get("cause")).or_else(|| word(params.get("causeCode")));
    let plain = |kind: SignalKind| Signal { reason: reason.clone(), ..Signal::of(kind) };
    let signal = match (verb, sdp) {
        ("invite" | "attach", Some(sdp)) => described(SdpType::Offer, sdp),
        ("invite", None) => plain(SignalKind::Ring),
        ("answer", Some(sdp)) => described(SdpType::Answer, sdp),
        ("answer", None) => plain(SignalKind::Accept),
        // Early media: what is heard before somebody takes the call.
        ("media", Some(sdp)) => described(SdpType::Pranswer, sdp),
        // Hold, and new media in a running call.
        ("modify", Some(sdp)) => match sdp.contains("a=setup:actpass") {
            true => described(SdpType::Offer, sdp),
            false => described(SdpType::Answer, sdp),
        },
        ("ringing", _) => plain(SignalKind::Ringing),
        ("bye", _) => match reason.as_deref() {
            Some("CALL_REJECTED" | "USER_BUSY" | "17" | "21") => plain(SignalKind::Reject),
            _ => plain(SignalKind::Bye),
        },
        ("login", _) => plain(SignalKind::Join),
        _ => return Vec::new(),
    };
    vec![signal]
}
