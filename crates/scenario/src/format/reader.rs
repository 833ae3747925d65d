//! A parsed document with its places, and the questions that the reader asks of it. Every question
//! that has no answer leaves a problem and yields `None`.
//!
//! The same questions can be asked where there is no document: then each writes down what it would accept
//! ([`super::describe`]) and yields nothing. For that every key has to be asked for on every way through a reader:
//! readers take all keys of a table before they give up because of one.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    ops::{RangeBounds, RangeInclusive},
};

use serde_json::json;
use timeline::Name;
use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

use super::{
    describe::{ShapeId, Shapes},
    error::{Found, ProblemKind, Problems, Span},
    values::{Shown, known_name},
};

/// One reading: what is wrong with a document, or what the readers say of themselves without one.
#[derive(Default)]
pub(super) struct Reading {
    pub(super) problems: Problems,
    pub(super) shapes: RefCell<Shapes>,
}

impl Reading {
    pub(super) fn add(&self, kind: ProblemKind, span: Span) {
        self.problems.add(kind, span);
    }
}

/// A table of which some keys are known.
pub(super) struct Table<'d> {
    /// What it is called in messages: `[peers.caller]`.
    title: String,
    entries: Entries<'d>,
    span: Span,
    known: RefCell<BTreeSet<&'static str>>,
    /// A choice that was not made: a problem, unless the key that was meant is there and unknown.
    undecided: RefCell<Option<ProblemKind>>,
    /// Whether what is asked for now belongs to one of several choices: then it is not needed with the others.
    in_choice: Cell<bool>,
    pub(super) reading: &'d Reading,
}

#[derive(Clone, Copy)]
enum Entries<'d> {
    Written(&'d DeTable<'d>),
    Described(ShapeId),
}

/// A key of which exactly one has to be there, what it means, and how it is read.
pub(super) type Choice<'a, 'd, T> = (&'static str, &'a str, &'a dyn Fn(Value<'d>) -> Option<T>);

impl<'d> Table<'d> {
    /// The document itself.
    pub(super) fn root(entries: &'d DeTable<'d>, span: Span, reading: &'d Reading) -> Self {
        // A problem of the whole document is shown at its beginning.
        let span = span.start..span.start;
        Self::new("the file".to_owned(), Entries::Written(entries), span, reading)
    }

    /// No document: what the readers would accept of one.
    pub(super) fn described(reading: &'d Reading) -> Self {
        let id = reading.shapes.borrow_mut().add();
        reading.shapes.borrow_mut().table(id);
        Self::new("the file".to_owned(), Entries::Described(id), 0..0, reading)
    }

    fn new(title: String, entries: Entries<'d>, span: Span, reading: &'d Reading) -> Self {
        let (known, undecided, in_choice) = Default::default();
        Self { title, entries, span, known, undecided, in_choice, reading }
    }

    /// Where it is.
    pub(super) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Leaves a problem with it.
    pub(super) fn problem(&self, kind: ProblemKind) {
        self.reading.add(kind, self.span());
    }

    /// Where the value of `key` is, if it is there.
    pub(super) fn span_of(&self, key: &str) -> Option<Span> {
        match self.entries {
            Entries::Written(entries) => entries.get(key).map(Spanned::span),
            Entries::Described(_) => None,
        }
    }

