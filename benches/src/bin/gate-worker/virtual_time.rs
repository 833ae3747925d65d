//! The virtual tier: calls that are played, and what was reached when.

use std::{collections::BTreeMap, num::NonZeroUsize, thread};

use benches::latency::{self, Case, GATED_SEEDS, Latency, Weather};
use gate::{
    metric::{Metric, MetricId, Percent},
    value::Value,
};
use timeline::Digest;

use crate::error::WorkerError;

/// A metric with its value, and the digest of what it was taken from.
type Measured = (Metric, Value, String);

/// Calls, each played when it is asked for.
pub(super) struct VirtualTime {
    cases: Option<Vec<Case>>,
    /// What was played, by case and slowdown.
    played: BTreeMap<(String, Percent), Vec<Measured>>,
}

impl VirtualTime {
    pub(super) fn new() -> Self {
        Self { cases: None, played: BTreeMap::new() }
    }

    /// Those of calm networks are known once they were played, which is quick.
    pub(super) fn metrics(&mut self) -> Result<Vec<Metric>, WorkerError> {
        let mut metrics: Vec<Metric> = Vec::new();
        for case in self.cases()? {
            match latency::rough_metric(&case) {
                Some(metric) => metrics.push(metric?),
                None => {
                    let measured = self.play(&case, Percent::ZERO)?;
                    metrics.extend(measured.iter().map(|(metric, ..)| metric.clone()));
                }
            }
        }
        // The one that stands for all of a call first: a self-test takes the first.
        metrics.sort_by_key(|metric| !metric.id.as_str().ends_with("#connected"));
        Ok(metrics)
    }

    /// The value of `id` and a digest of all packets of its runs; `None` where there is no such metric.
    pub(super) fn measure(
        &mut self,
        id: &MetricId,
        slowdown: Percent,
    ) -> Result<Option<(Value, String)>, WorkerError> {
        let name = id.as_str().split('#').next().unwrap_or_default();
        let Some(case) = self.cases()?.into_iter().find(|case| case.id == name) else { return Ok(None) };
        let measured = self.play(&case, slowdown)?.iter().find(|(metric, ..)| metric.id == *id);
        Ok(measured.map(|(_, value, digest)| (value.clone(), digest.clone())))
    }

    fn cases(&mut self) -> Result<Vec<Case>, WorkerError> {
        if let Some(cases) = &self.cases {
            return Ok(cases.clone());
        }
        let cases = latency::cases()?;
        Ok(self.cases.insert(cases).clone())
    }

    fn play(&mut self, case: &Case, slowdown: Percent) -> Result<&[Measured], WorkerError> {
        let key = (case.id.clone(), slowdown);
        if !self.played.contains_key(&key) {
            let played = play(case, slowdown)?;
            self.played.insert(key.clone(), played);
        }
        Ok(self.played.get(&key).map(Vec::as_slice).unwrap_or_default())
    }
}

fn play(case: &Case, slowdown: Percent) -> Result<Vec<Measured>, WorkerError> {
    let slowed = if slowdown == Percent::ZERO { case.clone() } else { case.slowed(slowdown) };
    let seeds = if case.weather == Weather::Rough { GATED_SEEDS } else { 1 };
    let latencies = play_seeds(&slowed, seeds)?;
    let digest = digest(&latencies);
    let metrics = latency::metrics(&slowed, &latencies)?;
    Ok(metrics.into_iter().map(|(metric, value)| (metric, value, digest.clone())).collect())
}

/// Seeds from 1 on, in their order, on half of the cores: the gate runs two workers at a time.
fn play_seeds(case: &Case, seeds: u64) -> Result<Vec<Latency>, WorkerError> {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let jobs = NonZeroUsize::new(cores.div_ceil(2)).unwrap_or(NonZeroUsize::MIN);
    let mut played = latency::play_all(std::slice::from_ref(case), 1..=seeds, jobs)?;
    played.pop().ok_or(WorkerError::NothingPlayed)
}

/// Over the digests of all seeds, in their order.
fn digest(latencies: &[Latency]) -> String {
    match latencies {
        [one] => one.digest.clone(),
        many => {
            let mut digest = Digest::new();
            many.iter().for_each(|latency| digest.update(latency.digest.as_bytes()));
            format!("{:032x}", digest.value())
        }
    }
}
