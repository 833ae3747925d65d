//! What single values mean: durations, probabilities, words, names.

use std::time::Duration;

use timeline::Name;

use super::{
    MAX_DURATION,
    error::{Found, ProblemKind, Problems},
    reader::{Table, Value},
};
use crate::plan::Probability;

/// A closed vocabulary, see [`crate::words`].
pub(super) struct Vocabulary<T: 'static> {
    /// What one of its words is called in messages.
    pub(super) what: &'static str,
    pub(super) words: &'static [&'static str],
    pub(super) from_word: fn(&str) -> Option<T>,
}

/// The vocabulary of an enum that `words!` made.
macro_rules! vocabulary {
    ($what:literal, $name:ty) => {
        $crate::format::values::Vocabulary {
            what: $what,
            words: <$name>::WORDS,
            from_word: <$name>::from_word,
        }
    };
}
pub(super) use vocabulary;

impl<'d> Value<'d> {
    /// A text that says something.
    pub(super) fn sentence(self, problems: &Problems) -> Option<String> {
        let text = self.string("a sentence", problems)?;
        if text.trim().is_empty() {
            problems.add(ProblemKind::Empty { what: "this text" }, self.span());
            return None;
        }
        Some(text.to_owned())
    }

    /// A duration of at most a day.
    pub(super) fn duration(self, problems: &Problems) -> Option<Duration> {
        let text = self.string("a duration such as \"1s 500ms\"", problems)?;
        let duration = match humantime::parse_duration(text) {
            Ok(duration) => duration,
            Err(error) => {
                let kind = ProblemKind::BadDuration { found: text.to_owned(), reason: error.to_string() };
                problems.add(kind, self.span());
                return None;
            }
        };
        if duration > MAX_DURATION {
            let (least, most) = ("0s".to_owned(), "24h".to_owned());
            problems.add(ProblemKind::OutOfRange { found: text.to_owned(), least, most }, self.span());
            return None;
        }
        Some(duration)
    }

    /// A probability: `"5%"` or `0.05`.
    pub(super) fn probability(self, problems: &Problems) -> Option<Probability> {
        let (shown, fraction) = if let Some(number) = self.number() {
            (number.to_string(), Some(number))
        } else {
            let text = self.string("a probability such as \"5%\" or 0.05", problems)?;
            let per_cent = text.strip_suffix('%').and_then(|number| number.trim().parse::<f64>().ok());
            (text.to_owned(), per_cent.map(|per_cent| per_cent / 100.0))
        };
        let probability = fraction.and_then(|fraction| Probability::new(fraction).ok());
        if probability.is_none() {
            problems.add(ProblemKind::BadProbability { found: shown }, self.span());
        }
        probability
    }

    /// A number of at least `least`.
    pub(super) fn number_from(self, least: f64, problems: &Problems) -> Option<f64> {
        let Some(number) = self.number() else {
            self.wrong_type("a number", problems);
            return None;
        };
        if number < least || !number.is_finite() {
            let (found, most) = (number.to_string(), "any".to_owned());
            problems.add(ProblemKind::OutOfRange { found, least: least.to_string(), most }, self.span());
            return None;
        }
        Some(number)
    }

    /// A number that the world's link model accepts.
    pub(super) fn model_number<T, E: std::fmt::Display>(
        self,
        new: impl FnOnce(f64) -> Result<T, E>,
        problems: &Problems,
    ) -> Option<T> {
        let Some(number) = self.number() else {
            self.wrong_type("a number", problems);
            return None;
        };
        let made = new(number);
        made.map_err(|error| {
            problems.add(ProblemKind::Impossible { reason: error.to_string() }, self.span());
        })
        .ok()
    }

    /// A word of a vocabulary.
    pub(super) fn word<T>(self, vocabulary: &Vocabulary<T>, problems: &Problems) -> Option<T> {
        let word = self.string(&format!("one of: {}", vocabulary.words.join(", ")), problems)?;
        let found = (vocabulary.from_word)(word);
        if found.is_none() {
            let found = Found::new(word, vocabulary.words.iter().copied());
            problems.add(ProblemKind::UnknownWord { what: vocabulary.what, found }, self.span());
        }
        found
    }

    /// A word that stays a text.
    pub(super) fn known_text(
        self,
        what: &'static str,
        words: &'static [&'static str],
        problems: &Problems,
    ) -> Option<String> {
        let word = self.string(&format!("one of: {}", words.join(", ")), problems)?;
        if !words.contains(&word) {
            let found = Found::new(word, words.iter().copied());
            problems.add(ProblemKind::UnknownWord { what, found }, self.span());
            return None;
        }
        Some(word.to_owned())
    }

    /// The name of a peer.
    pub(super) fn peer(self, peers: &[Name], problems: &Problems) -> Option<Name> {
        let word = self.string("the name of a peer", problems)?;
        known_name("peer", word, peers, || self.span(), problems)
    }
}

impl<'d> Table<'d> {
    /// The word at `key`.
    pub(super) fn word<T>(
        &mut self,
        key: &'static str,
        vocabulary: &Vocabulary<T>,
        problems: &Problems,
    ) -> Option<T> {
        self.take(key)?.word(vocabulary, problems)
    }

    /// The probability at `key`.
    pub(super) fn probability(&mut self, key: &'static str, problems: &Problems) -> Option<Probability> {
        self.take(key)?.probability(problems)
    }

    /// The duration at `key`, without its place.
    pub(super) fn plain_duration(&mut self, key: &'static str, problems: &Problems) -> Option<Duration> {
        self.duration(key, problems).map(|(duration, _)| duration)
    }
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
    span: impl FnOnce() -> super::error::Span,
    problems: &Problems,
) -> Option<Name> {
    let name = known.iter().find(|name| name.as_str() == word);
    if name.is_none() {
        let found = Found::new(word, known.iter().map(Name::as_str));
        problems.add(ProblemKind::UnknownName { what, found }, span());
    }
    name.cloned()
}