    /// The value of `key`, which is thereby known; `doc` is what an editor shows. A key that is read in several
    /// ways is shown with the words of each.
    pub(super) fn take(&self, key: &'static str, doc: &str) -> Option<Value<'d>> {
        self.known.borrow_mut().insert(key);
        match self.entries {
            Entries::Written(entries) => entries.get(key).map(|value| Value::written(value, self.reading)),
            Entries::Described(id) => {
                let id = self.reading.shapes.borrow_mut().key(id, key, doc);
                Some(Value { at: At::Described(id), reading: self.reading })
            }
        }
    }

    /// What `read` makes of the value of `key`.
    pub(super) fn get<T>(
        &self,
        key: &'static str,
        doc: &str,
        read: impl FnOnce(Value<'d>) -> Option<T>,
    ) -> Option<T> {
        self.take(key, doc).and_then(read)
    }

    /// Puts what `read` makes of the value of `key` in the place of its default.
    pub(super) fn set<T: Shown>(
        &self,
        key: &'static str,
        doc: &str,
        place: &mut T,
        read: impl FnOnce(Value<'d>) -> Option<T>,
    ) {
        let value = self.take(key, doc);
        if let Some(Value { at: At::Described(id), .. }) = value {
            self.reading.shapes.borrow_mut().default(id, place.shown());
        }
        if let Some(read) = value.and_then(read) {
            *place = read;
        }
    }

    /// The value of `key`; that there is none is a problem.
    pub(super) fn require(&self, key: &'static str, doc: &str) -> Option<Value<'d>> {
        if let Entries::Described(id) = self.entries
            && !self.in_choice.get()
        {
            self.reading.shapes.borrow_mut().require(id, key);
        }
        let value = self.take(key, doc);
        if value.is_none() {
            self.problem(ProblemKind::MissingKey { table: self.title.clone(), key });
        }
        value
    }

    /// What `read` makes of the value of `key`; that there is none is a problem.
    pub(super) fn need<T>(
        &self,
        key: &'static str,
        doc: &str,
        read: impl FnOnce(Value<'d>) -> Option<T>,
    ) -> Option<T> {
        self.require(key, doc).and_then(read)
    }

    /// What the one of `choices` that is there is read as; none or several are a problem at `at`. `what` is what
    /// the choice is about.
    pub(super) fn one_of<T>(&self, what: &'static str, at: Span, choices: &[Choice<'_, 'd, T>]) -> Option<T> {
        let keys = || choices.iter().map(|(key, ..)| *key);
        let said: Vec<_> =
            choices.iter().filter_map(|(key, doc, read)| Some((self.take(key, doc)?, read))).collect();
        if let Entries::Described(id) = self.entries {
            let is_nested = self.in_choice.replace(true);
            if !is_nested {
                self.reading.shapes.borrow_mut().one_of(id, keys().collect());
            }
            said.into_iter().for_each(|(value, read)| drop(read(value)));
            self.in_choice.set(is_nested);
            return None;
        }
        if let [(value, read)] = said.as_slice() {
            return read(*value);
        }
        let accepted = keys().collect::<Vec<_>>().join(", ");
        let kind = ProblemKind::NotOne { what, found: said.len(), accepted };
        match said.len() {
            0 if !self.rest().is_empty() => *self.undecided.borrow_mut() = Some(kind),
            _ => self.reading.add(kind, at),
        }
        None
    }

    /// It has at least so many keys.
    pub(super) fn at_least(&self, least: usize) {
        if let Entries::Described(id) = self.entries {
            self.reading.shapes.borrow_mut().at_least(id, least);
        }
    }

    /// The keys that were not asked for yet, in the order of the file. Where there is no document, one that stands
    /// for all; `words` are those that can be meant, if they are known.
    fn others(&self, words: Option<&[&str]>) -> Vec<Key<'d>> {
        match self.entries {
            Entries::Written(_) => self.rest(),
            Entries::Described(id) => {
                let words = words.map(|words| json!({ "enum": words }));
                let id = self.reading.shapes.borrow_mut().others(id, words);
                let value = Value { at: At::Described(id), reading: self.reading };
                vec![Key { name: "", span: 0..0, value }]
            }
        }
    }

    /// All keys that were not asked for yet, as names that the file gives.
    pub(super) fn names(&self) -> Vec<Key<'d>> {
        self.others(None)
    }

    /// All keys that were not asked for yet, each of which names one of a closed set, called `what`.
    pub(super) fn words<T: timeline::Word>(&self, what: &'static str) -> Vec<(T, Value<'d>)> {
        let mut words = Vec::new();
        for key in self.others(Some(T::WORDS)) {
            match T::from_word(key.name) {
                Some(word) => words.push((word, key.value)),
                None if self.is_described() => words.extend(T::ALL.first().map(|word| (*word, key.value))),
                None => {
                    let found = Found::new(key.name, T::WORDS.iter().copied());
                    self.reading.add(ProblemKind::UnknownWord { what, found }, key.span);
                }
            }
        }
        words
    }

    /// The keys of the document that were not asked for yet, in its order.
    pub(super) fn rest(&self) -> Vec<Key<'d>> {
        let Entries::Written(entries) = self.entries else { return Vec::new() };
        let known = self.known.borrow();
        let rest = entries.iter().filter(|(key, _)| !known.contains(key.get_ref().as_ref()));
        let mut rest: Vec<Key<'d>> =
            rest.map(|(key, value)| Key::written(key, value, self.reading)).collect();
        rest.sort_by_key(|key| key.span.start);
        rest
    }

    /// The keys of the document that `read` asks for first.
    pub(super) fn read_in(&self, read: impl FnOnce(&Self)) -> Vec<Key<'d>> {
        let mut before = self.rest();
        read(self);
        let after: Vec<Span> = self.rest().into_iter().map(|key| key.span).collect();
        before.retain(|key| !after.contains(&key.span));
        before
    }

    fn is_described(&self) -> bool {
        matches!(self.entries, Entries::Described(_))
    }

    /// What was not asked for is a problem.
    pub(super) fn finish(self) {
        let rest = self.rest();
        for key in &rest {
            let found = Found::new(key.name, self.known.borrow().iter().copied());
            let kind = ProblemKind::UnknownKey { table: self.title.clone(), found };
            self.reading.add(kind, key.span.clone());
        }
        if rest.is_empty() {
            self.leave();
        }
    }

    /// What was not asked for does not matter.
    pub(super) fn leave(self) {
        if let Some(kind) = self.undecided.take() {
            self.reading.add(kind, self.span);
        }
    }
}

/// A key with its value.
pub(super) struct Key<'d> {
    pub(super) name: &'d str,
    pub(super) span: Span,
    pub(super) value: Value<'d>,
}

