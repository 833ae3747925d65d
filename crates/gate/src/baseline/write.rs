//! From a [`Baseline`] to text: sorted, one metric a line, the same bytes for the same content.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Accepted, BASELINE_SCHEMA, Baseline, Expected};
use crate::{
    metric::{Better, Budget, MetricId, Unit},
    value::{Distribution, Value},
};

impl Baseline {
    /// The text of the file, which [`Baseline::from_json`] reads back as the same baseline.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "{{\n\"schema\": {BASELINE_SCHEMA},\n\"tier\": {},", json(&self.tier));
        push_map(&mut out, "fingerprint", self.fingerprint.iter().map(|(key, value)| (key, json(value))));
        out.push_str(",\n");
        push_map(&mut out, "metrics", self.metrics.iter().map(|(id, expected)| (id, json(&line(expected)))));
        out.push_str(",\n\"accepted\": [");
        let entries =
            self.accepted.iter().flat_map(|(id, entries)| entries.iter().map(move |entry| (id, entry)));
        let lines: Vec<String> = entries.map(|(id, entry)| json(&HistoryLine { id, entry })).collect();
        push_lines(&mut out, &lines);
        out.push_str("]\n}\n");
        out
    }
}

fn push_map<K: Serialize>(out: &mut String, name: &str, entries: impl Iterator<Item = (K, String)>) {
    let lines: Vec<String> = entries.map(|(key, value)| format!("{}: {value}", json(&key))).collect();
    let _ = write!(out, "\"{name}\": {{");
    push_lines(out, &lines);
    out.push('}');
}

fn push_lines(out: &mut String, lines: &[String]) {
    if !lines.is_empty() {
        let _ = writeln!(out, "\n{}", lines.join(",\n"));
    }
}

fn line(expected: &Expected) -> Line<'_> {
    let Expected { unit, better, budget, ref value } = *expected;
    let empty =
        Line { unit, better, budget, value: None, p50: None, p95: None, failures: None, by_seed: None };
    match value {
        Value::Single(value) => Line { value: Some(*value), ..empty },
        Value::BySeed(by_seed) => {
            let summary = by_seed.summary();
            let failures = Some(summary.failures);
            Line { p50: summary.p50, p95: summary.p95, failures, by_seed: Some(by_seed), ..empty }
        }
    }
}

#[derive(Serialize)]
struct Line<'a> {
    unit: Unit,
    better: Better,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p50: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p95: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failures: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    budget: Option<Budget>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by_seed: Option<&'a Distribution>,
}

#[derive(Serialize)]
struct HistoryLine<'a> {
    id: &'a MetricId,
    entry: &'a Accepted,
}

/// Compact JSON. Nothing here has a key that is not text, the one thing that JSON cannot write.
fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
