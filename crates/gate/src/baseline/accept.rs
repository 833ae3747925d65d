//! Taking what was measured for what is expected.

use thiserror::Error;

use super::{Accepted, Baseline, Date, Expected};
use crate::{metric::MetricId, nearest::hint, value::Value};

/// The decision of somebody to take a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// Why; one line, not empty.
    pub reason: String,
    /// The day.
    pub date: Date,
}

/// Why a change was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// Nobody said why.
    #[error("say why: `--reason TEXT`, in one line")]
    NoReason,
    /// The id was neither measured nor expected.
    #[error("`{id}` is neither measured nor in the baseline{hint}")]
    UnknownId {
        /// The id.
        id: MetricId,
        /// ` (did you mean …?)`, or nothing.
        hint: String,
    },
    /// What was measured is what is expected.
    #[error("`{id}` is as expected: there is nothing to accept")]
    Unchanged {
        /// The id.
        id: MetricId,
    },
}

impl Baseline {
    /// Expects of `id` what was `measured` from now on; `None` gives the metric up. The history says so.
    ///
    /// # Errors
    ///
    /// [`AcceptError`]; the baseline is as before.
    pub fn accept(
        &mut self,
        id: &MetricId,
        measured: Option<Expected>,
        acceptance: &Acceptance,
    ) -> Result<(), AcceptError> {
        if acceptance.reason.trim().is_empty() || acceptance.reason.contains(['\n', '\r']) {
            return Err(AcceptError::NoReason);
        }
        let before = self.metrics.get(id);
        match (before, &measured) {
            (None, None) => return Err(self.unknown(id)),
            (Some(before), Some(now)) if before == now => {
                return Err(AcceptError::Unchanged { id: id.clone() });
            }
            _ => {}
        }
        let entry = Accepted {
            from: before.map(|expected| expected.value.recorded()),
            to: measured.as_ref().map(|expected| expected.value.recorded()),
            date: acceptance.date.clone(),
            reason: acceptance.reason.trim().to_owned(),
        };
        self.accepted.entry(id.clone()).or_default().push(entry);
        match measured {
            Some(expected) => drop(self.metrics.insert(id.clone(), expected)),
            None => drop(self.metrics.remove(id)),
        }
        Ok(())
    }

    /// The value that is expected of `id`.
    pub fn value(&self, id: &MetricId) -> Option<&Value> {
        self.metrics.get(id).map(|expected| &expected.value)
    }

    fn unknown(&self, id: &MetricId) -> AcceptError {
        let hint = hint(id.as_str(), self.metrics.keys().map(MetricId::as_str));
        AcceptError::UnknownId { id: id.clone(), hint }
    }
}
