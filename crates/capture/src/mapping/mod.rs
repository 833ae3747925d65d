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
mod places;
mod words;

pub(crate) use words::{kind_of, known_words};

use std::borrow::Cow;

use serde_json::Value;

use self::{
    apply::Ready,
    places::{Roots, Seen},
};
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
    list: Vec<Ready>,
    /// How many of them, at the beginning, are the application's own.
    own: usize,
    line: Option<LineMapping>,
    roots: Roots,
}

impl Default for Mappings {
    /// The built-in mappings.
    fn default() -> Self {
        Self::with([])
    }
}

impl Mapping {
    fn pointers(&self) -> impl Iterator<Item = &String> {
        let places =
            [&self.kind, &self.sdp, &self.candidate, &self.mid, &self.mline_index, &self.from, &self.to];
        let rest = [&self.call, &self.reason, &self.audio, &self.video];
        places.into_iter().chain(rest).flatten()
    }

    /// Its words beside those that are known anyway: of its places, for types, and of the lines of a log.
    pub(crate) fn own_words(&self) -> impl Iterator<Item = &String> {
        let words = self.words.iter().map(|(word, _)| word);
        self.pointers().chain(words).chain(self.line.iter().flat_map(LineMapping::own_words))
    }
}

impl Mappings {
    /// `own`, and after it the built-in mappings.
    pub fn with(own: impl IntoIterator<Item = Mapping>) -> Self {
        let own: Vec<Mapping> = own.into_iter().collect();
        let line = own.iter().find_map(|mapping| mapping.line.clone());
        let count = own.len();
        let list: Vec<Mapping> = own.into_iter().chain(builtin::all()).collect();
        let roots = Roots::of(list.iter().flat_map(Mapping::pointers));
        let list = list.into_iter().map(|mapping| Ready::new(mapping, &roots)).collect();
        Self { list, own: count, line, roots }
    }

    /// What the application's own mappings say of the lines of its server's log.
    pub(crate) const fn line(&self) -> Option<&LineMapping> {
        self.line.as_ref()
    }

    /// The names of the mappings, in the order in which they are tried.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|mapping| mapping.name.as_str())
    }

    /// What a text frame says.
    pub fn text(&self, text: &str) -> Mapped<'static> {
        if framing::is_heartbeat(text) {
            return Mapped::Ignored;
        }
        let opened = Framing::ALL.map(|framing| framing.open(text));
        let seen = [0, 1].map(|framing| opened[framing].as_ref().map(|message| self.roots.see(message)));
        let known = || match &opened[0] {
            Some(plain) => known(plain),
            None => protocol::text(text.trim_start()).map(Mapped::of),
        };
        let mapped = self.own(&seen).or_else(known).or_else(|| self.best(&seen));
        drop(seen);
        let [plain, framed] = opened;
        match mapped {
            Some(mapped) if mapped.lacks_its_body() && text.contains(DESCRIPTION) => {
                plain.map_or(mapped, Mapped::unknown)
            }
            Some(mapped) => mapped,
            None => plain.or(framed).map_or(Mapped::Ignored, Mapped::unknown),
        }
    }

    /// What a frame in binary says that is no text. `by_client` where the page sent it.
    pub(crate) fn binary(&self, bytes: &[u8], by_client: bool) -> Mapped<'static> {
        protocol::binary(bytes, by_client).map_or(Mapped::Ignored, Mapped::of)
    }

    /// What the application's own mappings understand, which go before everything else.
    fn own(&self, seen: &[Option<Seen<'_>>; 2]) -> Option<Mapped<'static>> {
        let mut signals = applied(&self.list[..self.own], seen);
        signals.find(|signals| !signals.is_empty()).map(Mapped::Signals)
    }

    /// What a message says that is JSON already.
    pub fn value<'m>(&self, value: &'m Value) -> Mapped<'m> {
        if let Value::String(text) = value {
            return self.text(text);
        }
        let opened = apply::opened(value);
        let seen = [Some(self.roots.see(&opened)), None];
        if let Some(mapped) = self.own(&seen).or_else(|| known(&opened)) {
            return mapped;
        }
        let mapped = self.best(&seen);
        drop(seen);
        match mapped {
            Some(mapped) if !(mapped.lacks_its_body() && holds_a_description(&opened)) => mapped,
            _ => Mapped::Unknown(opened),
        }
    }

    /// The first built-in mapping that finds a description or a candidate; else the one that understands most: a
    /// server's log may hold messages without their bodies.
    fn best(&self, seen: &[Option<Seen<'_>>; 2]) -> Option<Mapped<'static>> {
        let mut best: Option<(u32, Vec<Signal>)> = None;
        for signals in applied(&self.list[self.own..], seen) {
            let Some(signal) = signals.first() else { continue };
            if signal.description.is_some() || signal.candidate.is_some() {
                return Some(Mapped::Signals(signals));
            }
            let understood = understood(signal);
            if best.as_ref().is_none_or(|(most, _)| understood > *most) {
                best = Some((understood, signals));
            }
        }
        best.map(|(_, signals)| Mapped::Signals(signals))
    }
}

/// What each of `mappings` makes of a message, which is seen as it is within each framing.
fn applied<'m>(
    mappings: &'m [Ready],
    seen: &'m [Option<Seen<'_>>; 2],
) -> impl Iterator<Item = Vec<Signal>> + use<'m> {
    let within = |framing| Framing::ALL.iter().position(|it| *it == framing);
    mappings.iter().filter_map(move |mapping| {
        let seen = seen[within(mapping.framing)?].as_ref()?;
        Some(mapping.apply(seen))
    })
}

/// Whether one of its texts has a description.
fn holds_a_description(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(DESCRIPTION),
        Value::Object(object) => object.values().any(holds_a_description),
        Value::Array(items) => items.iter().any(holds_a_description),
        _ => false,
    }
}

/// What a public protocol says; some servers send several messages at once.
fn known(value: &Value) -> Option<Mapped<'static>> {
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
pub enum Mapped<'m> {
    /// It was understood. Several where it carries several candidates.
    Signals(Vec<Signal>),
    /// It is JSON that no mapping understood.
    Unknown(Cow<'m, Value>),
    /// It is no signalling: not JSON, or a transport's heartbeat.
    Ignored,
}

/// How a description begins.
const DESCRIPTION: &str = "v=0";

impl Mapped<'_> {
    /// Whether it is an offer or an answer of which no mapping found the description.
    fn lacks_its_body(&self) -> bool {
        let Self::Signals(signals) = self else { return false };
        signals.iter().any(|signal| signal.kind.is_description() && signal.description.is_none())
    }

    fn unknown(value: Value) -> Self {
        Self::Unknown(Cow::Owned(value))
    }

    /// What a public protocol says: nothing where it only keeps itself alive.
    fn of(signals: Vec<Signal>) -> Self {
        if signals.is_empty() { Self::Ignored } else { Self::Signals(signals) }
    }
}

#[cfg(test)]
mod tests;
