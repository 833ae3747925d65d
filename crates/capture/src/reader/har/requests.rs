//! Signalling by requests: messages in the bodies of requests, and of answers to polls.
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
        lenient::{Fields, Object, Text},
    },
    Archive,
};
use crate::{
    mapping::Mappings,
    moment::Moment,
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
        let Exchange { url: Some(url), page, started: Some(started), took_ms, asked, answered, is_base64 } =
            exchange
        else {
            return;
        };
        let took_ms = took_ms.filter(|ms| ms.is_finite() && *ms > 0.0).unwrap_or_default();
        let ended = started.shifted((took_ms.min(1e9) * 1e3) as i64);
        let answered = match is_base64 {
            true => BASE64_STANDARD.decode(answered).ok().and_then(|bytes| String::from_utf8(bytes).ok()),
            false => Some(answered),
        };
        let bodies = [
            (started, FrameDirection::Sent, asked),
            (ended, FrameDirection::Received, answered.unwrap_or_default()),
        ];
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
            find(&value, self.mappings, DEPTH, &mut signals);
            for signal in signals {
                if self.budget.take(size(&signal)) {
                    let frame = Frame { at, direction, signal };
                    self.requests.push((page.clone(), server(&url).to_owned()), &url, frame);
                }
            }
        }
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
        && let Some(signals) = mappings.signals(value)
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

/// The messages of requests, by page and server.
#[derive(Default)]
pub(super) struct Requests {
    by_server: BTreeMap<(Option<String>, String), SocketLog>,
}

impl Requests {
    fn push(&mut self, key: (Option<String>, String), url: &str, frame: Frame) {
        let new = || SocketLog { page: key.0.clone(), url: Some(url.to_owned()), ..SocketLog::default() };
        self.by_server.entry(key.clone()).or_insert_with(new).frames.push(frame);
    }

    /// The servers that are signalled with, each as one connection, its messages in the order of time.
    pub(super) fn into_sockets(self) -> impl Iterator<Item = SocketLog> {
        let signals = |socket: &SocketLog| {
            let mut frames = socket.frames.iter();
            frames.any(|frame| frame.signal.description.is_some() || frame.signal.candidate.is_some())
        };
        self.by_server.into_values().filter(signals).map(|mut socket| {
            socket.frames.sort_by_key(|frame| frame.at);
            socket
        })
    }
}
