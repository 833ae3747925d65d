//! A parsed document with its places, and the questions that the reader asks of it. Every question
//! that has no answer leaves a problem and yields `None`.

use std::{cell::RefCell, collections::BTreeSet, ops::RangeInclusive, time::Duration};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::error::{Found, ProblemKind, Problems, Span};

/// A table of which some keys are known.
pub(super) struct Table<'d> {
    /// What it is called in messages: `[peers.caller]`.
    title: String,
    entries: &'d DeTable<'d>,
    span: Span,
    known: RefCell<BTreeSet<&'static str>>,
}

impl<'d> Table<'d> {
    /// The document itself.
    pub(super) fn root(entries: &'d DeTable<'d>, span: Span) -> Option<Self> {
        // A problem of the whole document is shown at its beginning.
        let span = span.start..span.start;
        Some(Self { title: "the file".to_owned(), entries, span, known: RefCell::default() })
    }

    /// Where it stands.
    pub(super) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Whether nothing is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value of `key`, which is thereby known.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Value<'d>> {
        self.known.get_mut().insert(key);
        self.entries.get(key).map(Value)
    }

    /// The value of `key`, which does not become known by that.
    pub(super) fn peek(&self, key: &str) -> Option<Value<'d>> {
        self.entries.get(key).map(Value)
    }

    /// The value of `key`; that there is none is a problem.
    pub(super) fn require(&mut self, key: &'static str, problems: &Problems) -> Option<Value<'d>> {
        let value = self.take(key);
        if value.is_none() {
            problems.add(ProblemKind::MissingKey { table: self.title.clone(), key }, self.span());
        }
        value
    }

    /// The keys that nobody has asked for yet, in the order of the file.
    pub(super) fn rest(&self) -> Vec<Key<'d>> {
        let known = self.known.borrow();
        let rest = self.entries.iter().filter(|(key, _)| !known.contains(key.get_ref().as_ref()));
        let mut rest: Vec<Key<'d>> = rest
            .map(|(key, value)| Key { name: key.get_ref(), span: key.span(), value: Value(value) })
            .collect();
        rest.sort_by_key(|key| key.span.start);
        rest
    }

    /// Whatever nobody has asked for is a problem.
    pub(super) fn finish(self, problems: &Problems) {
        for key in self.rest() {
            let found = Found::new(key.name, self.known.borrow().iter().copied());
            problems.add(ProblemKind::UnknownKey { table: self.title.clone(), found }, key.span);
        }
    }

    /// The duration at `key`, with its place.
    pub(super) fn duration(&mut self, key: &'static str, problems: &Problems) -> Option<(Duration, Span)> {
        let value = self.take(key)?;
        Some((value.duration(problems)?, value.span()))
    }

    /// The integer at `key`.
    pub(super) fn integer(
        &mut self,
        key: &'static str,
        accepted: RangeInclusive<u64>,
        problems: &Problems,
    ) -> Option<u64> {
        self.take(key)?.integer(accepted, problems)
    }
}

/// A key with its value.
pub(super) struct Key<'d> {
    pub(super) name: &'d str,
    pub(super) span: Span,
    pub(super) value: Value<'d>,
}

/// A value with its place.
#[derive(Clone, Copy)]
pub(super) struct Value<'d>(&'d Spanned<DeValue<'d>>);

impl<'d> Value<'d> {
    /// Where it stands.
    pub(super) fn span(self) -> Span {
        self.0.span()
    }

    /// Whether it is a table.
    pub(super) fn is_table(self) -> bool {
        matches!(self.0.get_ref(), DeValue::Table(_))
    }

    /// Whether it is a string.
    pub(super) fn is_string(self) -> bool {
        matches!(self.0.get_ref(), DeValue::String(_))
    }

    /// It is none of the accepted types.
    pub(super) fn wrong_type(self, accepted: impl Into<String>, problems: &Problems) {
        let found = match self.0.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        problems.add(ProblemKind::WrongType { found, accepted: accepted.into() }, self.span());
    }

