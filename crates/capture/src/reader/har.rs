//! HTTP archives (HAR 1.2) with WebSocket frames, as DevTools and Playwright write them: times in seconds in
//! one, in milliseconds in the other; binary frames in base64 in both; one page or several. Applications that signal
//! by requests and polls are read from the bodies of those (`requests`).

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::de::{MapAccess, SeqAccess};

mod requests;

pub(crate) use self::requests::server;
use self::requests::{Exchange, Request, Requests, Response};
use super::{
    Frame, FrameDirection, Recording, SocketLog,
    document::stream,
    input::{Budget, Input, truncated_text},
    lenient::{Array, Fields, Items, Number, Object, Text},
    times,
};
use crate::{
    error::Position,
    limits::Limits,
    mapping::{Mapped, Mappings, Unmapped},
    moment::Moment,
};

pub(super) fn read(
    mut recording: Recording,
    input: &mut Input<'_>,
    mappings: &Mappings,
    limits: &Limits,
) -> Recording {
    let mut archive = Archive {
        mappings,
        limits,
        budget: Budget::new(limits),
        sockets: Vec::new(),
        unmapped: Unmapped::default(),
        cut: 0,
        timeless: 0,
        exchange: Exchange::default(),
        requests: Requests::default(),
        observed_until: None,
    };
    stream(&mut archive, &mut recording, input, limits, |archive| archive.budget.is_full());
    if archive.cut > 0 {
        let what =
            format!("{} frames are longer than {} bytes and were left out", archive.cut, limits.text_bytes);
        recording.gap(Position::default(), what);
    }
    if archive.timeless > 0 {
        recording
            .gap(Position::default(), format!("{} frames have no time and were left out", archive.timeless));
    }
    recording.observed_until = archive.observed_until;
    recording.sockets = archive.sockets;
    recording.sockets.extend(archive.requests.into_sockets());
    recording.unmapped = archive.unmapped;
    recording
}

/// The document, and its `log`.
struct Archive<'m> {
    mappings: &'m Mappings,
    limits: &'m Limits,
    budget: Budget,
    sockets: Vec<SocketLog>,
    unmapped: Unmapped,
    cut: u64,
    timeless: u64,
    /// The request of the entry that was begun last.
    exchange: Exchange,
    requests: Requests,
    /// The latest time of anything.
    observed_until: Option<Moment>,
}

impl Fields for Archive<'_> {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "log" => map.next_value_seed(Object(&mut Log(self))),
            _ => map.next_value::<serde::de::IgnoredAny>().map(drop),
        }
    }
}

struct Log<'a, 'm>(&'a mut Archive<'m>);

impl Fields for Log<'_, '_> {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "entries" => map.next_value_seed(Array(&mut Entries(self.0))),
            _ => map.next_value::<serde::de::IgnoredAny>().map(drop),
        }
    }
}

/// 101 Switching Protocols: the WebSocket came about.
const SWITCHED: u16 = 101;

struct Entries<'a, 'm>(&'a mut Archive<'m>);

impl Items for Entries<'_, '_> {
    fn item<'de, A: SeqAccess<'de>>(&mut self, seq: &mut A) -> Result<bool, A::Error> {
        // What an entry says of its page may come after its frames; both are kept as they come.
        self.0.sockets.push(SocketLog::default());
        self.0.exchange = Exchange::default();
        let found = seq.next_element_seed(Object(&mut Entry(self.0)))?.is_some();
        let exchange = std::mem::take(&mut self.0.exchange);
        if let (Some(socket), Some(at)) = (self.0.sockets.last_mut(), exchange.started)
            && (exchange.status == SWITCHED || !socket.frames.is_empty())
            && let Some(signal) = exchange.url.as_deref().and_then(crate::protocol::livekit_offer)
        {
            socket.frames.insert(0, Frame { at, direction: FrameDirection::Sent, signal });
        }
        self.0.exchanged(exchange);
        self.0
            .sockets
            .last_mut()
            .into_iter()
            .for_each(|socket| crate::protocol::sip::settle(&mut socket.frames));
        if self.0.sockets.last().is_some_and(|socket| socket.frames.is_empty()) {
            self.0.sockets.pop();
        }
        Ok(found)
    }
}

/// The entry that was begun last.
struct Entry<'a, 'm>(&'a mut Archive<'m>);

impl Fields for Entry<'_, '_> {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "_webSocketMessages" | "webSocketMessages" => map.next_value_seed(Array(&mut Frames(self.0)))?,
            "pageref" => {
                let page = map.next_value::<Text>()?.0;
                self.0.exchange.page.clone_from(&page);
                if let Some(socket) = self.0.sockets.last_mut() {
                    socket.page = page;
                }
            }
            "startedDateTime" => {
                let text = map.next_value::<Text>()?.0.unwrap_or_default();
                self.0.exchange.started = times::moment(&text);
                self.0.observed_until = self.0.observed_until.max(self.0.exchange.started);
            }
            "time" => self.0.exchange.took_ms = map.next_value::<Number>()?.0,
            "request" => {
                map.next_value_seed(Object(&mut Request(&mut self.0.exchange)))?;
                if let Some(socket) = self.0.sockets.last_mut() {
                    socket.url.clone_from(&self.0.exchange.url);
                }
            }
            "response" => map.next_value_seed(Object(&mut Response(&mut self.0.exchange)))?,
            _ => drop(map.next_value::<serde::de::IgnoredAny>()?),
        }
        Ok(())
    }
}

