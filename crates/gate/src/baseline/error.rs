use thiserror::Error;

use super::{BASELINE_SCHEMA, MAX_BASELINE_BYTES};
use crate::metric::MetricId;

/// Why a text is not a baseline.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BaselineError {
    /// It has more than [`MAX_BASELINE_BYTES`].
    #[error("{file}: {size} bytes are more than the {MAX_BASELINE_BYTES} of a baseline")]
    TooLarge {
        /// The file, as the caller named it.
        file: String,
        /// Its size in bytes.
        size: usize,
    },
    /// It is not JSON, or not the JSON of a baseline.
    #[error("{file}:{line}:{column}: {reason}")]
    Malformed {
        /// The file, as the caller named it.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The column in bytes, from 1.
        column: usize,
        /// What was found, what is accepted, the nearest known word.
        reason: String,
    },
    /// It is of the wall tier.
    #[error("{file}: wall time has no baseline: it is never compared with stored numbers. Delete the file")]
    WallTier {
        /// The file, as the caller named it.
        file: String,
    },
    /// A metric of the instruction tier has outcomes by seed.
    #[error("{file}: `{id}` counts instructions and has `by_seed`: write one `value`")]
    SeedsInInstructions {
        /// The file, as the caller named it.
        file: String,
        /// The metric.
        id: MetricId,
    },
    /// It has another version.
    #[error(
        "{file}: schema {found} is unknown, this program reads {BASELINE_SCHEMA}: use the program that wrote it, \
         or measure anew with `gate accept`"
    )]
    UnknownSchema {
        /// The file, as the caller named it.
        file: String,
        /// The version it has.
        found: u64,
    },
}
