//! The three tiers measured: what is asked of which workers.

pub(super) mod instructions;
pub(super) mod virtual_time;
pub(super) mod wall;

use std::path::Path;

use gate::metric::{Metric, MetricId, Tier};

use super::worker::{Launch, Worker, WorkerError};

/// Which metrics are wanted: those that fit one of the globs, or all.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted(pub(super) Vec<String>);

impl Wanted {
    pub(super) fn fits(&self, id: &MetricId) -> bool {
        let fits = |glob: &String| scenario::select::fits_glob(glob, id.as_str());
        self.0.is_empty() || self.0.iter().any(fits)
    }

    /// Those of `metrics` that are of `tier` and wanted.
    fn of(&self, metrics: Vec<Metric>, tier: Tier) -> Vec<Metric> {
        metrics.into_iter().filter(|metric| metric.tier == tier && self.fits(&metric.id)).collect()
    }
}

/// What `program` can measure in all, and its greeting.
pub(super) fn list(program: &Path) -> Result<(Vec<Metric>, Worker), WorkerError> {
    let mut worker = Worker::start(program, &Launch::Plain)?;
    let metrics = worker.list()?;
    let mut ids: Vec<&MetricId> = metrics.iter().map(|metric| &metric.id).collect();
    ids.sort_unstable();
    if let Some(pair) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
        let message = format!("{} lists `{}` twice", program.display(), pair[0]);
        return Err(WorkerError::Failed { message });
    }
    Ok((metrics, worker))
}
