//! Mapping files:
//!
//! ```toml
//! version = 1
//! name = "our app"
//! framing = "plain"        # or "socket.io"
//!
//! [places]                 # JSON pointers (RFC 6901), one or a list that is tried in order
//! type = "/event"
//! sdp = "/data/sdp"
//! candidate = ["/data/candidate", "/data/ice"]
//! from = "/sender"
//!
//! [types]                  # the app's words = ours
//! call-offer = "offer"
//!
//! [line]                   # where a line of its server's log has what; needed only for logs in a form of their own
//! time = "/time"
//! direction = "/evt"
//! person = "/user"         # of a `drop`: the sender or the addressee, the message tells which
//! message = "/payload"
//!
//! [directions]             # the log's words = "in", "out", "drop" or "close"
//! undeliverable = "drop"
//! ```

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Framing, LineWord, Mapping, MappingError, MappingProblem};
use crate::trace::SignalKind;

/// The version of the format.
const VERSION: &str = "1";
const KEYS: [&str; 7] = ["version", "name", "framing", "places", "types", "line", "directions"];
const LINE: [&str; 4] = ["time", "direction", "person", "message"];
const PLACES: [&str; 11] =
    ["type", "sdp", "candidate", "mid", "mline-index", "from", "to", "call", "reason", "audio", "video"];

