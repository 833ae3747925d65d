//! From a baseline and what was measured to cases: every id of either side becomes one.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::{
    baseline::{Expected, Fingerprint, Reference},
    case::{Case, Evidence},
    exact::{VirtualEvidence, VirtualRun},
    instructions::{Counts, InstructionEvidence},
    metric::{Metric, MetricId, Tier},
    value::Value,
    wall::{Presence, Role, Subject, WallEvidence},
};

/// Why a metric could not be measured, in the words of what measures.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct NotMeasured(pub String);

/// What a run of the virtual tier measured: metrics as declared, with two runs of each, or why there are none.
pub type MeasuredRuns = BTreeMap<MetricId, (Metric, Result<[VirtualRun; 2], NotMeasured>)>;

/// What a run of the instruction tier counted.
pub type MeasuredCounts = BTreeMap<MetricId, (Metric, Counts)>;

/// The cases of the virtual tier. `reference` is `None` where there is no baseline at all.
pub fn virtual_cases(
    reference: Option<&Reference>,
    fingerprint: &Fingerprint,
    measured: &MeasuredRuns,
) -> Vec<Case> {
    let lookup = |id: &MetricId| measured.get(id).map(|(metric, _)| metric);
    let pairs = pairs(reference, measured.keys(), lookup, Tier::Virtual);
    let case = |(id, metric, expected): Pair<'_>| {
        let runs = measured.get(id).map(|(_, runs)| runs.clone());
        let failed = runs.as_ref().and_then(|runs| runs.as_ref().err().map(ToString::to_string));
        Case {
            metric,
            evidence: Evidence::Virtual(VirtualEvidence {
                base: expected.map(|expected| expected.value.clone()),
                runs: runs.and_then(Result::ok),
                stale: stale(reference, fingerprint, expected, measured.get(id).map(|(metric, _)| metric)),
                failed,
            }),
        }
    };
    pairs.into_iter().map(case).collect()
}

/// The cases of the instruction tier.
pub fn instruction_cases(
    reference: Option<&Reference>,
    fingerprint: &Fingerprint,
    measured: &MeasuredCounts,
) -> Vec<Case> {
    let lookup = |id: &MetricId| measured.get(id).map(|(metric, _)| metric);
    let pairs = pairs(reference, measured.keys(), lookup, Tier::Instructions);
    let case = |(id, metric, expected): Pair<'_>| {
        let base = expected.and_then(|expected| match expected.value {
            Value::Single(count) => Some(count),
            Value::BySeed(_) => None,
        });
        Case {
            metric,
            evidence: Evidence::Instructions(InstructionEvidence {
                base,
                measured: measured.get(id).map(|(_, counts)| counts.clone()),
                stale: stale(reference, fingerprint, expected, measured.get(id).map(|(metric, _)| metric)),
            }),
        }
    };
    pairs.into_iter().map(case).collect()
}

/// The subjects of the wall tier: what base and candidate say that they can measure. Controls come on top.
pub fn wall_subjects(base: &[Metric], new: &[Metric]) -> Vec<Subject> {
    let by_id = |metrics: &[Metric]| -> BTreeMap<MetricId, Metric> {
        let wall = metrics.iter().filter(|metric| metric.tier == Tier::Wall);
        wall.map(|metric| (metric.id.clone(), metric.clone())).collect()
    };
    let (base, new) = (by_id(base), by_id(new));
    let vanished =
        base.iter().filter(|(id, _)| !new.contains_key(*id)).map(|(_, metric)| (metric, Presence::BaseOnly));
    let there = new
        .iter()
        .map(|(id, metric)| (metric, if base.contains_key(id) { Presence::Both } else { Presence::NewOnly }));
    let mut subjects: Vec<Subject> = there
        .chain(vanished)
        .map(|(metric, presence)| Subject {
            metric: metric.clone(),
            evidence: WallEvidence::new(Role::Metric, presence),
        })
        .collect();
    subjects.sort_by(|left, right| left.metric.id.cmp(&right.metric.id));
    subjects
}

/// An id with its metric and what is expected of it.
type Pair<'a> = (&'a MetricId, Metric, Option<&'a Expected>);

/// Every id of either side. The budget is that of the baseline, which is reviewed; a new metric has its own.
fn pairs<'a>(
    reference: Option<&'a Reference>,
    measured: impl Iterator<Item = &'a MetricId>,
    lookup: impl Fn(&MetricId) -> Option<&'a Metric>,
    tier: Tier,
) -> Vec<Pair<'a>> {
    let expected: BTreeMap<&MetricId, &Expected> =
        reference.into_iter().flat_map(|reference| &reference.metrics).collect();
    let mut ids: Vec<&MetricId> = measured.chain(expected.keys().copied()).collect();
    ids.sort_unstable();
    ids.dedup();
    let pair = |id: &'a MetricId| {
        let expected = expected.get(id).copied();
        let metric = match expected {
            Some(&Expected { unit, better, budget, .. }) => {
                Metric { id: id.clone(), tier, unit, better, budget }
            }
            None => lookup(id)?.clone(),
        };
        Some((id, metric, expected))
    };
    ids.into_iter().filter_map(pair).collect()
}

/// Why an expectation does not apply to a measurement, if it does not.
fn stale(
    reference: Option<&Reference>,
    fingerprint: &Fingerprint,
    expected: Option<&Expected>,
    declared: Option<&Metric>,
) -> Option<String> {
    let (reference, expected) = (reference?, expected?);
    if let Some(declared) = declared
        && (declared.unit, declared.better) != (expected.unit, expected.better)
    {
        return Some(format!(
            "the baseline has it in {}, {} is better; now it is {}, {}: accept it anew",
            expected.unit,
            expected.better.as_str(),
            declared.unit,
            declared.better.as_str()
        ));
    }
    let keys = reference.fingerprint.keys().chain(fingerprint.keys());
    let shown = |of: &Fingerprint, key: &String| {
        of.get(key).map_or("nothing".to_owned(), |value| format!("`{value}`"))
    };
    let mut differing = keys.filter(|key| reference.fingerprint.get(*key) != fingerprint.get(*key));
    differing.next().map(|key| {
        let (then, now) = (shown(&reference.fingerprint, key), shown(fingerprint, key));
        format!("the baseline was measured with {key} {then}, now it is {now}: measure the old commit anew, or accept")
    })
}
