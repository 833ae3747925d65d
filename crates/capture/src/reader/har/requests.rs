//! Signalling by requests: messages in the bodies of requests, and of answers to polls; WHIP, WHEP and Matrix, which say
//! a part of it in methods and addresses.
//!
//! An archive holds all that a page asked of anybody. Signalling is what a server is told, or tells, to which a
//! description or a candidate went or from which one came; nothing of the other servers is kept.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::de::{IgnoredAny, MapAccess};
use serde_json::Value;

use super::{
    super::{
        Frame, FrameDirection, SocketLog,
        input::truncated_text,
        lenient::{Fields, Number, Object, Text},
    },
    Archive,
};
use crate::{
    mapping::{Mapped, Mappings},
    moment::Moment,
    protocol,
    trace::{Signal, SignalKind},
};

/// How deep messages are looked for in a body: `{"messages":[{"message":{…}}]}`.
const DEPTH: usize = 4;

/// One request and its answer.
#[derive(Default)]
pub(super) struct Exchange {
    pub(super) url: Option<String>,
    pub(super) page: Option<String>,
    pub(super) started: Option<Moment>,
    /// From the beginning of the request to the end of the answer, milliseconds; -1 where unknown.
    pub(super) took_ms: Option<f64>,
    method: String,
    pub(super) status: u16,
    asked: String,
    answered: String,
    is_base64: bool,
}

/// What was asked.
pub(super) struct Request<'a>(pub(super) &'a mut Exchange);

impl Fields for Request<'_> {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "url" => self.0.url = map.next_value::<Text>()?.0,
            "method" => self.0.method = map.next_value::<Text>()?.0.unwrap_or_default(),
            "postData" => map.next_value_seed(Object(&mut Body(&mut self.0.asked, &mut false)))?,
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

/// What was answered.
pub(super) struct Response<'a>(pub(super) &'a mut Exchange);

impl Fields for Response<'_> {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "status" => {
                let status = map.next_value::<Number>()?.0.filter(|status| (0.0..1000.0).contains(status));
                self.0.status = status.unwrap_or_default() as u16;
            }
            "content" => {
                let Exchange { answered, is_base64, .. } = &mut *self.0;
                map.next_value_seed(Object(&mut Body(answered, is_base64)))?;
            }
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

/// A body, and whether it is in base64.
struct Body<'a>(&'a mut String, &'a mut bool);

impl Fields for Body<'_> {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "text" => *self.0 = map.next_value::<Text>()?.0.unwrap_or_default(),
            "encoding" => *self.1 = map.next_value::<Text>()?.0.as_deref() == Some("base64"),
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

impl Archive<'_> {
    /// Keeps the messages of an exchange.
    pub(super) fn exchanged(&mut self, exchange: Exchange) {
        let Exchange {
            url: Some(url),
            page,
            started: Some(started),
            took_ms,
            method,
            status,
            asked,
            answered,
            is_base64,
        } = exchange
        else {
            return;
        };
        let took_ms = took_ms.filter(|ms| ms.is_finite() && *ms > 0.0).unwrap_or_default();
        let ended = started.shifted((took_ms.min(1e9) * 1e3) as i64);
        let answered = match is_base64 {
            true => BASE64_STANDARD.decode(answered).ok().and_then(|bytes| String::from_utf8(bytes).ok()),
            false => Some(answered),
        };
        self.observed_until = self.observed_until.max(Some(ended));
        let answered = answered.unwrap_or_default();
        let key = (page, server(&url).to_owned());
        if let Some(both) = protocol::whip_exchange(&method, &asked, status, &answered) {
            let call = self.requests.resource(&key, both.iter().flatten());
            let [there, back] = both.map(|signals| {
                let with = |signal| Signal { call: Some(call.clone()), ..signal };
                signals.into_iter().map(with).collect()
            });
            self.keep(&key, &url, started, FrameDirection::Sent, there);
            return self.keep(&key, &url, ended, FrameDirection::Received, back);
        }
        if method.eq_ignore_ascii_case("DELETE") {
            let signal = Signal::of(SignalKind::Bye);
            return self.requests.end(&key, Frame { at: started, direction: FrameDirection::Sent, signal });
        }
        let is_matrix = protocol::is_matrix(&url);
        let bodies = [(started, FrameDirection::Sent, asked), (ended, FrameDirection::Received, answered)];
        for (at, direction, body) in bodies {
            if !body.trim_start().starts_with(['{', '[']) {
                continue;
            }
            if truncated_text(&body, self.limits) {
                self.cut += u64::from(mentions_descriptions(&body));
                continue;
            }
            let Ok(value) = serde_json::from_str::<Value>(&body) else { continue };
            let mut signals = Vec::new();
            let mut foreign = 0;
            if is_matrix && direction == FrameDirection::Sent {
                match protocol::room_event(&url, &value) {
                    Some(sent) => signals = sent,
                    None => foreign = u64::from(url.contains("/send/m.room.encrypted")),
                }
            } else if is_matrix {
                matrix_events(&value, MATRIX_DEPTH, &mut signals, &mut foreign);
            } else {
                find(&value, self.mappings, DEPTH, &mut signals);
                if let Some(handle) = protocol::janus_handle(&url).filter(|_| value.get("janus").is_some()) {
                    let unnamed = signals.iter_mut().filter(|signal| signal.call.is_none());
                    unnamed.for_each(|signal| signal.call = Some(handle.to_owned()));
                }
                foreign = u64::from(signals.is_empty() && mentions_descriptions(&body));
            }
            self.requests.not_understood(&key, foreign);
            self.keep(&key, &url, at, direction, signals);
        }
    }

    fn keep(&mut self, key: &Key, url: &str, at: Moment, direction: FrameDirection, signals: Vec<Signal>) {
        for signal in signals {
            if self.budget.take(size(&signal)) {
                self.requests.push(key, url, Frame { at, direction, signal });
            }
        }
    }
}

