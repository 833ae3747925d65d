//! Many seeds of one case in a few figures: what pages and reports show.

use std::{collections::BTreeMap, time::Duration};

use scenario::{metrics::percentile, plan::Milestone};
use serde::{Deserialize, Serialize};

use super::{Case, Latency, PHASES, attribution::Cause, floor::PathClass};

/// A case in figures. All times are virtual milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The case.
    pub id: String,
    /// How many seeds were played, from 1 on.
    pub seeds: u64,
    /// How many of them were connected, with media.
    pub connected: u64,
    /// Of the connected: from the dial until both sides were. `None` where none was.
    pub setup: Option<Setup>,
    /// From the dial to each phase, of all seeds that reached it.
    pub phases: Vec<Phase>,
}

/// The set-ups of the seeds that were connected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setup {
    /// The median.
    pub p50_ms: f64,
    /// 95 of a hundred.
    pub p95_ms: f64,
    /// The mean; what `parts_ms` add up to.
    pub mean_ms: f64,
    /// What the protocols need at least over the paths that were taken, the mean.
    pub floor_ms: f64,
    /// How many seeds took which path.
    pub paths: BTreeMap<PathClass, u64>,
    /// What the set-ups were spent on, the mean over all of them.
    pub parts_ms: BTreeMap<Cause, f64>,
}

/// A phase of the set-up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    /// Its milestone, as scenario files spell it.
    pub milestone: String,
    /// From the dial, the median.
    pub p50_ms: f64,
    /// From the dial, 95 of a hundred.
    pub p95_ms: f64,
    /// What was spent on what since the phase before, the mean over the connected seeds.
    pub parts_ms: BTreeMap<Cause, f64>,
}

impl Summary {
    /// Of the seeds of `case` that were played.
    pub fn of(case: &Case, latencies: &[Latency]) -> Self {
        let connected: Vec<&Latency> = latencies.iter().filter(|latency| latency.is_connected()).collect();
        Self {
            id: case.id.clone(),
            seeds: latencies.len() as u64,
            connected: connected.len() as u64,
            setup: Setup::of(&connected),
            phases: PHASES
                .into_iter()
                .filter_map(|milestone| Phase::of(milestone, latencies, &connected))
                .collect(),
        }
    }
}

impl Setup {
    /// Measured by floor. The time that the callee took to answer the bell is in neither.
    pub fn ratio(&self) -> f64 {
        let person_ms = self.parts_ms.get(&Cause::Person).copied().unwrap_or_default();
        (self.mean_ms - person_ms) / self.floor_ms
    }

    fn of(connected: &[&Latency]) -> Option<Self> {
        let times = |latency: &&Latency| latency.reached.get(&Milestone::Connected).copied();
        let (p50_ms, p95_ms) = percentiles(connected.iter().filter_map(times))?;
        let floors: Vec<Duration> =
            connected.iter().filter_map(|latency| Some(latency.floor?.setup)).collect();
        let mut paths = BTreeMap::new();
        for floor in connected.iter().filter_map(|latency| latency.floor) {
            *paths.entry(floor.path).or_default() += 1;
        }
        let total: Duration = connected.iter().filter_map(times).sum();
        Some(Self {
            p50_ms,
            p95_ms,
            mean_ms: mean(total, connected.len()),
            floor_ms: mean(floors.iter().sum(), floors.len()),
            paths,
            parts_ms: means(connected.iter().map(|latency| latency.parts.clone()), connected.len()),
        })
    }
}

impl Phase {
    fn of(milestone: Milestone, all: &[Latency], connected: &[&Latency]) -> Option<Self> {
        let (p50_ms, p95_ms) =
            percentiles(all.iter().filter_map(|latency| latency.reached.get(&milestone).copied()))?;
        let parts = connected.iter().filter_map(|latency| latency.phases.get(&milestone).cloned());
        let parts_ms = means(parts, connected.len());
        Some(Self { milestone: milestone.as_str().to_owned(), p50_ms, p95_ms, parts_ms })
    }
}

/// Median and 95th percentile, in milliseconds.
fn percentiles(times: impl Iterator<Item = Duration>) -> Option<(f64, f64)> {
    let mut sorted: Vec<Duration> = times.collect();
    sorted.sort_unstable();
    Some((ms(percentile(&sorted, 50)?), ms(percentile(&sorted, 95)?)))
}

fn means(all: impl Iterator<Item = BTreeMap<Cause, Duration>>, count: usize) -> BTreeMap<Cause, f64> {
    let mut sums: BTreeMap<Cause, Duration> = BTreeMap::new();
    for (cause, took) in all.flatten() {
        *sums.entry(cause).or_default() += took;
    }
    sums.into_iter().map(|(cause, sum)| (cause, mean(sum, count))).collect()
}

fn mean(sum: Duration, count: usize) -> f64 {
    ms(sum) / count.max(1) as f64
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
