//! What a change is compared with: the baseline at the merge base, plus what the change accepts.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::{Accepted, Baseline, Expected, Fingerprint};
use crate::{
    metric::{MetricId, Tier},
    nearest::hint,
};

/// The values to compare with, and how they were arrived at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The tier.
    pub tier: Tier,
    /// Under which conditions the values were measured.
    pub fingerprint: Fingerprint,
    /// What is expected.
    pub metrics: BTreeMap<MetricId, Expected>,
    /// Whether the change replaces the conditions under which the baseline was measured. Values that it does
    /// not accept anew then stand as they are: name it in the report.
    pub fingerprint_changed: bool,
    /// The ids whose expectation the change itself accepts.
    pub accepted_here: BTreeSet<MetricId>,
}

/// Why the baseline of a change is not that of its merge base plus what it accepts.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// They are baselines of different tiers.
    #[error("the merge base has a baseline of the tier {base}, the change one of the tier {here}")]
    OtherTier {
        /// The tier at the merge base.
        base: Tier,
        /// The tier in the change.
        here: Tier,
    },
    /// An expectation changed and no entry of `accepted` says why.
    #[error(
        "`{id}` was changed in the baseline without `gate accept`: take the line back, or accept it{hint}"
    )]
    NotAccepted {
        /// The id.
        id: MetricId,
        /// For an id that is gone, the new id it may have been renamed to.
        hint: String,
    },
    /// An entry does not begin where the one before it ended.
    #[error("an entry of `accepted` for `{id}` begins with another value than was expected: accept it anew")]
    BrokenChain {
        /// The id.
        id: MetricId,
    },
    /// Entries of the merge base are missing or altered.
    #[error("the history of `{id}` is not that of the merge base: `accepted` is only added to")]
    HistoryRewritten {
        /// The id.
        id: MetricId,
    },
}

impl Reference {
    /// From a baseline that stands for itself: no merge base is known, as on the main branch.
    pub fn of(baseline: &Baseline) -> Self {
        Self {
            tier: baseline.tier,
            fingerprint: baseline.fingerprint.clone(),
            metrics: baseline.metrics.clone(),
            fingerprint_changed: false,
            accepted_here: BTreeSet::new(),
        }
    }

    /// From the baseline at the merge base and the one of the change. Where the merge base has none, an
    /// empty one stands for it: then every metric must be accepted.
    ///
    /// # Errors
    ///
    /// [`ReferenceError`] where they differ by more than what the change accepts.
    pub fn since(base: &Baseline, here: &Baseline) -> Result<Self, ReferenceError> {
        if base.tier != here.tier {
            return Err(ReferenceError::OtherTier { base: base.tier, here: here.tier });
        }
        let ids: BTreeSet<&MetricId> = base.metrics.keys().chain(here.metrics.keys()).collect();
        let histories = base.accepted.keys().chain(here.accepted.keys());
        let mut accepted_here = BTreeSet::new();
        for id in ids.into_iter().chain(histories) {
            let added = added(id, base, here)?;
            follow(id, base, here, added)?;
            if !added.is_empty() {
                accepted_here.insert(id.clone());
            }
        }
        let fingerprint_changed = base.fingerprint != here.fingerprint;
        Ok(Self { fingerprint_changed, accepted_here, ..Self::of(here) })
    }
}

/// The entries that the change adds to the history of `id`.
fn added<'a>(id: &MetricId, base: &Baseline, here: &'a Baseline) -> Result<&'a [Accepted], ReferenceError> {
    let old = base.accepted.get(id).map(Vec::as_slice).unwrap_or_default();
    let new = here.accepted.get(id).map(Vec::as_slice).unwrap_or_default();
    new.strip_prefix(old).ok_or_else(|| ReferenceError::HistoryRewritten { id: id.clone() })
}

/// Whether the entries lead from the expectation of the base to that of the change.
fn follow(id: &MetricId, base: &Baseline, here: &Baseline, added: &[Accepted]) -> Result<(), ReferenceError> {
    let (old, new) = (base.metrics.get(id), here.metrics.get(id));
    if added.is_empty() && old != new {
        return Err(not_accepted(id, here));
    }
    let mut current = old.map(|expected| expected.value.recorded());
    for entry in added {
        if entry.from != current {
            return Err(ReferenceError::BrokenChain { id: id.clone() });
        }
        current.clone_from(&entry.to);
    }
    if current == new.map(|expected| expected.value.recorded()) {
        Ok(())
    } else {
        Err(not_accepted(id, here))
    }
}

fn not_accepted(id: &MetricId, here: &Baseline) -> ReferenceError {
    let gone = !here.metrics.contains_key(id);
    let names = here.metrics.keys().map(MetricId::as_str);
    let hint = if gone { hint(id.as_str(), names) } else { String::new() };
    ReferenceError::NotAccepted { id: id.clone(), hint }
}