impl<'d> Key<'d> {
    fn written(
        key: &'d Spanned<DeString<'d>>,
        value: &'d Spanned<DeValue<'d>>,
        reading: &'d Reading,
    ) -> Self {
        Self { name: key.get_ref(), span: key.span(), value: Value::written(value, reading) }
    }

    /// The one of `known`, called `what`, that it names. Where there is no document: a name that stands for all.
    pub(super) fn known(&self, what: &'static str, known: &[Name]) -> Option<Name> {
        match self.value.at {
            At::Written(_) => known_name(what, self.name, known, || self.span.clone(), self.value.reading),
            At::Described(_) => Some(Name::from(self.name)),
        }
    }
}

/// A value with its place.
#[derive(Clone, Copy)]
pub(super) struct Value<'d> {
    at: At<'d>,
    pub(super) reading: &'d Reading,
}

#[derive(Clone, Copy)]
enum At<'d> {
    Written(&'d Spanned<DeValue<'d>>),
    Described(ShapeId),
}

impl<'d> Value<'d> {
    pub(super) fn written(value: &'d Spanned<DeValue<'d>>, reading: &'d Reading) -> Self {
        Self { at: At::Written(value), reading }
    }

    /// Whether there is no document.
    pub(super) fn is_described(self) -> bool {
        matches!(self.at, At::Described(_))
    }

    /// Where it is.
    pub(super) fn span(self) -> Span {
        match self.at {
            At::Written(value) => value.span(),
            At::Described(_) => 0..0,
        }
    }

    /// Leaves a problem with it.
    pub(super) fn problem<T>(self, kind: ProblemKind) -> Option<T> {
        self.reading.add(kind, self.span());
        None
    }

