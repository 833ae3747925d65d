use std::{
    io,
    path::{Path, PathBuf},
};

use thiserror::Error;

use super::ranges;
use crate::{campaign::CampaignError, table::TableError};

/// Why the folder of a campaign cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FolderError {
    /// Its plan cannot be used.
    #[error(transparent)]
    Campaign(#[from] CampaignError),
    /// The system refuses.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// To do what.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// A new plan for a folder that has one.
    #[error("there is a campaign in {} already ({}): a folder is for one", folder.display(), found.display())]
    Taken {
        /// The folder.
        folder: PathBuf,
        /// What is in it.
        found: PathBuf,
    },
    /// A shard's file that cannot be read.
    #[error("{}: {source}; put it aside, and play the shard again", path.display())]
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it.
        source: TableError,
    },
    /// A shard's file that belongs elsewhere.
    #[error("{} is of another campaign: its plan is {found}, and the plan of this folder is {planned}", path.display())]
    OtherPlan {
        /// Which one.
        path: PathBuf,
        /// Its plan.
        found: String,
        /// That of the folder.
        planned: String,
    },
    /// A shard's file under the name of another.
    #[error("{} is shard {found}, not {index}", path.display())]
    OtherShard {
        /// Which one.
        path: PathBuf,
        /// What it says of itself.
        found: u64,
        /// What its name says.
        index: u64,
    },
    /// A shard's file without the rows that the plan asks for.
    #[error("{} does not hold the runs that the plan asks for: {problem}", path.display())]
    OtherRuns {
        /// Which one.
        path: PathBuf,
        /// What is otherwise.
        problem: String,
    },
    /// An index that no shard has.
    #[error("there is no shard {index}: the plan has {shards}, from 0 to {}", shards - 1)]
    NoShard {
        /// What was asked for.
        index: u64,
        /// How many there are.
        shards: u64,
    },
    /// Shards that were not played yet.
    #[error("{} of {shards} shards are missing: {}", missing.len(), ranges(missing))]
    Missing {
        /// Their indices.
        missing: Vec<u64>,
        /// How many there are.
        shards: u64,
    },
}

pub(super) fn io_error(what: &'static str, path: &Path, source: io::Error) -> FolderError {
    FolderError::Io { what, path: path.to_owned(), source }
}
