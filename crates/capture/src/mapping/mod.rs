//! From an application's signalling JSON to a [`Signal`]: where type, SDP, candidate, sender and call id sit,
//! and which word means what.
//!
//! [`Mappings`] tries its mappings in order; the first that understands a message wins. The built-in ones
//! cover the relay of this project, the plain `{type, sdp}` and `{candidate}` style, envelopes such as
//! `{event, data}`, and socket.io text frames. An application that speaks otherwise gets a mapping file
//! ([`Mapping::from_toml`]); what nothing understood is kept as an example ([`Unmapped`]), from which
//! [`Unmapped::advice`] drafts such a file.

mod advice;
mod apply;
mod builtin;
mod error;
mod file;
mod framing;
mod line;
mod words;

pub(crate) use words::kind_of;

use serde_json::Value;

pub use advice::Unmapped;
pub use error::{MappingError, MappingProblem};
pub use framing::Framing;
pub use line::{LineMapping, LineWord};

use crate::{
    protocol,
    trace::{Signal, SignalKind},
};

/// Where an application puts things in its signalling messages.
///
/// All places are JSON pointers (RFC 6901), tried in order. A string on the way that is itself JSON is
/// looked into.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// Its name, for messages.
    pub name: String,
    /// What stands around the JSON of a text frame.
    pub framing: Framing,
    /// The word for the message's type.
    pub kind: Vec<String>,
    /// The SDP.
    pub sdp: Vec<String>,
    /// The candidate: its line, an `RTCIceCandidateInit`, or `null` for the end of the candidates.
    pub candidate: Vec<String>,
    /// The candidate's media section, where it does not stand in the candidate itself.
    pub mid: Vec<String>,
    /// The index of the candidate's media section, likewise.
    pub mline_index: Vec<String>,
    /// The sender.
    pub from: Vec<String>,
    /// The addressee.
    pub to: Vec<String>,
    /// The call.
    pub call: Vec<String>,
    /// The reason of a rejection or a goodbye.
    pub reason: Vec<String>,
    /// Whether the microphone is on.
    pub audio: Vec<String>,
    /// Whether the camera is on.
    pub video: Vec<String>,
    /// The application's words for types, beside those that are known anyway.
    pub words: Vec<(String, SignalKind)>,
    /// Where the lines of its server's log have what, where they are not in the form of a relay log.
    pub line: Option<LineMapping>,
}

/// The mappings that a reader tries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mappings {
    list: Vec<Mapping>,
    /// How many of them, at the beginning, are the application's own.
    own: usize,
}

impl Default for Mappings {
    /// The built-in mappings.
    fn default() -> Self {
        Self { list: builtin::all(), own: 0 }
    }
}

impl Mappings {
    /// `own`, and after it the built-in mappings.
    pub fn with(own: impl IntoIterator<Item = Mapping>) -> Self {
        let mut list: Vec<Mapping> = own.into_iter().collect();
        let own = list.len();
        list.extend(builtin::all());
        Self { list, own }
    }

    /// What the application's own mappings say of the lines of its server's log.
    pub(crate) fn line(&self) -> Option<&LineMapping> {
        self.list[..self.own].iter().find_map(|mapping| mapping.line.as_ref())
    }