/// Events stand under rooms, in timelines: `rooms.join.{room}.timeline.events[]`.
const MATRIX_DEPTH: usize = 8;

/// The events of calls in what a homeserver answers; `foreign` counts those that are encrypted.
fn matrix_events(value: &Value, depth: usize, found: &mut Vec<Signal>, foreign: &mut u64) {
    let kind = value.get("type").and_then(Value::as_str).unwrap_or_default();
    if kind == "m.room.encrypted" {
        *foreign += 1;
        return;
    }
    if kind.starts_with("m.call.") {
        return found.extend(protocol::value(value).unwrap_or_default());
    }
    if depth == 0 {
        return;
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| matrix_events(item, depth - 1, found, foreign)),
        Value::Object(fields) => {
            fields.values().for_each(|item| matrix_events(item, depth - 1, found, foreign))
        }
        _ => {}
    }
}

fn mentions_descriptions(body: &str) -> bool {
    body.contains("sdp") || body.contains("candidate")
}

fn size(signal: &Signal) -> usize {
    let description = signal.description.as_ref().map_or(0, |description| description.sdp.len());
    let candidate = signal.candidate.as_ref().map_or(0, |candidate| candidate.line.len());
    description + candidate + 256
}

/// The messages in `value`: it itself, or else what is in it.
fn find(value: &Value, mappings: &Mappings, depth: usize, found: &mut Vec<Signal>) {
    if value.is_object()
        && let Mapped::Signals(signals) = mappings.value(value)
    {
        return found.extend(signals.into_iter().filter(|it| !matches!(it.kind, SignalKind::Other(_))));
    }
    if depth == 0 {
        return;
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| find(item, mappings, depth - 1, found)),
        Value::Object(fields) => fields.values().for_each(|item| find(item, mappings, depth - 1, found)),
        _ => {}
    }
}

/// `https://calls.example.org` of `https://calls.example.org/poll?after=3`.
pub(crate) fn server(url: &str) -> &str {
    let from = url.find("://").map_or(0, |at| at + 3);
    let to = url[from..].find(['/', '?', '#']).map_or(url.len(), |at| from + at);
    &url[..to]
}

/// So many messages back an echo is looked for.
const LATELY: usize = 64;

/// The messages of requests, by page and server.
#[derive(Default)]
pub(super) struct Requests {
    by_server: BTreeMap<Key, SocketLog>,
    not_understood: BTreeMap<Key, u64>,
    /// How many offers were posted to a server.
    posted: BTreeMap<Key, u32>,
}

/// A page, and the server that it asked.
type Key = (Option<String>, String);

impl Requests {
    fn push(&mut self, key: &Key, url: &str, frame: Frame) {
        let new = || SocketLog { page: key.0.clone(), url: Some(url.to_owned()), ..SocketLog::default() };
        let frames = &mut self.by_server.entry(key.clone()).or_insert_with(new).frames;
        // What a server gives back to its sender is no message of somebody else's.
        let carries = frame.signal.description.is_some() || frame.signal.candidate.is_some();
        let is_echo = frame.direction == FrameDirection::Received && carries;
        let sent = |sent: &&Frame| sent.direction == FrameDirection::Sent;
        let same = |sent: &Frame| {
            sent.signal.description == frame.signal.description
                && sent.signal.candidate == frame.signal.candidate
        };
        if !(is_echo && frames.iter().rev().take(LATELY).filter(sent).any(same)) {
            frames.push(frame);
        }
    }

    /// A name for what was posted last: each offer that is posted begins another resource (RFC 9725 §4.2).
    fn resource<'s>(&mut self, key: &Key, mut signals: impl Iterator<Item = &'s Signal>) -> String {
        let posted = self.posted.entry(key.clone()).or_default();
        *posted += u32::from(signals.any(|signal| signal.kind == SignalKind::Offer));
        format!("post-{posted}")
    }

    /// The end of what was posted to a server, where anything was.
    fn end(&mut self, key: &Key, frame: Frame) {
        if let Some(socket) = self.by_server.get_mut(key) {
            socket.frames.push(frame);
        }
    }

    fn not_understood(&mut self, key: &Key, count: u64) {
        if count > 0 {
            *self.not_understood.entry(key.clone()).or_default() += count;
        }
    }

    /// The servers that are signalled with, each as one connection, its messages in the order of time.
    pub(super) fn into_sockets(self) -> impl Iterator<Item = SocketLog> {
        let signals = |socket: &SocketLog| {
            let mut frames = socket.frames.iter();
            frames.any(|frame| frame.signal.description.is_some() || frame.signal.candidate.is_some())
        };
        let Self { by_server, not_understood, .. } = self;
        let all = by_server.into_iter().filter(move |(_, socket)| signals(socket));
        all.map(move |(key, mut socket)| {
            socket.frames.sort_by_key(|frame| frame.at);
            socket.not_understood = not_understood.get(&key).copied().unwrap_or(0);
            socket
        })
    }
}
