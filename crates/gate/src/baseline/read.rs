//! From text to a [`Baseline`]. Every fault is shown at its line: with one metric a line, that is the metric.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny, MapAccess, Visitor, value::MapAccessDeserializer},
};
use thiserror::Error;

use super::{Accepted, BASELINE_SCHEMA, Baseline, BaselineError, Expected};
use crate::{
    json,
    metric::{Better, Budget, MetricId, Tier, Unit},
    value::{Distribution, Summary, Value},
};

/// The largest baseline that is read, in bytes.
pub(crate) const MAX_BASELINE_BYTES: usize = 32 << 20;

impl Baseline {
    /// Reads a baseline. `file` is what errors call it.
    ///
    /// # Errors
    ///
    /// [`BaselineError`] with file, line and column.
    pub fn from_json(file: &str, text: &str) -> Result<Self, BaselineError> {
        let owned = file.to_owned();
        if text.len() > MAX_BASELINE_BYTES {
            return Err(BaselineError::TooLarge { file: owned, size: text.len() });
        }
        let versioned: Versioned = parse(file, text)?;
        if versioned.schema != BASELINE_SCHEMA {
            return Err(BaselineError::UnknownSchema { file: owned, found: versioned.schema });
        }
        let whole: Whole = parse(file, text)?;
        let by_seed = whole.metrics.0.iter().find(|(_, expected)| matches!(expected.value, Value::BySeed(_)));
        match (whole.tier, by_seed) {
            (Tier::Wall, _) => return Err(BaselineError::WallTier { file: owned }),
            (Tier::Instructions, Some((id, _))) => {
                return Err(BaselineError::SeedsInInstructions { file: owned, id: id.clone() });
            }
            _ => {}
        }
        Ok(Self {
            tier: whole.tier,
            fingerprint: whole.fingerprint.0,
            metrics: whole.metrics.0,
            accepted: whole.accepted.by_id(),
        })
    }
}

fn parse<'a, T: Deserialize<'a>>(file: &str, text: &'a str) -> Result<T, BaselineError> {
    serde_json::from_str(text).map_err(|error| BaselineError::Malformed {
        file: file.to_owned(),
        line: error.line(),
        column: error.column(),
        reason: json::reason(&error),
    })
}

/// Only the version, so that a file of the future is called that.
#[derive(Deserialize)]
struct Versioned {
    schema: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    #[serde(rename = "schema")]
    _schema: IgnoredAny,
    tier: Tier,
    fingerprint: Unique<String, String>,
    metrics: Unique<MetricId, Expected>,
    accepted: History,
}

/// The entries of all ids, in the order of the file.
#[derive(Deserialize)]
#[serde(transparent)]
struct History(Vec<HistoryLine>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HistoryLine {
    id: MetricId,
    entry: Accepted,
}

impl History {
    fn by_id(self) -> BTreeMap<MetricId, Vec<Accepted>> {
        let mut by_id: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for HistoryLine { id, entry } in self.0 {
            by_id.entry(id).or_default().push(entry);
        }
        by_id
    }
}

/// A metric as its line has it. The summary of a distribution is there for the reader of a diff, and must
/// be true.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    unit: Unit,
    better: Better,
    #[serde(default)]
    budget: Option<Budget>,
    #[serde(default)]
    value: Option<u64>,
    #[serde(default)]
    p50: Option<u64>,
    #[serde(default)]
    p95: Option<u64>,
    #[serde(default)]
    failures: Option<u64>,
    #[serde(default)]
    by_seed: Option<Distribution>,
}

/// What is wrong with a metric's line.
#[derive(Debug, Error)]
enum LineError {
    #[error(
        "`p50`, `p95` and `failures` are not those of `by_seed` ({}, {}, {}): edited by hand?",
        shown(.found.p50), shown(.found.p95), .found.failures
    )]
    OtherSummary {
        /// The summary of `by_seed`.
        found: Summary,
    },
    #[error("a metric has either `value`, or `p50`, `p95`, `failures` and `by_seed`")]
    OtherFields,
}

fn shown(figure: Option<u64>) -> String {
    figure.map_or("none".to_owned(), |figure| figure.to_string())
}

impl<'de> Deserialize<'de> for Expected {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ExpectedVisitor)
    }
}

/// Judges the line while it is read: an error that comes later is shown at the line after.
struct ExpectedVisitor;

impl<'de> Visitor<'de> for ExpectedVisitor {
    type Value = Expected;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Expected, A::Error> {
        let line = Line::deserialize(MapAccessDeserializer::new(map))?;
        let Line { unit, better, budget, .. } = line;
        let value = line.into_value().map_err(A::Error::custom)?;
        Ok(Expected { unit, better, budget, value })
    }
}

impl Line {
    fn into_value(self) -> Result<Value, LineError> {
        let summary = (self.p50, self.p95, self.failures);
        match (self.value, self.by_seed) {
            (Some(value), None) if summary == (None, None, None) => Ok(Value::Single(value)),
            (None, Some(distribution)) => {
                let found = distribution.summary();
                if summary == (found.p50, found.p95, Some(found.failures)) {
                    return Ok(Value::BySeed(distribution));
                }
                Err(LineError::OtherSummary { found })
            }
            _ => Err(LineError::OtherFields),
        }
    }
}

/// A map in which no key stands twice: a merge that kept both sides is a fault, not a choice.
struct Unique<K, V>(BTreeMap<K, V>);

impl<'de, K, V> Deserialize<'de> for Unique<K, V>
where
    K: Deserialize<'de> + Ord + fmt::Display,
    V: Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(UniqueVisitor(PhantomData))
    }
}

struct UniqueVisitor<K, V>(PhantomData<(K, V)>);

impl<'de, K, V> Visitor<'de> for UniqueVisitor<K, V>
where
    K: Deserialize<'de> + Ord + fmt::Display,
    V: Deserialize<'de>,
{
    type Value = Unique<K, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut unique = BTreeMap::new();
        while let Some(key) = map.next_key::<K>()? {
            if unique.contains_key(&key) {
                return Err(A::Error::custom(format!("`{key}` stands twice: keep one of them")));
            }
            let value = map.next_value()?;
            unique.insert(key, value);
        }
        Ok(Unique(unique))
    }
}
