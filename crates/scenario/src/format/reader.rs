//! A parsed document with its places, and the questions that the reader asks of it. Every question
//! that has no answer leaves a problem and yields `None`.
//!
//! The same questions can be asked where there is no document: then each writes down what it would accept
//! ([`super::describe`]) and yields nothing. For that every key has to be asked for on every way through a
//! reader: readers take all keys of a table before they give up because of one.

mod value;

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
};

use serde_json::json;
use timeline::Name;
use toml::{
    Spanned,
    de::{DeString, DeTable, DeValue},
};

pub(super) use self::value::Value;
use super::{
    describe::{ShapeId, Shapes},
    error::{Found, ProblemKind, Problems, Span},
    values::{Shown, known_name},
};
use crate::profile::Profiles;

/// One reading: what is wrong with a document, or what the readers say of themselves without one.
pub(super) struct Reading {
    pub(super) problems: Problems,
    pub(super) shapes: RefCell<Shapes>,
    /// The named networks that the document may mention.
    pub(super) profiles: Profiles,
}

impl Reading {
    pub(super) fn with(profiles: &Profiles) -> Self {
        let (problems, shapes) = Default::default();
        Self { problems, shapes, profiles: profiles.clone() }
    }

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
    undecided: RefCell<Option<(ProblemKind, Span)>>,
    /// Whether what is asked for now belongs to one of several choices: then it is not needed with the
    /// others.
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
        Self::of("the file".to_owned(), Entries::Written(entries), span, reading)
    }

    /// No document: what the readers would accept of one.
    pub(super) fn described(reading: &'d Reading) -> Self {
        let id = reading.shapes.borrow_mut().add();
        reading.shapes.borrow_mut().table(id);
        Self::of("the file".to_owned(), Entries::Described(id), 0..0, reading)
    }

    fn of(title: String, entries: Entries<'d>, span: Span, reading: &'d Reading) -> Self {
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

    /// The value of `key`, which is thereby known; `doc` is what an editor shows. A key that is read in
    /// several ways is shown with the words of each.
    pub(super) fn take(&self, key: &'static str, doc: &str) -> Option<Value<'d>> {
        self.known.borrow_mut().insert(key);
        match self.entries {
            Entries::Written(entries) => entries.get(key).map(|value| Value::written(value, self.reading)),
            Entries::Described(id) => {
                let id = self.reading.shapes.borrow_mut().key(id, key, doc);
                Some(Value::described(id, self.reading))
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
        if let Some(value) = value {
            value.default(|| place.shown());
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

    /// What the one of `choices` that is there is read as; none or several are a problem at `at`. `what` is
    /// what the choice is about.
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
            0 if !self.rest().is_empty() => *self.undecided.borrow_mut() = Some((kind, at)),
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

    /// The keys that were not asked for yet, in the order of the file. Where there is no document, one that
    /// stands for all; `words` are those that can be meant, if they are known.
    fn others(&self, words: Option<&[&str]>) -> Vec<Key<'d>> {
        match self.entries {
            Entries::Written(_) => self.rest(),
            Entries::Described(id) => {
                let words = words.map(|words| json!({ "enum": words }));
                let id = self.reading.shapes.borrow_mut().others(id, words);
                let value = Value::described(id, self.reading);
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

    /// What was not asked for does not matter, but for keys that are there in other letters.
    pub(super) fn leave(self) {
        let undecided = self.undecided.take();
        let mut accepted: Vec<&str> = self.known.borrow().iter().copied().collect();
        if let Some((ProblemKind::NotOne { accepted: choices, .. }, _)) = &undecided {
            accepted.extend(choices.split(", "));
        }
        let misspelt = self.rest().into_iter().find_map(|key| {
            let found = Found::new(key.name, accepted.iter().copied());
            found.nearest.is_some().then_some((found, key.span))
        });
        match (misspelt, undecided) {
            (Some((found, span)), _) => {
                self.reading.add(ProblemKind::UnknownKey { table: self.title.clone(), found }, span);
            }
            (None, Some((kind, at))) => self.reading.add(kind, at),
            (None, None) => {}
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

    /// The one of `known`, called `what`, that it names. Where there is no document: a name that stands for
    /// all.
    pub(super) fn known(&self, what: &'static str, known: &[Name]) -> Option<Name> {
        if self.value.is_described() {
            return Some(Name::from(self.name));
        }
        known_name(what, self.name, known, || self.span.clone(), self.value.reading)
    }
}
