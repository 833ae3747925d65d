//! The instruction tier: every count in a process of its own, under valgrind.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use gate::{
    baseline::Fingerprint,
    compare::MeasuredCounts,
    instructions::{Counts, Valgrind, callgrind::Profile},
    metric::{Metric, MetricId, Percent, Tier},
    worker::fingerprint_of,
};

use super::{Wanted, list};
use crate::gate::{
    machine,
    wait::Wait,
    worker::{Launch, Worker, WorkerError},
};

/// What the tier yielded.
pub(in crate::gate) struct Measured {
    pub(in crate::gate) counts: MeasuredCounts,
    pub(in crate::gate) fingerprint: Fingerprint,
}

/// Counts each metric `times` times.
pub(in crate::gate) fn measure(
    program: &Path,
    wanted: &Wanted,
    times: usize,
) -> Result<Measured, WorkerError> {
    let (metrics, worker) = list(program)?;
    let mut fingerprint = fingerprint_of(&worker.fingerprint, Tier::Instructions);
    drop(worker);
    let metrics = wanted.of(metrics, Tier::Instructions);
    let valgrind = machine::valgrind();
    let missing = match &valgrind {
        Valgrind::Found { version } => {
            fingerprint.insert("instructions.valgrind".to_owned(), version.clone());
            let conditions = machine::counted_conditions();
            fingerprint.extend(conditions.map(|(key, value)| (key.to_owned(), value)));
            None
        }
        Valgrind::Missing => Some(Counts::ToolMissing),
        Valgrind::Unusable { answer } => Some(Counts::ToolFailed(format!("valgrind answers `{answer}`"))),
    };
    if let Some(missing) = missing {
        let counts = metrics.into_iter().map(|metric| (metric.id.clone(), (metric, missing.clone())));
        return Ok(Measured { counts: counts.collect(), fingerprint });
    }
    let counted = count_all(program, &metrics, times)?;
    let counts = metrics.into_iter().map(|metric| {
        let counts = counted.get(&metric.id).cloned().unwrap_or(Counts::Counted(Vec::new()));
        (metric.id.clone(), (metric, counts))
    });
    Ok(Measured { counts: counts.collect(), fingerprint })
}

/// The counts of each metric, or the first reason why there are none. Counts do not depend on what runs beside them:
/// as many at a time as there are cores.
fn count_all(
    program: &Path,
    metrics: &[Metric],
    times: usize,
) -> Result<BTreeMap<MetricId, Counts>, WorkerError> {
    let jobs: Vec<&Metric> = metrics.iter().flat_map(|metric| std::iter::repeat_n(metric, times)).collect();
    let wait = Wait::steps("instructions", jobs.len());
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..machine::cores().min(jobs.len()) {
            scope.spawn(|| {
                while let Some(metric) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = count(program, &metric.id, Percent::ZERO, None);
                    wait.step(metric.id.to_string());
                    let stop = matches!(result, Err(WorkerError::Interrupted));
                    results.lock().unwrap_or_else(PoisonError::into_inner).push((metric.id.clone(), result));
                    if stop {
                        return;
                    }
                }
            });
        }
    });
    let mut by_id: BTreeMap<MetricId, Counts> = BTreeMap::new();
    for (id, result) in results.into_inner().unwrap_or_else(PoisonError::into_inner) {
        let counts = by_id.entry(id).or_insert(Counts::Counted(Vec::new()));
        match (counts, result) {
            (_, Err(WorkerError::Interrupted)) => return Err(WorkerError::Interrupted),
            (Counts::Counted(counts), Ok(count)) => counts.push(count),
            (counts @ Counts::Counted(_), Err(error)) => *counts = Counts::ToolFailed(error.to_string()),
            _ => {}
        }
    }
    // Threads finish in any order.
    for counts in by_id.values_mut() {
        if let Counts::Counted(counts) = counts {
            counts.sort_unstable();
        }
    }
    Ok(by_id)
}

/// Counts once: what a fresh worker does between two requests, in its region.
pub(in crate::gate) fn count(
    program: &Path,
    id: &MetricId,
    slowdown: Percent,
    base: Option<u64>,
) -> Result<u64, WorkerError> {
    let failed = |message: String| WorkerError::Failed { message };
    let dir = tempfile::tempdir().map_err(|error| failed(format!("no directory for counts: {error}")))?;
    let output = dir.path().join("counts");
    let mut worker = Worker::start(program, &Launch::Counting { output: output.clone() })?;
    worker.sample(id, slowdown, base)?;
    worker.finish()?;
    let bytes = fs::read(&output).map_err(|error| failed(format!("valgrind wrote no counts: {error}")))?;
    let profile = Profile::parse(&bytes).map_err(|error| failed(format!("valgrind's counts: {error}")))?;
    profile.total("Ir").map_err(|error| failed(error.to_string()))
}
