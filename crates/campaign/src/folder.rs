//! The folder of a campaign: its plan, a file for each shard, and beside it what is known of each attempt.
//!
//! Invariants:
//! - A shard's file appears whole or not at all, and is never written twice: what a second run yields is compared.
//! - Whatever is not the same is kept beside it.

use std::{
    fs::{self, File},
    io::{self, Read, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    campaign::{Campaign, CampaignError, FILE},
    table::{Reader, TableError},
};

/// The folder of a campaign and its plan.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    campaign: Campaign,
}

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

/// What became of a shard's new file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is the first.
    First,
    /// It is the same as the one that was there.
    Same,
    /// It is not: it was kept beside it, under this name.
    Different(PathBuf),
}

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
    /// Makes `path` the folder of `campaign`, and writes the plan into it.
    ///
    /// # Errors
    /// A folder that has a campaign, or that cannot be written.
    pub fn create(path: &Path, campaign: &Campaign) -> Result<PathBuf, FolderError> {
        Self::check_free(path)?;
        fs::create_dir_all(path).map_err(|source| io_error("make", path, source))?;
        let file = path.join(FILE);
        write_new(&file, campaign.to_json().as_bytes()).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => {
                FolderError::Taken { folder: path.to_owned(), found: FILE.into() }
            }
            _ => io_error("write", &file, source),
        })?;
        Ok(file)
    }

    /// Whether a campaign may have `path`.
    ///
    /// # Errors
    /// Where it has one.
    pub fn check_free(path: &Path) -> Result<(), FolderError> {
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(source) => return Err(io_error("read", path, source)),
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut taken: Vec<String> = names.filter(|name| name == FILE || index_of(name).is_some()).collect();
        taken.sort_unstable();
        match taken.into_iter().next() {
            Some(found) => Err(FolderError::Taken { folder: path.to_owned(), found: found.into() }),
            None => Ok(()),
        }
    }

    /// The folder of the plan at `plan`: its file, or the folder itself.
    ///
    /// # Errors
    /// A plan that cannot be used.
    pub fn open(plan: &Path) -> Result<Self, FolderError> {
        let campaign = Campaign::read(plan)?;
        let parent = || plan.parent().filter(|parent| !parent.as_os_str().is_empty());
        let path = if plan.is_dir() { plan } else { parent().unwrap_or(Path::new(".")) };
        Ok(Self { path: path.to_owned(), campaign })
    }

    /// Its plan.
    pub fn campaign(&self) -> &Campaign {
        &self.campaign
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the file of this shard is, or will be.
    pub fn shard_path(&self, index: u64) -> PathBuf {
        self.path.join(format!("{}.parquet", stem(index)))
    }

    /// Opens the file of this shard; `None` where it is not there.
    ///
    /// # Errors
    /// A file that cannot be read, or is of another plan or another shard.
    pub fn shard(&self, index: u64) -> Result<Option<Reader<File>>, FolderError> {
        let path = self.shard_path(index);
        if !path.try_exists().map_err(|source| io_error("read", &path, source))? {
            return Ok(None);
        }
        let reader =
            Reader::open(&path).map_err(|source| FolderError::Unreadable { path: path.clone(), source })?;
        let label = reader.label();
        if label.plan != self.campaign.id {
            let (found, planned) = (label.plan.clone(), self.campaign.id.clone());
            return Err(FolderError::OtherPlan { path, found, planned });
        }
        if label.shard != index {
            return Err(FolderError::OtherShard { path, found: label.shard, index });
        }
        let planned: u64 =
            self.campaign.shard(index).into_iter().flatten().map(crate::split::Piece::runs).sum();
        if reader.rows() != planned {
            let problem = format!("it has {}, and {planned} are planned", reader.rows());
            return Err(FolderError::OtherRuns { path, problem });
        }
        Ok(Some(reader))
    }

    /// The indices of the shards that are not there yet.
    ///
    /// # Errors
    /// A file that cannot be used.
    pub fn missing(&self) -> Result<Vec<u64>, FolderError> {
        self.check_names()?;
        let mut missing = Vec::new();
        for index in 0..self.campaign.shards() {
            if self.shard(index)?.is_none() {
                missing.push(index);
            }
        }
        Ok(missing)
    }

    /// Whether a shard is there that the plan has not.
    fn check_names(&self) -> Result<(), FolderError> {
        let shards = self.campaign.shards();
        let entries = fs::read_dir(&self.path).map_err(|source| io_error("read", &self.path, source))?;
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        match names.filter_map(|name| index_of(&name)).find(|index| *index >= shards) {
            Some(index) => Err(FolderError::NoShard { index, shards }),
            None => Ok(()),
        }
    }

    /// A temporary file for attempt number `attempt` at shard `index`.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn temporary(&self, index: u64, attempt: u32) -> Result<tempfile::NamedTempFile, FolderError> {
        let prefix = format!(".{}.{attempt}.", stem(index));
        let mut builder = tempfile::Builder::new();
        readable(&mut builder);
        let file = builder.prefix(&prefix).suffix(".tmp").tempfile_in(&self.path);
        file.map_err(|source| io_error("write into", &self.path, source))
    }

    /// Gives the whole file `file` its name; where the shard is there already, compares the two.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn keep(&self, file: tempfile::NamedTempFile, index: u64, attempt: u32) -> Result<Kept, FolderError> {
        let path = self.shard_path(index);
        let refused = |source| io_error("write", &path, source);
        file.as_file().sync_all().map_err(refused)?;
        let file = match file.persist_noclobber(&path) {
            Ok(_) => return Ok(Kept::First),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => error.file,
            Err(error) => return Err(refused(error.error)),
        };
        if same(file.path(), &path).map_err(refused)? {
            return Ok(Kept::Same);
        }
        let other = self.path.join(format!("{}.{attempt}.parquet", stem(index)));
        file.persist_noclobber(&other).map_err(|error| io_error("write", &other, error.error))?;
        Ok(Kept::Different(other))
    }

    /// The other files of this shard, which differ from the one that counts, each with its attempt.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn others(&self, index: u64) -> Result<Vec<(u32, PathBuf)>, FolderError> {
        self.beside(index, ".parquet")
    }

    /// The attempts at this shard, the first first. Files that say nothing are left out.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn attempts(&self, index: u64) -> Result<Vec<Attempt>, FolderError> {
        let files = self.beside(index, ".json")?;
        let read = |path: PathBuf| serde_json::from_slice(&fs::read(path).ok()?).ok();
        Ok(files.into_iter().filter_map(|(_, path)| read(path)).collect())
    }

    fn beside(&self, index: u64, ending: &str) -> Result<Vec<(u32, PathBuf)>, FolderError> {
        // Attempts are numbered without gaps: a folder of a million files need not be read for one shard.
        let mut found = Vec::new();
        for attempt in 1..=u32::MAX {
            let path = |ending: &str| self.path.join(format!("{}.{attempt}{ending}", stem(index)));
            if !path(".json").exists() {
                break;
            }
            if path(ending).exists() {
                found.push((attempt, path(ending)));
            }
        }
        Ok(found)
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

fn io_error(what: &'static str, path: &Path, source: io::Error) -> FolderError {
    FolderError::Io { what, path: path.to_owned(), source }
}

/// With the rights that any new file gets.
fn readable(builder: &mut tempfile::Builder<'_, '_>) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    #[cfg(not(unix))]
    let _ = builder;
}