impl Mapping {
    /// Reads a mapping file; `file` stands for it in messages.
    ///
    /// # Errors
    /// [`MappingError`] with every problem, its line and its column.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, MappingError> {
        let mut reader = Reader { text, problems: Vec::new() };
        let mapping = reader.mapping();
        reader.problems.sort_by_key(|problem| (problem.line, problem.column));
        match (mapping, reader.problems.is_empty()) {
            (Some(mapping), true) => Ok(mapping),
            _ => Err(MappingError { file: file.to_owned(), problems: reader.problems }),
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    problems: Vec<MappingProblem>,
}

impl Reader<'_> {
    fn mapping(&mut self) -> Option<Mapping> {
        let document = match DeTable::parse(self.text) {
            Ok(document) => document,
            Err(error) => {
                self.problem(error.span().unwrap_or(0..0), format!("this is not TOML: {}", error.message()));
                return None;
            }
        };
        let mut mapping = Mapping { name: "own".to_owned(), ..Mapping::default() };
        if !document.get_ref().contains_key("version") {
            self.problem(0..0, format!("`version` is missing; write `version = {VERSION}` at the beginning"));
        }
        // Who describes the log alone leaves the messages to the built-in mappings.
        if !document.get_ref().contains_key("places") && !document.get_ref().contains_key("line") {
            self.problem(0..0, "`[places]` is missing; it says where type, SDP and candidate sit".to_owned());
        }
        for (key, value) in document.get_ref() {
            let span = value.span();
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("version", DeValue::Integer(version)) if version.as_str() == VERSION => {}
                ("version", _) => self.problem(span, format!("only `version = {VERSION}` is known")),
                ("name", DeValue::String(name)) => mapping.name = name.clone().into_owned(),
                ("framing", DeValue::String(word)) => self.framing(&mut mapping, word, span),
                ("places", DeValue::Table(places)) => self.places(&mut mapping, places),
                ("types", DeValue::Table(types)) => self.types(&mut mapping, types),
                ("line", DeValue::Table(places)) => self.line(&mut mapping, places),
                ("directions", DeValue::Table(words)) => self.directions(&mut mapping, words),
                ("name" | "framing", _) => self.problem(span, format!("`{}` is a text", key.get_ref())),
                ("places" | "types" | "line" | "directions", _) => {
                    self.problem(span, format!("`[{}]` is a table", key.get_ref()))
                }
                (other, _) => self.unknown(key.span(), "key", other, &KEYS),
            }
        }
        Some(mapping)
    }

    fn framing(&mut self, mapping: &mut Mapping, word: &str, span: Range<usize>) {
        match Framing::ALL.into_iter().find(|framing| framing.as_str() == word) {
            Some(framing) => mapping.framing = framing,
            None => self.unknown(span, "framing", word, &Framing::ALL.map(Framing::as_str)),
        }
    }

    fn places(&mut self, mapping: &mut Mapping, places: &DeTable<'_>) {
        for (key, value) in places {
            let place = match key.get_ref().as_ref() {
                "type" => &mut mapping.kind,
                "sdp" => &mut mapping.sdp,
                "candidate" => &mut mapping.candidate,
                "mid" => &mut mapping.mid,
                "mline-index" => &mut mapping.mline_index,
                "from" => &mut mapping.from,
                "to" => &mut mapping.to,
                "call" => &mut mapping.call,
                "reason" => &mut mapping.reason,
                "audio" => &mut mapping.audio,
                "video" => &mut mapping.video,
                other => {
                    self.unknown(key.span(), "place", other, &PLACES);
                    continue;
                }
            };
            *place = self.pointers(value);
        }
    }

    fn pointers(&mut self, value: &Spanned<DeValue<'_>>) -> Vec<String> {
        let mut places = Vec::new();
        match value.get_ref() {
            DeValue::String(pointer) => places.extend(self.pointer(pointer, value.span())),
            DeValue::Array(pointers) => {
                for pointer in pointers.iter() {
                    match pointer.get_ref() {
                        DeValue::String(text) => places.extend(self.pointer(text, pointer.span())),
                        _ => self.problem(pointer.span(), "a place is a JSON pointer in quotes".to_owned()),
                    }
                }
            }
            _ => self
                .problem(value.span(), "a place is a JSON pointer in quotes, or a list of them".to_owned()),
        }
        places
    }

    fn line(&mut self, mapping: &mut Mapping, places: &DeTable<'_>) {
        for (key, value) in places {
            let found = self.pointers(value);
            let line = mapping.line.get_or_insert_default();
            match key.get_ref().as_ref() {
                "time" => line.time = found,
                "direction" => line.direction = found,
                "person" => line.person = found,
                "message" => line.message = found,
                other => self.unknown(key.span(), "place of a line", other, &LINE),
            }
        }
    }

    fn directions(&mut self, mapping: &mut Mapping, words: &DeTable<'_>) {
        for (word, meaning) in words {
            let DeValue::String(name) = meaning.get_ref() else {
                self.problem(meaning.span(), "a direction is one of our words in quotes".to_owned());
                continue;
            };
            match LineWord::from_word(name) {
                Some(meaning) => {
                    let word = word.get_ref().clone().into_owned();
                    mapping.line.get_or_insert_default().words.push((word, meaning));
                }
                None => self.unknown(meaning.span(), "direction", name, LineWord::WORDS),
            }
        }
    }

    fn pointer(&mut self, pointer: &str, span: Range<usize>) -> Option<String> {
        if pointer.is_empty() || pointer.starts_with('/') {
            return Some(pointer.to_owned());
        }
        let meant = pointer.trim_start_matches("$.").replace('.', "/");
        self.problem(
            span,
            format!("`{pointer}` is no JSON pointer, which begins with `/`; did you mean `/{meant}`?"),
        );
        None
    }

    fn types(&mut self, mapping: &mut Mapping, types: &DeTable<'_>) {
        for (word, kind) in types {
            let DeValue::String(name) = kind.get_ref() else {
                self.problem(kind.span(), "a type is one of our words in quotes".to_owned());
                continue;
            };
            match SignalKind::from_own_word(name) {
                Some(kind) => mapping.words.push((word.get_ref().clone().into_owned(), kind)),
                None => {
                    let known: Vec<&str> = SignalKind::KNOWN.iter().map(SignalKind::as_str).collect();
                    self.unknown(kind.span(), "type", name, &known);
                }
            }
        }
    }

    fn unknown(&mut self, span: Range<usize>, what: &str, found: &str, known: &[&str]) {
        let nearest = timeline::nearest(found, known.iter().copied());
        let meant = nearest.map(|known| format!("; did you mean `{known}`?")).unwrap_or_default();
        self.problem(span, format!("`{found}` is no {what}; accepted are `{}`{meant}", known.join("`, `")));
    }

    fn problem(&mut self, span: Range<usize>, message: String) {
        let start = (0..=span.start.min(self.text.len())).rev().find(|at| self.text.is_char_boundary(*at));
        let before = &self.text[..start.unwrap_or(0)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        self.problems.push(MappingProblem {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message,
        });
    }
}