    /// The names of the mappings, in the order in which they are tried.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|mapping| mapping.name.as_str())
    }

    /// What a text frame says.
    pub fn text(&self, text: &str) -> Mapped {
        if framing::is_heartbeat(text) {
            return Mapped::Ignored;
        }
        let own = self.own(|mapping| mapping.framing.open(text));
        let known = own.or_else(|| known_text(text));
        let mapped = known.unwrap_or_else(|| self.best(|mapping| mapping.framing.open(text)));
        match mapped.lacks_its_body() && text.contains(DESCRIPTION) {
            true => serde_json::from_str(text).map_or(mapped, Mapped::Unknown),
            false => mapped,
        }
    }

    /// What a frame in binary says that is no text. `by_client` where the page sent it.
    pub(crate) fn binary(&self, bytes: &[u8], by_client: bool) -> Mapped {
        protocol::binary(bytes, by_client).map_or(Mapped::Ignored, Mapped::of)
    }

    /// What the application's own mappings understand, which go before everything else.
    fn own(&self, open: impl Fn(&Mapping) -> Option<Value>) -> Option<Mapped> {
        let signals = self.list[..self.own].iter().filter_map(|mapping| Some(mapping.apply(&open(mapping)?)));
        signals.into_iter().find(|signals| !signals.is_empty()).map(Mapped::Signals)
    }

    /// What a message says that is JSON already.
    pub fn value(&self, value: &Value) -> Mapped {
        if let Value::String(text) = value {
            return self.text(text);
        }
        let opened = apply::opened(value);
        let own = self.own(|mapping| (mapping.framing == Framing::Plain).then(|| opened.clone()));
        if let Some(mapped) = own.or_else(|| known(&opened)) {
            return mapped;
        }
        let mapped = self.best(|mapping| (mapping.framing == Framing::Plain).then(|| opened.clone()));
        match mapped.lacks_its_body() && opened.to_string().contains(DESCRIPTION) {
            true => Mapped::Unknown(opened),
            false => mapped,
        }
    }

    /// The first mapping that finds a description or a candidate; else the one that understands most: a
    /// server's log may hold messages without their bodies.
    fn best(&self, open: impl Fn(&Mapping) -> Option<Value>) -> Mapped {
        let mut seen = None;
        let mut best: Option<(u32, Vec<Signal>)> = None;
        for mapping in &self.list {
            let Some(value) = open(mapping) else { continue };
            let signals = mapping.apply(&value);
            if let Some(signal) = signals.first() {
                if signal.description.is_some() || signal.candidate.is_some() {
                    return Mapped::Signals(signals);
                }
                let understood = understood(signal);
                if best.as_ref().is_none_or(|(most, _)| understood > *most) {
                    best = Some((understood, signals));
                }
            }
            seen.get_or_insert(value);
        }
        match (best, seen) {
            (Some((_, signals)), _) => Mapped::Signals(signals),
            (None, Some(value)) => Mapped::Unknown(value),
            (None, None) => Mapped::Ignored,
        }
    }
}

/// What a public protocol says, where the text is of one.
fn known_text(text: &str) -> Option<Mapped> {
    let bare = text.trim_start();
    match bare.as_bytes().first()? {
        b'{' | b'[' => known(&serde_json::from_str(bare).ok()?),
        _ => protocol::text(bare).map(Mapped::of),
    }
}

/// Likewise of JSON; some servers send several messages at once.
fn known(value: &Value) -> Option<Mapped> {
    match value {
        Value::Array(items) => {
            let found: Vec<Vec<Signal>> = items.iter().filter_map(protocol::value).collect();
            (!found.is_empty()).then(|| Mapped::of(found.into_iter().flatten().collect()))
        }
        value => protocol::value(value).map(Mapped::of),
    }
}

/// How many fields of a message without a body were found.
fn understood(signal: &Signal) -> u32 {
    let texts = [&signal.call, &signal.from, &signal.to, &signal.reason];
    texts.iter().map(|text| u32::from(text.is_some())).sum::<u32>() + u32::from(signal.media.is_some())
}

/// What mappings made of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Mapped {
    /// It was understood. Several where it carries several candidates.
    Signals(Vec<Signal>),
    /// It is JSON that no mapping understood.
    Unknown(Value),
    /// It is no signalling: not JSON, or a transport's heartbeat.
    Ignored,
}

/// How a description begins.
const DESCRIPTION: &str = "v=0";

impl Mapped {
    /// Whether it is an offer or an answer of which no mapping found the description.
    fn lacks_its_body(&self) -> bool {
        let Self::Signals(signals) = self else { return false };
        signals.iter().any(|signal| signal.kind.is_description() && signal.description.is_none())
    }

    /// What a public protocol says: nothing where it only keeps itself alive.
    fn of(signals: Vec<Signal>) -> Self {
        if signals.is_empty() { Self::Ignored } else { Self::Signals(signals) }
    }
}

#[cfg(test)]
mod tests;
