//! HTTP archives: WebSocket messages, the bodies of requests to servers that are signalled with, and nothing else.

use std::collections::BTreeSet;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{bodies, browser, document, pseudonyms::Pseudonyms, text};
use crate::reader::{self, server};

/// What of an archive is kept at all.
pub(super) fn stripped(archive: &Value) -> Value {
    let log = &archive["log"];
    let entries = log["entries"].as_array().into_iter().flatten();
    let sockets = entries.filter(|entry| entry["_webSocketMessages"].is_array()).map(|entry| {
        let frames = entry["_webSocketMessages"].as_array().into_iter().flatten().map(|frame| {
            json!({ "type": frame["type"], "time": frame["time"], "opcode": frame["opcode"], "data": opened(frame) })
        });
        json!({
            "_resourceType": "websocket",
            "_webSocketMessages": frames.collect::<Vec<_>>(),
            "pageref": entry["pageref"],
            "request": { "method": "GET", "url": entry["request"]["url"] },
            "response": { "status": entry["response"]["status"] },
            "startedDateTime": entry["startedDateTime"],
        })
    });
    let signalled = signalled_with(archive);
    let requests = log["entries"].as_array().into_iter().flatten().filter(|entry| {
        signalled.contains(server(entry["request"]["url"].as_str().unwrap_or_default()))
            && !entry["_webSocketMessages"].is_array()
    });
    let requests = requests.map(|entry| {
        json!({
            "pageref": entry["pageref"],
            "request": {
                "method": entry["request"]["method"],
                "url": entry["request"]["url"],
                "postData": { "text": body(&entry["request"]["postData"]) },
            },
            "response": {
                "status": entry["response"]["status"],
                "content": { "text": body(&entry["response"]["content"]) },
            },
            "startedDateTime": entry["startedDateTime"],
            "time": entry["time"],
        })
    });
    let sockets = sockets.chain(requests);
    json!({ "log": { "version": log["version"], "creator": log["creator"], "entries": sockets.collect::<Vec<_>>() } })
}

/// The servers to which, or from which, a description or a candidate went: what the reader keeps.
fn signalled_with(archive: &Value) -> BTreeSet<&str> {
    let entries = archive["log"]["entries"].as_array().into_iter().flatten();
    let mentions = |body: &Value| {
        let text = body.to_string();
        body.is_string() || text.contains("sdp") || text.contains("candidate")
    };
    let signals = entries.filter(|entry| {
        mentions(&body(&entry["request"]["postData"])) || mentions(&body(&entry["response"]["content"]))
    });
    signals.filter_map(|entry| Some(server(entry["request"]["url"].as_str()?))).collect()
}

/// A body that is JSON, or a session description as a text; `null` for any other.
fn body(of: &Value) -> Value {
    let text = of["text"].as_str().unwrap_or_default();
    let decoded = match of["encoding"].as_str() {
        Some("base64") => BASE64_STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok()),
        _ => Some(text.to_owned()),
    };
    match decoded {
        Some(text) if text.trim_start().starts_with(['{', '[']) => {
            serde_json::from_str(&text).unwrap_or_default()
        }
        Some(text) if bodies::is_description(&text) => Value::String(text),
        _ => Value::Null,
    }
}

/// A frame's JSON with what stands before it (`42`); of one that is no JSON, nothing, or that there was a description.
fn opened(frame: &Value) -> Value {
    let data = frame["data"].as_str().unwrap_or_default();
    let bytes = match frame["opcode"].as_u64() {
        Some(2) => BASE64_STANDARD.decode(data).unwrap_or_default(),
        _ => data.as_bytes().to_vec(),
    };
    let Ok(content) = std::str::from_utf8(&bytes) else { return described(&bytes) };
    if bodies::is_sip(content) {
        return json!({ "sip": content });
    }
    let Some(start) = content.find(['{', '[']) else {
        // Heartbeats: digits, and the words that go with them.
        let harmless = content.len() <= 8;
        return if harmless { json!({ "before": content }) } else { described(&bytes) };
    };
    let (before, body) = content.split_at(start);
    match serde_json::from_str::<Value>(body) {
        Ok(body) => json!({ "before": before, "body": body }),
        Err(_) => described(&bytes),
    }
}

/// That a description was in what is left out says that there was signalling, and nothing of it.
fn described(bytes: &[u8]) -> Value {
    match reader::holds_a_description(bytes) {
        true => json!({ "before": "m=audio 0" }),
        false => Value::Null,
    }
}

/// The methods of HTTP (RFC 9110 §9, RFC 5789).
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// The stripped archive, redacted, its frames put together again.
pub(super) fn redacted(pseudonyms: &mut Pseudonyms, mut archive: Value) -> Value {
    for entry in archive["log"]["entries"].as_array_mut().into_iter().flatten() {
        if let Some(Value::String(page)) = entry.get_mut("pageref") {
            *page = text::redacted(pseudonyms, page);
        }
        if let Some(Value::String(method)) = entry.pointer_mut("/request/method")
            && !METHODS.contains(&method.to_ascii_uppercase().as_str())
        {
            *method = text::redacted(pseudonyms, method);
        }
        if let Some(Value::String(url)) = entry.pointer_mut("/request/url") {
            *url = bodies::url(pseudonyms, url);
        }
        moment(&mut entry["startedDateTime"]);
        figure(&mut entry["response"]["status"]);
        if let Some(took) = entry.get_mut("time") {
            figure(took);
        }
        for place in ["/request/postData/text", "/response/content/text"] {
            if let Some(body) = entry.pointer_mut(place).filter(|body| !body.is_null()) {
                *body = Value::String(match body.take() {
                    Value::String(sdp) => text::redacted(pseudonyms, &sdp),
                    json => document::redacted(pseudonyms, json).to_string(),
                });
            }
        }
        for frame in entry["_webSocketMessages"].as_array_mut().into_iter().flatten() {
            self::frame(pseudonyms, frame);
        }
    }
    let log = &mut archive["log"];
    let name = browser::reduced(log["creator"]["name"].as_str().unwrap_or_default());
    let version = browser::major(log["creator"]["version"].as_str().unwrap_or_default());
    log["creator"] = json!({ "name": name, "version": version });
    log["version"] = Value::String(browser::major(log["version"].as_str().unwrap_or("1.2")));
    archive
}

fn frame(pseudonyms: &mut Pseudonyms, frame: &mut Value) {
    if let Value::String(direction) = &mut frame["type"] {
        *direction = text::redacted(pseudonyms, direction);
    }
    moment(&mut frame["time"]);
    figure(&mut frame["opcode"]);
    let data = frame["data"].take();
    let before = text::redacted(pseudonyms, data["before"].as_str().unwrap_or_default());
    let body = match data.get("body") {
        Some(body) => document::redacted(pseudonyms, body.clone()).to_string(),
        None => String::new(),
    };
    let sip = data["sip"].as_str().and_then(|text| bodies::sip(pseudonyms, text));
    let content = sip.unwrap_or_else(|| format!("{before}{body}"));
    let binary = frame["opcode"].as_u64() == Some(2);
    frame["data"] = Value::String(if binary { BASE64_STANDARD.encode(content) } else { content });
}

/// A number, or a text that is a time.
fn moment(value: &mut Value) {
    let is_moment = value.is_number() || value.as_str().is_some_and(document::is_time);
    if !is_moment {
        *value = Value::Null;
    }
}

fn figure(value: &mut Value) {
    if !value.is_number() {
        *value = Value::Null;
    }
}