struct Frames<'a, 'm>(&'a mut Archive<'m>);

impl Items for Frames<'_, '_> {
    fn item<'de, A: SeqAccess<'de>>(&mut self, seq: &mut A) -> Result<bool, A::Error> {
        let mut frame = RawFrame::default();
        if seq.next_element_seed(Object(&mut frame))?.is_none() {
            return Ok(false);
        }
        self.0.frame(&frame);
        match self.0.budget.is_full() {
            true => Err(serde::de::Error::custom("memory")),
            false => Ok(true),
        }
    }
}

#[derive(Default)]
struct RawFrame {
    direction: String,
    time: Option<f64>,
    iso: Option<Moment>,
    opcode: Option<f64>,
    data: String,
}

impl Fields for RawFrame {
    fn field<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "type" => self.direction = map.next_value::<Text>()?.0.unwrap_or_default(),
            "time" => {
                let text = map.next_value::<Text>()?.0.unwrap_or_default();
                self.time = text.parse().ok();
                self.iso = times::moment(&text);
            }
            "opcode" => self.opcode = map.next_value::<Number>()?.0,
            "data" => self.data = map.next_value::<Text>()?.0.unwrap_or_default(),
            _ => drop(map.next_value::<serde::de::IgnoredAny>()?),
        }
        Ok(())
    }
}

/// Seconds and milliseconds since the epoch are told apart by their size: 10¹¹ seconds are in the year 5138,
/// 10¹¹ milliseconds in 1973.
const SECONDS_BELOW: f64 = 1e11;

impl Archive<'_> {
    fn frame(&mut self, raw: &RawFrame) {
        let direction = match raw.direction.as_str() {
            "send" | "sent" | "request" => FrameDirection::Sent,
            "receive" | "received" | "response" => FrameDirection::Received,
            _ => return,
        };
        if truncated_text(&raw.data, self.limits) {
            self.cut += 1;
            return;
        }
        let Some(payload) = payload(raw) else { return };
        let by_client = direction == FrameDirection::Sent;
        let at = raw.time.map(|time| if time < SECONDS_BELOW { time * 1e3 } else { time });
        let at = at.and_then(Moment::from_millis).or(raw.iso);
        self.observed_until = self.observed_until.max(at);
        let (mapped, size) = match &payload {
            Payload::Text(text) => (self.mappings.text(text), text.len()),
            Payload::Bytes(bytes) => match self.mappings.binary(bytes, by_client) {
                Mapped::Ignored => match std::str::from_utf8(bytes) {
                    Ok(text) => (self.mappings.text(text), text.len()),
                    Err(_) => (Mapped::Ignored, bytes.len()),
                },
                mapped => (mapped, bytes.len()),
            },
        };
        let signals = match mapped {
            Mapped::Signals(signals) => signals,
            Mapped::Unknown(value) => {
                self.sockets.last_mut().into_iter().for_each(|socket| socket.not_understood += 1);
                return self.unmapped.note(&value);
            }
            Mapped::Ignored if payload.holds_a_description() => {
                self.sockets.last_mut().into_iter().for_each(|socket| socket.not_understood += 1);
                return;
            }
            Mapped::Ignored => return,
        };
        let Some(at) = at else {
            self.timeless += 1;
            return;
        };
        let Some(socket) = self.sockets.last_mut() else { return };
        for signal in signals {
            if self.budget.take(size) {
                socket.frames.push(Frame { at, direction, signal });
            }
        }
    }
}

/// What a frame carries.
enum Payload {
    Text(String),
    Bytes(Vec<u8>),
}

impl Payload {
    /// Whether SDP stands in it, in whatever form.
    fn holds_a_description(&self) -> bool {
        match self {
            Self::Text(text) => holds_a_description(text.as_bytes()),
            Self::Bytes(bytes) => holds_a_description(bytes),
        }
    }
}

/// Whether SDP stands in these bytes, in whatever form.
pub(crate) fn holds_a_description(bytes: &[u8]) -> bool {
    const SIGNS: [&[u8]; 2] = [b"m=audio ", b"m=video "];
    SIGNS.iter().any(|sign| bytes.windows(sign.len()).any(|window| window == *sign))
}

/// Opcode 1 as it is, opcode 2 from base64 (RFC 6455 §11.8).
fn payload(raw: &RawFrame) -> Option<Payload> {
    match raw.opcode {
        Some(2.0) => BASE64_STANDARD.decode(raw.data.trim()).ok().map(Payload::Bytes),
        Some(1.0) | None => Some(Payload::Text(raw.data.clone())),
        Some(_) => None,
    }
}
