use std::{io, path::PathBuf};

use benches::{latency::BrokenPlan, results::SCHEMA, workload::PrepareError};
use scenario::run::RunError;
use thiserror::Error;

/// Why nothing was measured.
#[derive(Debug, Error)]
pub(super) enum MeasureError {
    #[error("no workload `{id}`{} (`measure list` has all)", hint(.nearest.as_deref()))]
    UnknownWorkload { id: String, nearest: Option<String> },
    #[error("no case `{id}`{}", hint(.nearest.as_deref()))]
    UnknownCase { id: String, nearest: Option<String> },
    #[error("{id}: {error}")]
    Prepare { id: &'static str, error: PrepareError },
    #[error("a call panicked")]
    Panicked,
    #[error(transparent)]
    Plan(#[from] BrokenPlan),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error("{}: {error}", .file.display())]
    File { file: PathBuf, error: io::Error },
    #[error("{}: {error}", .file.display())]
    NotResults { file: PathBuf, error: serde_json::Error },
    #[error("{}: results of schema {found}; this is {SCHEMA}: run `cargo xtask bench` again", .file.display())]
    OtherSchema { file: PathBuf, found: u32 },
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}