    /// What is written there; where there is no document, `schema` is what may be.
    pub(super) fn leaf(self, schema: impl FnOnce() -> serde_json::Value) -> Option<&'d DeValue<'d>> {
        match self.at {
            At::Written(value) => Some(value.get_ref()),
            At::Described(id) => {
                self.reading.shapes.borrow_mut().leaf(id, schema());
                None
            }
        }
    }

    /// What `read` makes of it. What it may be is described once, under `name`, for all places that say so.
    pub(super) fn named<T>(self, name: &'static str, read: impl FnOnce(Self) -> Option<T>) -> Option<T> {
        let At::Described(id) = self.at else { return read(self) };
        let mut shapes = self.reading.shapes.borrow_mut();
        let what = shapes.add();
        shapes.of(id, Some(name), what);
        drop(shapes);
        read(Self { at: At::Described(what), reading: self.reading })
    }

    /// What `table` makes of a table, and `other` of everything else.
    pub(super) fn table_or<T>(
        self,
        table: impl FnOnce(Self) -> Option<T>,
        other: impl FnOnce(Self) -> Option<T>,
    ) -> Option<T> {
        match self.at {
            At::Written(value) if matches!(value.get_ref(), DeValue::Table(_)) => table(self),
            At::Written(_) => other(self),
            At::Described(_) => {
                other(self);
                table(self)
            }
        }
    }

    /// What `string` makes of a string, and `other` of everything else.
    pub(super) fn string_or<T>(
        self,
        string: impl FnOnce(Self) -> Option<T>,
        other: impl FnOnce(Self) -> Option<T>,
    ) -> Option<T> {
        match self.at {
            At::Written(value) if matches!(value.get_ref(), DeValue::String(_)) => string(self),
            At::Written(_) => other(self),
            At::Described(_) => {
                string(self);
                other(self)
            }
        }
    }

    /// It is none of the accepted types.
    pub(super) fn wrong_type<T>(self, accepted: impl Into<String>) -> Option<T> {
        let At::Written(value) = self.at else { return None };
        let found = match value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.problem(ProblemKind::WrongType { found, accepted: accepted.into() })
    }

