//! What single values mean: durations, probabilities, words, names.

use std::{net::SocketAddr, time::Duration};

use serde_json::{Value as Json, json};
use timeline::{Name, Word};
use toml::de::DeValue;

use super::{
    MAX_DURATION,
    error::{Found, ProblemKind, Span},
    reader::{Reading, Table, Value},
};
use crate::plan::Probability;

/// What can be shown as a default.
pub(super) trait Shown {
    /// As it would be written in a file.
    fn shown(&self) -> Json;
}

macro_rules! shown {
    ($($type:ty),+) => { $( impl Shown for $type { fn shown(&self) -> Json { json!(self) } } )+ };
}

shown!(bool, u16, u32, u64, usize);

impl Shown for Duration {
    fn shown(&self) -> Json {
        json!(humantime::format_duration(*self).to_string())
    }
}

impl Shown for Probability {
    fn shown(&self) -> Json {
        json!(format!("{}%", self.get() * 100.0))
    }
}

impl<'d> Value<'d> {
    /// A text that says something.
    pub(super) fn sentence(self) -> Option<String> {
        let DeValue::String(text) = self.leaf(|| json!({ "type": "string", "minLength": 1 }))? else {
            return self.wrong_type("a sentence");
        };
        if text.trim().is_empty() {
            return self.problem(ProblemKind::Empty { what: "this text" });
        }
        Some(text.to_string())
    }

    /// A duration of at most a day.
    pub(super) fn duration(self) -> Option<Duration> {
        let text = self.named("duration", |value| {
            value.string_like("a duration such as \"1s 500ms\"", Some(r"^\s*[0-9]"))
        })?;
        let duration = match humantime::parse_duration(text) {
            Ok(duration) => duration,
            Err(error) => {
                let reason = error.to_string();
                return self.problem(ProblemKind::BadDuration { found: text.to_owned(), reason });
            }
        };
        if duration > MAX_DURATION {
            let (least, most) = ("0s".to_owned(), "24h".to_owned());
            return self.problem(ProblemKind::OutOfRange { found: text.to_owned(), least, most });
        }
        Some(duration)
    }

    /// A probability: `"5%"` or `0.05`.
    pub(super) fn probability(self) -> Option<Probability> {
        let fraction = || {
            json!({ "anyOf": [
                { "type": "string", "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*%$" },
                { "type": "number", "minimum": 0, "maximum": 1 },
            ] })
        };
        let written = self.named("probability", |value| value.leaf(fraction))?;
        let (shown, fraction) = match (self.number(|| json!({})), written) {
            (Some(number), _) => (number.to_string(), Some(number)),
            (None, DeValue::String(text)) => {
                let per_cent = text.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
                (text.to_string(), per_cent.map(|per_cent| per_cent / 100.0))
            }
            (None, _) => return self.wrong_type("a probability such as \"5%\" or 0.05"),
        };
        let probability = fraction.and_then(|fraction| Probability::new(fraction).ok());
        probability.or_else(|| self.problem(ProblemKind::BadProbability { found: shown }))
    }

    /// A number of at least `least`.
    pub(super) fn number_from(self, least: f64) -> Option<f64> {
        let number = self.any_number(|| json!({ "type": "number", "minimum": least }))?;
        if number < least || !number.is_finite() {
            let (found, most) = (number.to_string(), "any".to_owned());
            return self.problem(ProblemKind::OutOfRange { found, least: least.to_string(), most });
        }
        Some(number)
    }

    /// A number that the world's link model accepts, which `schema` says.
    pub(super) fn model_number<T, E: std::fmt::Display>(
        self,
        schema: impl FnOnce() -> Json,
        new: impl FnOnce(f64) -> Result<T, E>,
    ) -> Option<T> {
        let impossible = |error: E| self.problem(ProblemKind::Impossible { reason: error.to_string() });
        new(self.any_number(schema)?).map_or_else(impossible, Some)
    }

    fn any_number(self, schema: impl FnOnce() -> Json) -> Option<f64> {
        self.number(schema).or_else(|| self.wrong_type("a number"))
    }

