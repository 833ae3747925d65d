use benches::{
    latency::{BrokenPlan, MetricError},
    workload::PrepareError,
};
use gate::metric::{MetricId, MetricIdError};
use scenario::run::RunError;
use thiserror::Error;

/// Why a request is answered with `Failed`; its words are the message.
#[derive(Debug, Error)]
pub(super) enum WorkerError {
    #[error("a negative slowdown: slow down what is compared with")]
    NegativeSlowdown,
    #[error("a request that this worker does not know")]
    UnknownRequest,
    #[error("there is no metric `{id}`{}", hint(.nearest.as_deref()))]
    UnknownMetric { id: MetricId, nearest: Option<String> },
    #[error("there is no workload `{id}`")]
    UnknownWorkload { id: &'static str },
    #[error("{workload}: {error}")]
    MetricId { workload: &'static str, error: MetricIdError },
    #[error("a calibrated loop needs the count without it: `base`")]
    NoBase,
    #[error("`{id}` went wrong: see above")]
    Panicked { id: &'static str },
    #[error("nothing was played")]
    NothingPlayed,
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    #[error(transparent)]
    Plan(#[from] BrokenPlan),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Metric(#[from] MetricError),
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default()
}
