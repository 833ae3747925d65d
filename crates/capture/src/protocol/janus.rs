//! Janus (its WebSocket and REST API): `{ "janus": "message", "handle_id": 7, "jsep": { … } }`, and what the server says
//! of the connection: `webrtcup`, `media`, `slowlink`, `hangup`.

use serde_json::Value;

use super::{of_candidate, of_description, word};
use crate::trace::{Report, Signal, SignalKind};

pub(super) fn value(value: &Value) -> Option<Vec<Signal>> {
    let kind = value.get("janus")?.as_str()?;
    // Requests name the handle, events its sender: the same number is one connection.
    let call = word(value.get("handle_id").or_else(|| value.get("sender")));
    let report = |report: Report| vec![Signal { report: Some(report), ..Signal::of(SignalKind::Report) }];
    let reason = || word(value.get("reason")).unwrap_or_else(|| "no reason given".to_owned());
    let signals = match kind {
        "message" | "event" => message(value),
        "trickle" => trickle(value),
        "webrtcup" => report(Report::Up),
        // A client's request names its handle, the server's event its sender.
        "hangup" if value.get("sender").is_none() && value.get("reason").is_none() => {
            vec![Signal::of(SignalKind::Bye)]
        }
        "hangup" => match is_goodbye(&reason()) {
            true => report(Report::Ended { reason: reason() }),
            false => report(Report::Failed { reason: reason() }),
        },
        "slowlink" => report(Report::Slow { lost: value.get("lost").and_then(Value::as_u64) }),
        "media" => {
            let receiving = value.get("receiving").and_then(Value::as_bool).unwrap_or(true);
            report(Report::Media { kind: word(value.get("type")).unwrap_or_default(), receiving })
        }
        "error" => {
            let error = value.get("error").unwrap_or(value);
            vec![Signal { reason: word(error.get("reason")), ..Signal::of(SignalKind::Error) }]
        }
        "detach" => vec![Signal::of(SignalKind::Bye)],
        // `ack`, `success`, `keepalive`, `create`, `attach`, `timeout`, `detached`.
        _ => Vec::new(),
    };
    Some(signals.into_iter().map(|signal| Signal { call: call.clone(), ..signal }).collect())
}

/// What a hang-up says where nothing failed.
fn is_goodbye(reason: &str) -> bool {
    let lower = reason.to_ascii_lowercase();
    ["close pc", "peer", "application", "janus api", "user", "bye"].iter().any(|word| lower.contains(word))
        && !lower.contains("fail")
        && !lower.contains("error")
        && !lower.contains("timeout")
}

fn message(value: &Value) -> Vec<Signal> {
    if let Some(signal) = value.get("jsep").and_then(of_description) {
        return vec![signal];
    }
    let data = value.get("plugindata").and_then(|plugin| plugin.get("data")).unwrap_or(&Value::Null);
    if data.get("error_code").is_some() || data.get("error").is_some() {
        return vec![Signal { reason: word(data.get("error")), ..Signal::of(SignalKind::Error) }];
    }
    let result = data.get("result").unwrap_or(data);
    let event = result.get("event").and_then(Value::as_str).unwrap_or_default();
    let asked = value.get("body").and_then(|body| body.get("request")).and_then(Value::as_str);
    let kind = match asked.unwrap_or(event) {
        "hangup" => SignalKind::Bye,
        "decline" | "rejecting" | "declining" => SignalKind::Reject,
        "ringing" | "proceeding" => SignalKind::Ringing,
        "incomingcall" | "calling" => SignalKind::Ring,
        "accepted" => SignalKind::Accept,
        "join" | "joinandconfigure" | "register" => SignalKind::Join,
        _ => return Vec::new(),
    };
    vec![Signal { reason: word(result.get("reason")), ..Signal::of(kind) }]
}

fn trickle(value: &Value) -> Vec<Signal> {
    let several = value.get("candidates").and_then(Value::as_array).into_iter().flatten();
    let one = value.get("candidate").into_iter();
    one.chain(several).filter_map(of_candidate).collect()
}

/// The handle that a request's address names (`/janus/1234/5678`): over REST, the body does not repeat it.
pub(crate) fn handle_of(url: &str) -> Option<&str> {
    let path = url.split(['?', '#']).next()?;
    let mut parts = path.trim_end_matches('/').rsplit('/');
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let handle = parts.next().filter(is_number)?;
    parts.next().filter(is_number).map(|_| handle)
}
