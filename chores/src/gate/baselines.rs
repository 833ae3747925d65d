//! Where baselines stand, and what a change is compared with.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use gate::{
    baseline::{Baseline, BaselineError, Reference, ReferenceError},
    metric::Tier,
};
use thiserror::Error;

use super::{
    git::{Base, Repository, short},
    tier::Wanted,
};
use crate::output;

/// The baselines of the working directory.
pub(super) struct Baselines {
    dir: PathBuf,
}

/// Why there is nothing to compare with.
#[derive(Debug, Error)]
pub(super) enum Unusable {
    /// A file cannot be read.
    #[error("{0}")]
    Unreadable(#[from] BaselineError),
    /// A file cannot be opened.
    #[error("cannot read {}: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not what the merge base had plus what was accepted since.
    #[error("{}, compared with {since}: {source}", file.display())]
    NotAccepted {
        /// The file.
        file: PathBuf,
        /// Which commit.
        since: String,
        /// What differs.
        source: ReferenceError,
    },
}

/// What a change is compared with, and how that came about.
pub(super) struct Found {
    /// `None` where there is no baseline.
    pub(super) reference: Option<Reference>,
    /// For people.
    pub(super) note: String,
}

impl Baselines {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    pub(super) fn file(&self, tier: Tier) -> PathBuf {
        self.dir.join(format!("{tier}.json"))
    }

    /// The baseline as it stands here.
    pub(super) fn here(&self, tier: Tier) -> Result<Option<Baseline>, Unusable> {
        let file = self.file(tier);
        match fs::read_to_string(&file) {
            Ok(text) => Ok(Some(Baseline::from_json(&file.display().to_string(), &text)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Unusable::Io { file, source }),
        }
    }

    /// Writes the baseline as a whole.
    pub(super) fn write(&self, baseline: &Baseline) -> anyhow::Result<PathBuf> {
        let file = self.file(baseline.tier);
        fs::create_dir_all(&self.dir).with_context(|| format!("cannot make {}", self.dir.display()))?;
        output::write_file(&file, &baseline.to_json())?;
        Ok(file)
    }

    /// The baseline at `base`, plus what is accepted here.
    pub(super) fn reference(
        &self,
        tier: Tier,
        repository: Option<&Repository>,
        base: &Base,
        wanted: &Wanted,
    ) -> Result<Found, Unusable> {
        let file = self.file(tier);
        let here = self.here(tier)?;
        let (commit, what) = match base {
            Base::Commit { commit, what } => (commit, what),
            Base::Unknown { why } => {
                return Ok(self.alone(tier, here.as_ref(), wanted, why));
            }
        };
        let since = format!("{what}, {}", short(commit));
        let there = match repository.map(|repository| self.read_there(tier, repository, commit)).transpose() {
            Ok(there) => there.flatten(),
            // A change may repair it, or bring a new format.
            Err(error) => {
                return Ok(self.alone(tier, here.as_ref(), wanted, &error.to_string()));
            }
        };
        if there.is_none() && here.is_none() {
            let note = format!("{tier}: no baseline in {} yet: `gate accept` makes one", file.display());
            return Ok(Found { reference: None, note });
        }
        let is_new = there.is_none();
        // Where one side has no file, an empty one stands for it.
        let conditions = there.as_ref().or(here.as_ref()).map(|baseline| baseline.fingerprint.clone());
        let empty = || Baseline::new(tier, conditions.clone().unwrap_or_default());
        let (there, here) = (there.unwrap_or_else(empty), here.unwrap_or_else(empty));
        let reference = Reference::since(&there, &here).map_err(|source| Unusable::NotAccepted {
            file: file.clone(),
            since: since.clone(),
            source,
        })?;
        let note = match (is_new, reference.accepted_here.len()) {
            (true, _) => format!("{tier}: the baseline is new since {since}"),
            (false, 0) => format!("{tier}: compared with the baseline at {since}"),
            (false, accepted) => {
                format!("{tier}: compared with the baseline at {since}, and {accepted} accepted since")
            }
        };
        let note = if reference.fingerprint_changed {
            format!("{note}; under conditions that the change replaces")
        } else {
            note
        };
        Ok(Found { reference: Some(narrowed(reference, wanted)), note })
    }

    /// The baseline of another commit; `None` where it has none that can be read.
    pub(super) fn there(&self, tier: Tier, repository: &Repository, commit: &str) -> Option<Baseline> {
        self.read_there(tier, repository, commit).ok().flatten()
    }

    fn read_there(
        &self,
        tier: Tier,
        repository: &Repository,
        commit: &str,
    ) -> Result<Option<Baseline>, BaselineError> {
        let file = self.file(tier);
        let text = relative(repository, &file).and_then(|path| repository.show(commit, &path));
        let name = format!("{}:{}", short(commit), file.display());
        text.map(|text| Baseline::from_json(&name, &text)).transpose()
    }

    fn alone(&self, tier: Tier, here: Option<&Baseline>, wanted: &Wanted, why: &str) -> Found {
        let file = self.file(tier);
        let note = match here {
            Some(_) => format!("{tier}: compared with {} as it stands here: {why}", file.display()),
            None => format!("{tier}: no baseline in {} yet: `gate accept` makes one", file.display()),
        };
        Found { reference: here.map(Reference::of).map(|reference| narrowed(reference, wanted)), note }
    }
}

/// What is not wanted has not vanished.
fn narrowed(mut reference: Reference, wanted: &Wanted) -> Reference {
    reference.metrics.retain(|id, _| wanted.fits(id));
    reference
}

/// `file` as git calls it: from the root of the repository.
fn relative(repository: &Repository, file: &Path) -> Option<PathBuf> {
    let dir = file.parent()?.canonicalize().ok()?;
    let root = repository.root().canonicalize().ok()?;
    Some(dir.strip_prefix(root).ok()?.join(file.file_name()?))
}
