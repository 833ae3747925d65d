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
mod places;
mod words;

pub(crate) use words::{kind_of, known_words};

use std::borrow::Cow;

use serde_json::Value;

use self::{apply::Ready, places::Roots};
pub use advice::Unmapped;
pub use error::{MappingError, MappingProblem};
pub use framing::Framing;

use crate::trace::{Signal, SignalKind};

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
}

/// The mappings that a reader tries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mappings {
    list: Vec<Ready>,
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

    /// Its words beside those that are known anyway: of its places, and for types.
    pub(crate) fn own_words(&self) -> impl Iterator<Item = &String> {
        self.pointers().chain(self.words.iter().map(|(word, _)| word))
    }
}

impl Mappings {
    /// `own`, and after it the built-in mappings.
    pub fn with(own: impl IntoIterator<Item = Mapping>) -> Self {
        let list: Vec<Mapping> = own.into_iter().chain(builtin::all()).collect();
        let roots = Roots::of(list.iter().flat_map(Mapping::pointers));
        Self { list: list.into_iter().map(|mapping| Ready::new(mapping, &roots)).collect(), roots }
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
        let opened = Framing::ALL.map(|framing| (framing, framing.open(text)));
        let open = |framing| opened.iter().find(|(other, _)| *other == framing)?.1.as_ref();
        match self.best(open) {
            Some(signals) => Mapped::Signals(signals),
            None => opened.into_iter().find_map(|(_, value)| value).map_or(Mapped::Ignored, Mapped::Unknown),
        }
    }

    /// What a message says that is JSON already.
    pub fn value(&self, value: &Value) -> Mapped {
        if let Value::String(text) = value {
            return self.text(text);
        }
        match self.signals(value) {
            Some(signals) => Mapped::Signals(signals),
            None => Mapped::Unknown(apply::opened(value).into_owned()),
        }
    }

    /// What a message says that is JSON and no text; `None` where no mapping understands it.
    pub(crate) fn signals(&self, value: &Value) -> Option<Vec<Signal>> {
        let opened: Cow<'_, Value> = apply::opened(value);
        self.best(|framing| (framing == Framing::Plain).then_some(&*opened))
    }

    /// The first mapping that finds a description or a candidate; else the one that understands most: a
    /// server's log may hold messages without their bodies. `open` is the message within each framing.
    fn best<'m>(&self, open: impl Fn(Framing) -> Option<&'m Value>) -> Option<Vec<Signal>> {
        let mut best: Option<(u32, Vec<Signal>)> = None;
        let seen = Framing::ALL.map(|framing| open(framing).map(|message| self.roots.see(message)));
        for mapping in &self.list {
            let place = Framing::ALL.iter().position(|framing| *framing == mapping.framing);
            let Some(seen) = place.and_then(|place| seen[place].as_ref()) else { continue };
            let signals = mapping.apply(seen);
            if let Some(signal) = signals.first() {
                if signal.description.is_some() || signal.candidate.is_some() {
                    return Some(signals);
                }
                let understood = understood(signal);
                if best.as_ref().is_none_or(|(most, _)| understood > *most) {
                    best = Some((understood, signals));
                }
            }
        }
        best.map(|(_, signals)| signals)
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

#[cfg(test)]
mod tests;