    /// The table, called `title` in messages.
    pub(super) fn table(self, title: impl Into<String>, problems: &Problems) -> Option<Table<'d>> {
        match self.0.get_ref() {
            DeValue::Table(entries) => {
                Some(Table { title: title.into(), entries, span: self.span(), known: RefCell::default() })
            }
            _ => {
                self.wrong_type("a table", problems);
                None
            }
        }
    }

    /// The string; `accepted` says in words what it should be.
    pub(super) fn string(self, accepted: &str, problems: &Problems) -> Option<&'d str> {
        match self.0.get_ref() {
            DeValue::String(text) => Some(text),
            _ => {
                self.wrong_type(accepted, problems);
                None
            }
        }
    }

    /// The number as it is written, if it is one.
    pub(super) fn number(self) -> Option<f64> {
        match self.0.get_ref() {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse().ok(),
            DeValue::Float(number) => number.as_str().parse().ok(),
            _ => None,
        }
    }

    /// Every value under `part` of this table that is neither table nor list, with its dotted key and as it
    /// is written, in the order of the file.
    pub(super) fn leaves(self, part: &str, visit: &mut impl FnMut(String, String)) {
        if let DeValue::Table(entries) = self.0.get_ref()
            && let Some(value) = entries.get(part)
        {
            Self(value).leaves_at(part.to_owned(), visit);
        }
    }

    fn leaves_at(self, key: String, visit: &mut impl FnMut(String, String)) {
        match self.0.get_ref() {
            DeValue::Table(entries) => {
                let mut entries: Vec<_> = entries.iter().collect();
                entries.sort_by_key(|(name, _)| name.span().start);
                for (name, value) in entries {
                    Self(value).leaves_at(format!("{key}.{}", name.get_ref()), visit);
                }
            }
            DeValue::Array(elements) => {
                for (index, value) in elements.iter().enumerate() {
                    Self(value).leaves_at(format!("{key}.{index}"), visit);
                }
            }
            DeValue::String(text) => visit(key, text.to_string()),
            DeValue::Integer(number) => visit(key, number.as_str().to_owned()),
            DeValue::Float(number) => visit(key, number.as_str().to_owned()),
            DeValue::Boolean(value) => visit(key, value.to_string()),
            DeValue::Datetime(value) => visit(key, value.to_string()),
        }
    }

    /// The integer, if it lies in `accepted`.
    pub(super) fn integer(self, accepted: RangeInclusive<u64>, problems: &Problems) -> Option<u64> {
        let DeValue::Integer(number) = self.0.get_ref() else {
            self.wrong_type("an integer", problems);
            return None;
        };
        match u64::from_str_radix(number.as_str(), number.radix()) {
            Ok(value) if accepted.contains(&value) => Some(value),
            _ => {
                let (least, most) = (accepted.start().to_string(), accepted.end().to_string());
                problems.add(ProblemKind::OutOfRange { found: number.to_string(), least, most }, self.span());
                None
            }
        }
    }

    /// The boolean.
    pub(super) fn boolean(self, problems: &Problems) -> Option<bool> {
        match self.0.get_ref() {
            DeValue::Boolean(value) => Some(*value),
            _ => {
                self.wrong_type("`true` or `false`", problems);
                None
            }
        }
    }

    /// The elements of a list.
    pub(super) fn list(self, accepted: &str, problems: &Problems) -> Vec<Self> {
        match self.0.get_ref() {
            DeValue::Array(elements) => elements.iter().map(Value).collect(),
            _ => {
                self.wrong_type(accepted, problems);
                Vec::new()
            }
        }
    }

    /// The elements of a list, or the value itself where it is none.
    pub(super) fn one_or_list(self) -> Vec<Self> {
        match self.0.get_ref() {
            DeValue::Array(elements) => elements.iter().map(Value).collect(),
            _ => vec![self],
        }
    }
}
