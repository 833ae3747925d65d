//! Rows as a Parquet file: written in groups of constant size, read group by group.
//!
//! Invariants:
//! - The same rows give the same bytes.
//! - What is read is what was written: a file that was changed or cut off is refused.

mod reader;
mod writer;

use std::io;

use thiserror::Error;
use timeline::Digest;

pub use self::{reader::Reader, writer::Writer};
use crate::row::Row;

/// The version of the columns.
const VERSION: u32 = 1;

/// How many rows are held before they are written, and at most when they are read.
pub(crate) const GROUP_ROWS: usize = 1 << 15;

/// The columns. `digest` is in big-endian order: its hexadecimal form is that of reports.
const SCHEMA: &str = "message run {
    required binary scenario (string);
    required int64 seed (integer(64,false));
    required boolean passed;
    optional binary outcome (string);
    optional int64 setup_ms;
    optional int64 recovery_ms;
    required int64 elapsed_ms;
    optional fixed_len_byte_array(16) digest;
    required int32 failures;
    optional binary check (string);
    optional binary cause (string);
    optional binary last_transition (string);
    optional binary last_step (string);
    optional int64 at_ms;
    optional binary message (string);
}";

/// The keys of a file's own metadata.
const KEY_VERSION: &str = "callsim.version";
const KEY_PLAN: &str = "callsim.plan";
const KEY_SHARD: &str = "callsim.shard";
const KEY_ROWS: &str = "callsim.rows";

/// Which shard of which plan a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The plan's id.
    pub plan: String,
    /// The shard's index.
    pub shard: u64,
}

/// Why a file of rows cannot be written or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TableError {
    /// The system refuses.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is no Parquet file, or is not whole.
    #[error("it is damaged or not whole ({0})")]
    Damaged(String),
    /// It is a Parquet file of something else.
    #[error("it is no shard of a campaign: {0}")]
    Foreign(&'static str),
    /// It was written by a later version.
    #[error("its version is {found}, and this program reads {VERSION}")]
    Version {
        /// What it says.
        found: String,
    },
}

impl From<parquet::errors::ParquetError> for TableError {
    fn from(error: parquet::errors::ParquetError) -> Self {
        Self::Damaged(error.to_string())
    }
}

/// Takes `row` into the digest by which a file shows that it is whole.
fn digest_row(digest: &mut Digest, row: &Row) {
    let text = |digest: &mut Digest, text: &str| {
        digest.update_u64(text.len() as u64);
        digest.update(text.as_bytes());
    };
    let number = |digest: &mut Digest, number: Option<u64>| {
        digest.update_u64(u64::from(number.is_some()));
        digest.update_u64(number.unwrap_or_default());
    };
    text(digest, &row.scenario);
    text(digest, row.outcome.map_or("", |outcome| outcome.as_str()));
    for value in
        [Some(row.seed), row.setup_ms, row.recovery_ms, Some(row.elapsed_ms), Some(row.failures.into())]
    {
        number(digest, value);
    }
    digest.update(&[u8::from(row.digest.is_some())]);
    digest.update(&row.digest.unwrap_or_default().to_le_bytes());
    number(digest, row.finding.as_ref().map(|finding| finding.at_ms));
    if let Some(finding) = &row.finding {
        let texts =
            [&finding.check, &finding.cause, &finding.last_transition, &finding.last_step, &finding.message];
        texts.into_iter().for_each(|part| text(digest, part));
    }
}

#[cfg(test)]
mod tests;
