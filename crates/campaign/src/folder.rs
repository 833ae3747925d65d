//! The folder of a campaign: its plan, a file for each shard, and beside it what is known of each attempt.
//!
//! Invariants:
//! - A shard's file appears whole or not at all, and is never written twice: what a second run yields is compared.
//! - Whatever is not the same is kept beside it.

mod attempt;
mod error;
mod names;

use std::{
    fs::{self, File},
    io::{self, Read, Write as _},
    path::{Path, PathBuf},
};

pub use self::{
    attempt::{Attempt, End},
    error::FolderError,
    names::ranges,
};
use self::{
    error::io_error,
    names::{index_of, stem},
};
use crate::{
    campaign::{Campaign, FILE},
    split::Piece,
    table::Reader,
};

/// The folder of a campaign and its plan.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    campaign: Campaign,
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
        let planned: u64 = self.campaign.shard(index).into_iter().flatten().map(Piece::runs).sum();
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

#[cfg(test)]
mod tests {
    use super::*;

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
