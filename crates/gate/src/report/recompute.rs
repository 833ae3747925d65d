//! The verdict once more, from a report alone.

use serde::Deserialize;
use thiserror::Error;

use super::{REPORT_SCHEMA, Report};
use crate::{json, metric::MetricId};

/// The largest report that is read, in bytes.
pub(crate) const MAX_REPORT_BYTES: usize = 256 << 20;

/// A report judged once more.
#[derive(Clone, Debug, PartialEq)]
pub struct Recomputed {
    /// The report with the findings of this program.
    pub report: Report,
    /// The metrics for which the report says something else, in order.
    pub disagreements: Vec<MetricId>,
    /// Whether the report came to this outcome, too.
    pub outcome_agrees: bool,
}

/// Why a text is not a report.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReportError {
    /// It has more than [`MAX_REPORT_BYTES`].
    #[error("{size} bytes are more than the {MAX_REPORT_BYTES} of a report")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
    },
    /// It is not JSON, or not the JSON of a report.
    #[error("line {line}, column {column}: {reason}")]
    Malformed {
        /// The line, from 1.
        line: usize,
        /// The column in bytes, from 1.
        column: usize,
        /// What was found and what is accepted.
        reason: String,
    },
    /// It has another version.
    #[error("schema {found} is unknown, this program reads {REPORT_SCHEMA}: use the program that wrote it")]
    UnknownSchema {
        /// The version it has.
        found: u64,
    },
}

/// Judges the evidence of a report, whatever the report says about it.
///
/// # Errors
///
/// [`ReportError`] for a text that is not a report.
pub fn recompute(text: &str) -> Result<Recomputed, ReportError> {
    if text.len() > MAX_REPORT_BYTES {
        return Err(ReportError::TooLarge { size: text.len() });
    }
    let Versioned { schema } = parse(text)?;
    if schema != REPORT_SCHEMA {
        return Err(ReportError::UnknownSchema { found: schema });
    }
    let old: Report = parse(text)?;
    let cases = old.rows.iter().map(|row| row.case.clone()).collect();
    let report = Report::new(cases, old.settings.clone(), old.notes.clone())
        .with_fingerprints(old.fingerprints.clone());
    let mut disagreements = Vec::new();
    let mut rows = old.rows.iter().collect::<Vec<_>>();
    rows.sort_by(|left, right| left.case.metric.id.cmp(&right.case.metric.id));
    for (old, new) in rows.into_iter().zip(&report.rows) {
        if old.finding.verdict != new.finding.verdict {
            disagreements.push(new.case.metric.id.clone());
        }
    }
    let said = (old.passed, old.outcome, old.exit_code);
    let outcome_agrees = said == (report.passed, report.outcome, report.exit_code);
    Ok(Recomputed { report, disagreements, outcome_agrees })
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, ReportError> {
    serde_json::from_str(text).map_err(|error| ReportError::Malformed {
        line: error.line(),
        column: error.column(),
        reason: json::reason(&error),
    })
}

/// Only the version, so that a report of the future is called that.
#[derive(Deserialize)]
struct Versioned {
    schema: u64,
}