    /// A word of a closed set; `what` is what one of its words is called in messages.
    pub(super) fn word<T: Word>(self, what: &'static str) -> Option<T> {
        self.word_of(what, T::ALL)
    }

    /// What `then` makes of a word of a closed set. Where there is no document: of each of them.
    pub(super) fn word_then<W: Word, T>(
        self,
        what: &'static str,
        then: impl Fn(W) -> Option<T>,
    ) -> Option<T> {
        let word = self.word(what);
        if self.is_described() {
            W::ALL.iter().for_each(|word| drop(then(*word)));
        }
        then(word?)
    }

    /// One of some words of a closed set.
    pub(super) fn word_of<T: Word>(self, what: &'static str, accepted: &[T]) -> Option<T> {
        let words: Vec<&str> = accepted.iter().map(|one| one.word()).collect();
        let described = |one: &T| {
            let index = T::ALL.iter().position(|known| known == one).unwrap_or_default();
            json!({ "const": one.word(), "description": one_line(T::DOCS[index]) })
        };
        let schema = || json!({ "oneOf": accepted.iter().map(described).collect::<Vec<_>>() });
        let word = self.name_of(what, &words, schema)?;
        accepted.iter().find(|one| one.word() == word).copied()
    }

    /// One of some texts.
    pub(super) fn known_text(self, what: &'static str, words: &[&str]) -> Option<String> {
        self.name_of(what, words, || json!({ "enum": words })).map(str::to_owned)
    }

    fn name_of(self, what: &'static str, words: &[&str], schema: impl FnOnce() -> Json) -> Option<&'d str> {
        let DeValue::String(word) = self.leaf(schema)? else {
            return self.wrong_type(format!("one of: {}", words.join(", ")));
        };
        if !words.contains(&&**word) {
            let found = Found::new(word, words.iter().copied());
            return self.problem(ProblemKind::UnknownWord { what, found });
        }
        Some(word)
    }

    /// The name of a peer.
    pub(super) fn peer(self, peers: &[Name]) -> Option<Name> {
        self.one_called("peer", "the name of a peer", peers)
    }

    /// The name of one of `known`, each of which is a `what`; `accepted` says so in words.
    pub(super) fn one_called(self, what: &'static str, accepted: &str, known: &[Name]) -> Option<Name> {
        let word = self.string(accepted)?;
        known_name(what, word, known, || self.span(), self.reading)
    }

    /// An address with a port.
    pub(super) fn socket_address(self) -> Option<SocketAddr> {
        let text = self.string("an address such as \"203.0.113.1:50000\"")?;
        let reason = format!("`{text}` is not an address with a port, such as 203.0.113.1:50000");
        text.parse().ok().or_else(|| self.problem(ProblemKind::Impossible { reason }))
    }
}

impl Table<'_> {
    /// Puts the word at `key` in the place of its default; `what` is what such a word is called in messages.
    pub(super) fn set_word<T: Word>(&self, key: &'static str, doc: &str, what: &'static str, place: &mut T) {
        let mut shown = ShownWord(*place);
        self.set(key, doc, &mut shown, |value| value.word(what).map(ShownWord));
        *place = shown.0;
    }
}

struct ShownWord<T>(T);

impl<T: Word> Shown for ShownWord<T> {
    fn shown(&self) -> Json {
        json!(self.0.word())
    }
}

/// A doc comment as it is written, on one line.
fn one_line(doc: &str) -> String {
    doc.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Puts a value where one was read.
pub(super) fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// `word` as one of `known`.
pub(super) fn known_name(
    what: &'static str,
    word: &str,
    known: &[Name],
    span: impl FnOnce() -> Span,
    reading: &Reading,
) -> Option<Name> {
    let name = known.iter().find(|name| name.as_str() == word);
    if name.is_none() {
        let found = Found::new(word, known.iter().map(Name::as_str));
        reading.add(ProblemKind::UnknownName { what, found }, span());
    }
    name.cloned()
}