/// Writes a file that must not be there.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Whether two files are the same, byte for byte.
fn same(one: &Path, other: &Path) -> io::Result<bool> {
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut ours, mut theirs) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let read = one.read(&mut ours)?;
        if read == 0 {
            return Ok(true);
        }
        other.read_exact(&mut theirs[..read])?;
        if ours[..read] != theirs[..read] {
            return Ok(false);
        }
    }
}

fn stem(index: u64) -> String {
    format!("shard-{index:06}")
}

/// The index of the shard whose file is called `name`.
fn index_of(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("shard-")?.strip_suffix(".parquet")?;
    let is_number = digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| digits.parse().ok())?
}

/// `0-2, 5, 7-9`: ascending numbers in short. The form of Slurm's `--array` but for the blanks.
pub fn ranges(numbers: &[u64]) -> String {
    let mut parts: Vec<(u64, u64)> = Vec::new();
    for number in numbers {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => parts.push((*number, *number)),
        }
    }
    let word = |(first, last): &(u64, u64)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    parts.iter().map(word).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascending_numbers_in_short() {
        assert_eq!(ranges(&[0, 1, 2, 5, 7, 8, 9]), "0-2, 5, 7-9");
        assert_eq!(ranges(&[4]), "4");
        assert_eq!(ranges(&[]), "");
    }

    #[test]
    fn the_file_of_a_shard_is_known_by_its_name() {
        assert_eq!(index_of("shard-000123.parquet"), Some(123));
        for other in ["shard-123.parquet", "shard-000123.2.parquet", "shard-00012x.parquet", "campaign.json"]
        {
            assert_eq!(index_of(other), None, "{other}");
        }
    }

    #[test]
    fn files_are_compared_byte_for_byte() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
        for (left, right, expect) in
            [("abc", "abc", true), ("abc", "abd", false), ("abc", "abcd", false), ("", "", true)]
        {
            fs::write(&one, left).unwrap();
            fs::write(&other, right).unwrap();
            assert_eq!(same(&one, &other).unwrap(), expect, "{left} {right}");
        }
    }
}
