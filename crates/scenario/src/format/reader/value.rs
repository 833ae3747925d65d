use std::ops::{RangeBounds, RangeInclusive};

use serde_json::json;
use toml::{Spanned, de::DeValue};

use super::{Entries, Reading, Table};
use crate::format::{
    describe::ShapeId,
    error::{ProblemKind, Span},
};

/// A value with its place.
#[derive(Clone, Copy)]
pub(in crate::format) struct Value<'d> {
    at: At<'d>,
    pub(in crate::format) reading: &'d Reading,
}

#[derive(Clone, Copy)]
enum At<'d> {
    Written(&'d Spanned<DeValue<'d>>),
    Described(ShapeId),
}

impl<'d> Value<'d> {
    pub(in crate::format) fn written(value: &'d Spanned<DeValue<'d>>, reading: &'d Reading) -> Self {
        Self { at: At::Written(value), reading }
    }

    /// A value of no document.
    pub(in crate::format) fn described(id: ShapeId, reading: &'d Reading) -> Self {
        Self { at: At::Described(id), reading }
    }

    /// Writes down what it is where nothing is said, if there is no document.
    pub(in crate::format) fn default(self, default: impl FnOnce() -> serde_json::Value) {
        if let At::Described(id) = self.at {
            self.reading.shapes.borrow_mut().default(id, default());
        }
    }

    /// Whether there is no document.
    pub(in crate::format) fn is_described(self) -> bool {
        matches!(self.at, At::Described(_))
    }

    /// Where it is.
    pub(in crate::format) fn span(self) -> Span {
        match self.at {
            At::Written(value) => value.span(),
            At::Described(_) => 0..0,
        }
    }

    /// Leaves a problem with it.
    pub(in crate::format) fn problem<T>(self, kind: ProblemKind) -> Option<T> {
        self.reading.add(kind, self.span());
        None
    }

    /// What is written there; where there is no document, `schema` is what may be.
    pub(in crate::format) fn leaf(
        self,
        schema: impl FnOnce() -> serde_json::Value,
    ) -> Option<&'d DeValue<'d>> {
        match self.at {
            At::Written(value) => Some(value.get_ref()),
            At::Described(id) => {
                self.reading.shapes.borrow_mut().leaf(id, schema());
                None
            }
        }
    }

    /// What `read` makes of it. What it may be is described once, under `name`, for all places that say so.
    pub(in crate::format) fn named<T>(
        self,
        name: &'static str,
        read: impl FnOnce(Self) -> Option<T>,
    ) -> Option<T> {
        let At::Described(id) = self.at else { return read(self) };
        let mut shapes = self.reading.shapes.borrow_mut();
        let what = shapes.add();
        shapes.of(id, Some(name), what);
        drop(shapes);
        read(Self::described(what, self.reading))
    }

    /// What `table` makes of a table, and `other` of everything else.
    pub(in crate::format) fn table_or<T>(
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
    pub(in crate::format) fn string_or<T>(
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
    pub(in crate::format) fn wrong_type<T>(self, accepted: impl Into<String>) -> Option<T> {
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
    pub(in crate::format) fn table(self, title: impl Into<String>) -> Option<Table<'d>> {
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
        Some(Table::of(title.into(), entries, self.span(), self.reading))
    }

    /// The string; `accepted` says in words what it should be.
    pub(in crate::format) fn string(self, accepted: &str) -> Option<&'d str> {
        self.string_like(accepted, None)
    }

    /// The string, of which `pattern` is a regular expression that editors check.
    pub(in crate::format) fn string_like(self, accepted: &str, pattern: Option<&str>) -> Option<&'d str> {
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
    pub(in crate::format) fn number(self, schema: impl FnOnce() -> serde_json::Value) -> Option<f64> {
        match self.leaf(schema)? {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse().ok(),
            DeValue::Float(number) => number.as_str().parse().ok(),
            _ => None,
        }
    }

    /// The keys of a table, in the order of the file.
    pub(in crate::format) fn keys(self) -> Vec<&'d str> {
        let At::Written(value) = self.at else { return Vec::new() };
        let DeValue::Table(entries) = value.get_ref() else { return Vec::new() };
        let mut keys: Vec<_> = entries.keys().collect();
        keys.sort_by_key(|key| key.span().start);
        keys.into_iter().map(|key| key.get_ref().as_ref()).collect()
    }

    /// Every value under `part` of this table that is neither table nor list, with its dotted key and as it
    /// is written, in the order of the file.
    pub(in crate::format) fn leaves(self, part: &str, visit: &mut impl FnMut(String, String)) {
        if let At::Written(value) = self.at
            && let DeValue::Table(entries) = value.get_ref()
            && let Some(value) = entries.get(part)
        {
            leaves_at(value, part.to_owned(), visit);
        }
    }

    /// The integer, if it lies in `accepted`.
    pub(in crate::format) fn integer<T: TryFrom<u64>>(self, accepted: RangeInclusive<u64>) -> Option<T> {
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
    pub(in crate::format) fn boolean(self) -> Option<bool> {
        match self.leaf(|| json!({ "type": "boolean" }))? {
            DeValue::Boolean(value) => Some(*value),
            _ => self.wrong_type("`true` or `false`"),
        }
    }

    /// The elements of a list. Its length is described and not checked.
    pub(in crate::format) fn list(self, accepted: &str, length: impl RangeBounds<usize>) -> Vec<Self> {
        match self.at {
            At::Written(value) => match value.get_ref() {
                DeValue::Array(elements) => self.elements(elements),
                _ => self.wrong_type::<Vec<Self>>(accepted).unwrap_or_default(),
            },
            At::Described(id) => {
                let items = self.reading.shapes.borrow_mut().list(id, length);
                vec![Self::described(items, self.reading)]
            }
        }
    }

    /// The elements of a list, or the value itself where it is none. The list's length is described and not
    /// checked.
    pub(in crate::format) fn one_or_list(self, length: impl RangeBounds<usize>) -> Vec<Self> {
        match self.at {
            At::Written(value) => match value.get_ref() {
                DeValue::Array(elements) => self.elements(elements),
                _ => vec![self],
            },
            At::Described(id) => {
                let mut shapes = self.reading.shapes.borrow_mut();
                let items = shapes.list(id, length);
                shapes.of(id, None, items);
                vec![Self::described(items, self.reading)]
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
