//! What is known of attempts at shards, one file for each.

use std::{
    fs,
    io::{self, Write as _},
    path::PathBuf,
};

use serde::{Deserialize, Serialize};

use super::{Folder, FolderError, io_error, readable, stem, write_new};

/// What is known of one attempt at a shard: all that its seeds do not determine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// The version of this file.
    pub schema: u32,
    /// The plan's id.
    pub plan: String,
    /// The shard's index.
    pub shard: u64,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// The machine's name.
    pub machine: String,
    /// What the scheduler says of it: `SLURM_JOB_ID=…`.
    pub scheduler: Vec<String>,
    /// On how many threads.
    pub jobs: u32,
    /// When it began (RFC 3339).
    pub started: String,
    /// When it ended; `null` where it has not, or was killed.
    pub ended: Option<String>,
    /// How it ended.
    pub end: Option<End>,
    /// How many runs took place.
    pub runs: u64,
    /// Of those: runs in which something did not hold.
    pub failed_runs: u64,
    /// How long it took, in seconds.
    pub wall_s: f64,
    /// The processor time of the worlds, in seconds.
    pub cpu_s: f64,
    /// The most memory that the process had, in bytes, where the system says it.
    pub peak_bytes: Option<u64>,
}

timeline::words! {
    /// How an attempt at a shard ended.
    pub enum End {
        /// Its file is the shard's.
        Written = "written",
        /// Its file was the same as the one that was there.
        Same = "same",
        /// Its file was not the same as the one that was there.
        Different = "different",
        /// It was asked to stop.
        Stopped = "stopped",
        /// It failed.
        Failed = "failed",
    }
}

impl Folder {
    /// The attempts at this shard, the first first. Files that say nothing are left out.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn attempts(&self, index: u64) -> Result<Vec<Attempt>, FolderError> {
        let files = self.beside(index, ".json")?;
        let read = |path: PathBuf| serde_json::from_slice(&fs::read(path).ok()?).ok();
        Ok(files.into_iter().filter_map(|(_, path)| read(path)).collect())
    }

    /// Notes that an attempt at a shard begins, and gives it the next number.
    ///
    /// # Errors
    /// Where that cannot be written.
    pub fn begin(&self, attempt: &mut Attempt) -> Result<(), FolderError> {
        for number in 1..=u32::MAX {
            attempt.attempt = number;
            let path = self.attempt_path(attempt);
            match write_new(&path, &json(attempt)) {
                Ok(()) => break,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(source) => return Err(io_error("write", &path, source)),
            }
        }
        Ok(())
    }

    /// Notes how an attempt at a shard ended.
    ///
    /// # Errors
    /// Where that cannot be written.
    pub fn end(&self, attempt: &Attempt) -> Result<(), FolderError> {
        let path = self.attempt_path(attempt);
        let write = || -> io::Result<()> {
            let mut builder = tempfile::Builder::new();
            readable(&mut builder);
            let mut file = builder.prefix(".attempt-").suffix(".tmp").tempfile_in(&self.path)?;
            file.write_all(&json(attempt))?;
            file.persist(&path).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(|source| io_error("write", &path, source))
    }

    fn attempt_path(&self, attempt: &Attempt) -> PathBuf {
        self.path.join(format!("{}.{}.json", stem(attempt.shard), attempt.attempt))
    }
}

fn json(attempt: &Attempt) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(attempt).unwrap_or_default();
    text.push(b'\n');
    text
}