    /// The table, called `title` in messages.
    pub(super) fn table(self, title: impl Into<String>) -> Option<Table<'d>> {
        let entries = match self.at {
            At::Written(value) => match value.get_ref() {
                DeValue::Table(entries) => Entries::Written(entries),
                _ => return self.wrong_type("a table"),
            },
            At::Described(id) => {
                self.reading.shapes.borrow_mut().table(id);
                Entries::Described(id)
            }
        };
        Some(Table::new(title.into(), entries, self.span(), self.reading))
    }

    /// The string; `accepted` says in words what it should be.
    pub(super) fn string(self, accepted: &str) -> Option<&'d str> {
        self.string_like(accepted, None)
    }

    /// The string, of which `pattern` is a regular expression that editors check.
    pub(super) fn string_like(self, accepted: &str, pattern: Option<&str>) -> Option<&'d str> {
        let schema = || match pattern {
            Some(pattern) => json!({ "type": "string", "pattern": pattern }),
            None => json!({ "type": "string" }),
        };
        match self.leaf(schema)? {
            DeValue::String(text) => Some(text),
            _ => self.wrong_type(accepted),
        }
    }

    /// The number as it is written, if it is one.
    pub(super) fn number(self, schema: impl FnOnce() -> serde_json::Value) -> Option<f64> {
        match self.leaf(schema)? {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse().ok(),
            DeValue::Float(number) => number.as_str().parse().ok(),
            _ => None,
        }
    }

    /// The keys of a table, in the order of the file.
    pub(super) fn keys(self) -> Vec<&'d str> {
        let At::Written(value) = self.at else { return Vec::new() };
        let DeValue::Table(entries) = value.get_ref() else { return Vec::new() };
        let mut keys: Vec<_> = entries.keys().collect();
        keys.sort_by_key(|key| key.span().start);
        keys.into_iter().map(|key| key.get_ref().as_ref()).collect()
    }

    /// Every value under `part` of this table that is neither table nor list, with its dotted key and as it
    /// is written, in the order of the file.
    pub(super) fn leaves(self, part: &str, visit: &mut impl FnMut(String, String)) {
        if let At::Written(value) = self.at
            && let DeValue::Table(entries) = value.get_ref()
            && let Some(value) = entries.get(part)
        {
            leaves_at(value, part.to_owned(), visit);
        }
    }

    /// The integer, if it lies in `accepted`.
    pub(super) fn integer<T: TryFrom<u64>>(self, accepted: RangeInclusive<u64>) -> Option<T> {
        let schema = || json!({ "type": "integer", "minimum": accepted.start(), "maximum": accepted.end() });
        let DeValue::Integer(number) = self.leaf(schema)? else { return self.wrong_type("an integer") };
        let value = u64::from_str_radix(number.as_str(), number.radix()).ok();
        let fitting = value.filter(|value| accepted.contains(value)).and_then(|value| value.try_into().ok());
        if fitting.is_none() {
            let (least, most) = (accepted.start().to_string(), accepted.end().to_string());
            self.problem::<T>(ProblemKind::OutOfRange { found: number.to_string(), least, most });
        }
        fitting
    }

    /// The boolean.
    pub(super) fn boolean(self) -> Option<bool> {
        match self.leaf(|| json!({ "type": "boolean" }))? {
            DeValue::Boolean(value) => Some(*value),
            _ => self.wrong_type("`true` or `false`"),
        }
    }

    /// The elements of a list. Its length is described and not checked.
    pub(super) fn list(self, accepted: &str, length: impl RangeBounds<usize>) -> Vec<Self> {
        match self.at {
            At::Written(value) => match value.get_ref() {
                DeValue::Array(elements) => self.elements(elements),
                _ => self.wrong_type::<Vec<Self>>(accepted).unwrap_or_default(),
            },
            At::Described(id) => {
                let items = self.reading.shapes.borrow_mut().list(id, length);
                vec![Self { at: At::Described(items), reading: self.reading }]
            }
        }
    }

    /// The elements of a list, or the value itself where it is none. The list's length is described and not checked.
    pub(super) fn one_or_list(self, length: impl RangeBounds<usize>) -> Vec<Self> {
        match self.at {
            At::Written(value) => match value.get_ref() {
                DeValue::Array(elements) => self.elements(elements),
                _ => vec![self],
            },
            At::Described(id) => {
                let mut shapes = self.reading.shapes.borrow_mut();
                let items = shapes.list(id, length);
                shapes.of(id, None, items);
                vec![Self { at: At::Described(items), reading: self.reading }]
            }
        }
    }

    fn elements(self, elements: &'d [Spanned<DeValue<'d>>]) -> Vec<Self> {
        elements.iter().map(|element| Self::written(element, self.reading)).collect()
    }
}

fn leaves_at(value: &Spanned<DeValue<'_>>, key: String, visit: &mut impl FnMut(String, String)) {
    match value.get_ref() {
        DeValue::Table(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by_key(|(name, _)| name.span().start);
            for (name, value) in entries {
                leaves_at(value, format!("{key}.{}", name.get_ref()), visit);
            }
        }
        DeValue::Array(elements) => {
            for (index, value) in elements.iter().enumerate() {
                leaves_at(value, format!("{key}.{index}"), visit);
            }
        }
        DeValue::String(text) => visit(key, text.to_string()),
        DeValue::Integer(number) => visit(key, number.as_str().to_owned()),
        DeValue::Float(number) => visit(key, number.as_str().to_owned()),
        DeValue::Boolean(value) => visit(key, value.to_string()),
        DeValue::Datetime(value) => visit(key, value.to_string()),
    }
}
