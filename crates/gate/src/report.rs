//! The result of a gate: cases, findings, and what they come to, for people and for machines.

mod github;
mod junit;
mod recompute;
mod table;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use github::{MAX_ANNOTATIONS, annotations, failure_annotation, step_summary};
pub use junit::junit;
pub use recompute::{Recomputed, ReportError, recompute};
pub use table::table;

use crate::{
    baseline::Fingerprint,
    case::{Case, Settings, judge},
    finding::Finding,
    metric::Tier,
    verdict::Outcome,
};

/// The version of the format that is written.
pub(crate) const REPORT_SCHEMA: u64 = 1;

/// The result of a gate, with everything that it was concluded from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The version of the format: [`REPORT_SCHEMA`].
    pub schema: u64,
    /// Always `gate`.
    pub command: String,
    /// Whether the outcome is a pass.
    pub passed: bool,
    /// What the whole comes to.
    pub outcome: Outcome,
    /// The exit code of the command.
    pub exit_code: u8,
    /// What was compared with what, by which programs, on which machine: for people.
    pub notes: Vec<String>,
    /// Under which conditions the new values were measured: what a baseline that accepts them has.
    #[serde(default)]
    pub fingerprints: BTreeMap<Tier, Fingerprint>,
    /// By what was judged.
    pub settings: Settings,
    /// Every metric, by id.
    pub rows: Vec<Row>,
}

/// One metric: what is known about it, and what was concluded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// What is known.
    pub case: Case,
    /// What was concluded.
    pub finding: Finding,
}

impl Report {
    /// Judges `cases`.
    pub fn new(mut cases: Vec<Case>, settings: Settings, notes: Vec<String>) -> Self {
        cases.sort_by(|left, right| left.metric.id.cmp(&right.metric.id));
        let findings = judge(&cases, &settings);
        let outcome = Outcome::of(counted(&cases, &findings), settings.mode);
        let rows = cases.into_iter().zip(findings).map(|(case, finding)| Row { case, finding }).collect();
        Self {
            schema: REPORT_SCHEMA,
            command: "gate".to_owned(),
            passed: outcome == Outcome::Passed,
            outcome,
            exit_code: outcome.code(),
            notes,
            fingerprints: BTreeMap::new(),
            settings,
            rows,
        }
    }

    /// The same report, with the conditions under which the new values were measured.
    #[must_use]
    pub fn with_fingerprints(mut self, fingerprints: BTreeMap<Tier, Fingerprint>) -> Self {
        self.fingerprints = fingerprints;
        self
    }

    /// One JSON object, from which [`recompute`] comes to the same verdicts.
    pub fn to_json(&self) -> String {
        // No map in it has a key that is not text, the one thing that JSON cannot write.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The rows, the worst first, and of those the largest change first.
    pub fn worst_first(&self) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self.rows.iter().collect();
        let change = |row: &Row| row.finding.change.unwrap_or(f64::NEG_INFINITY);
        rows.sort_by(|left, right| {
            let by_verdict = left.finding.verdict.cmp(&right.finding.verdict);
            by_verdict.then_with(|| change(right).total_cmp(&change(left)))
        });
        rows
    }
}

/// The verdicts that count: a control that passed compared nothing.
fn counted<'a>(
    cases: &'a [Case],
    findings: &'a [Finding],
) -> impl Iterator<Item = crate::verdict::Verdict> + 'a {
    let pairs = cases.iter().zip(findings);
    pairs.filter(|(case, _)| !case.is_control()).map(|(_, finding)| finding.verdict)
}
