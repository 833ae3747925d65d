//! The virtual tier: everything twice, in two processes that have nothing in common but the program.

use std::{path::Path, thread};

use gate::{
    baseline::Fingerprint,
    compare::{MeasuredRuns, NotMeasured},
    exact::VirtualRun,
    metric::{Metric, Percent, Tier},
    worker::fingerprint_of,
};

use super::{Wanted, list};
use crate::gate::{
    wait::Wait,
    worker::{Launch, Worker, WorkerError},
};

/// What the tier yielded.
pub(in crate::gate) struct Measured {
    pub(in crate::gate) runs: MeasuredRuns,
    pub(in crate::gate) fingerprint: Fingerprint,
}

/// A run, or why the worker could not.
type Outcome = Result<VirtualRun, NotMeasured>;

pub(in crate::gate) fn measure(program: &Path, wanted: &Wanted) -> Result<Measured, WorkerError> {
    let (metrics, worker) = list(program)?;
    let fingerprint = fingerprint_of(&worker.fingerprint, Tier::Virtual);
    drop(worker);
    let metrics = wanted.of(metrics, Tier::Virtual);
    let wait = Wait::steps("virtual time", 2 * metrics.len());
    let (first, second) = thread::scope(|scope| {
        let second = scope.spawn(|| run_all(program, &Launch::Disturbed, &metrics, &wait));
        let first = run_all(program, &Launch::Plain, &metrics, &wait);
        (first, second.join())
    });
    let second = second.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    let both = first?.into_iter().zip(second);
    let runs = metrics.into_iter().zip(both).map(|(metric, (first, second))| {
        let runs = first.and_then(|first| Ok([first, second?]));
        (metric.id.clone(), (metric, runs))
    });
    Ok(Measured { runs: runs.collect(), fingerprint })
}

fn run_all(
    program: &Path,
    launch: &Launch,
    metrics: &[Metric],
    wait: &Wait,
) -> Result<Vec<Outcome>, WorkerError> {
    let mut worker = Worker::start(program, launch)?;
    let mut outcomes = Vec::with_capacity(metrics.len());
    for metric in metrics {
        outcomes.push(run(&mut worker, metric, Percent::ZERO)?);
        wait.step(metric.id.to_string());
    }
    worker.finish()?;
    Ok(outcomes)
}

/// Runs one metric; a worker that cannot is no error, one that breaks is.
pub(in crate::gate) fn run(
    worker: &mut Worker,
    metric: &Metric,
    slowdown: Percent,
) -> Result<Outcome, WorkerError> {
    match worker.measure(&metric.id, slowdown, None) {
        Ok((value, digest)) => Ok(Ok(VirtualRun { value, digest })),
        Err(WorkerError::Failed { message }) => Ok(Err(NotMeasured(message))),
        Err(error) => Err(error),
    }
}
