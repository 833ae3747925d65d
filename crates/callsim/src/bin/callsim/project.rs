//! `callsim.toml`: what a project says once, instead of with every command. Every key is optional.
//!
//! ```toml
//! scenarios = "calls"                  # the folder of the scenarios; paths are relative to this file
//! seeds = 50                           # as `run --seeds`
//! jobs = 4                             # as `--jobs`
//! mappings = ["our-app.toml"]          # as `replay --mapping`
//!
//! [themes]                             # names for several scenarios: `callsim run smoke`
//! smoke = ["happy", "nat/symmetric"]
//!
//! [budgets."nat/*"]                    # what set-ups and recoveries of these may take, in virtual time
//! setup-p95 = "3s"
//!
//! [profiles.our-office]                # a network for `profile = "our-office"`, beside `callsim profiles`
//! summary = "The guests' Wi-Fi, behind two walls."
//! link = { delay = "30ms", jitter = "10ms", loss = "0.5%" }
//! nat = "symmetric"
//! ```

mod reader;

use std::{
    collections::BTreeMap,
    fs, io,
    num::{NonZeroU32, NonZeroUsize},
    path::{Path, PathBuf},
    time::Duration,
};

use scenario::profile::Profiles;
use thiserror::Error;

use crate::output::BadInput;

/// The file.
const FILE: &str = "callsim.toml";
/// Where scenarios are, if the file says nothing else.
const SCENARIOS: &str = "scenarios";

/// What a project says of itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Project {
    /// Its folder, as seen from the working directory; empty for the working directory itself.
    root: PathBuf,
    scenarios: Option<PathBuf>,
    /// How many seeds of each scenario are played.
    pub(crate) seeds: Option<NonZeroU32>,
    /// On how many threads.
    pub(crate) jobs: Option<NonZeroUsize>,
    /// Mapping files of the applications whose calls are replayed.
    pub(crate) mappings: Vec<PathBuf>,
    /// Names for several scenarios each: patterns as on the command line.
    pub(crate) themes: BTreeMap<String, Vec<String>>,
    /// What may be spent.
    pub(crate) budgets: Vec<Budget>,
    /// The networks that scenarios may name.
    pub(crate) profiles: Profiles,
}

/// What the scenarios that fit a glob may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Budget {
    /// Which scenarios: a glob over their names.
    pub(crate) scenarios: String,
    /// What is limited.
    pub(crate) quantity: Quantity,
    /// The most that it may be, in virtual time.
    pub(crate) at_most: Duration,
}

/// What a budget can limit: percentiles over the seeds of one scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantity {
    /// The median time from the dial until both sides are connected.
    SetupP50,
    /// Its 95th percentile.
    SetupP95,
    /// The longest.
    SetupMax,
    /// The 95th percentile of the longest recovery of a connection in each run.
    RecoveryP95,
}

impl Quantity {
    /// All of them, with their keys.
    pub(crate) const ALL: [(&'static str, Self); 4] = [
        ("setup-p50", Self::SetupP50),
        ("setup-p95", Self::SetupP95),
        ("setup-max", Self::SetupMax),
        ("recovery-p95", Self::RecoveryP95),
    ];
}

/// Why `callsim.toml` cannot be used.
#[derive(Debug, Error)]
pub(crate) enum ProjectError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    /// Something in it is wrong; a line each, with its place.
    #[error("{}", .0.join("\nerror: "))]
    Wrong(Vec<String>),
}

impl Project {
    /// The project of the working directory: the nearest folder upwards with a `callsim.toml` or a `scenarios/`,
    /// no further than the root of its repository. Where there is none, the working directory.
    ///
    /// # Errors
    /// What is wrong with the file, with the place of each mistake.
    pub(crate) fn find() -> Result<Self, BadInput> {
        let here = std::env::current_dir().unwrap_or_default();
        let mut root = PathBuf::new();
        for folder in here.ancestors() {
            if folder.join(FILE).is_file() {
                return Self::read(&root).map_err(|error| BadInput(error.to_string()));
            }
            if folder.join(SCENARIOS).is_dir() {
                return Ok(Self { root, ..Self::default() });
            }
            if folder.join(".git").exists() {
                break;
            }
            root.push("..");
        }
        Ok(Self::default())
    }

    fn read(root: &Path) -> Result<Self, ProjectError> {
        let path = root.join(FILE);
        let text = fs::read_to_string(&path)
            .map_err(|source| ProjectError::Unreadable { path: path.clone(), source })?;
        reader::read(root, &path.display().to_string(), &text).map_err(ProjectError::Wrong)
    }

    /// Where the scenarios are: in the folder that was `asked` for, else in the project's.
    pub(crate) fn scenarios(&self, asked: Option<&Path>) -> PathBuf {
        let own = || self.root.join(self.scenarios.as_deref().unwrap_or(Path::new(SCENARIOS)));
        asked.map_or_else(own, Path::to_owned)
    }

    /// Where `callsim.toml` is, if there is one.
    pub(crate) fn file(&self) -> PathBuf {
        self.root.join(FILE)
    }

    /// A file beside it.
    #[cfg(feature = "gate")]
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// `patterns` with what the project's themes stand for.
    pub(crate) fn patterns(&self, patterns: &[String]) -> Vec<String> {
        let of_theme = |pattern: &String| self.themes.get(pattern).cloned();
        patterns
            .iter()
            .flat_map(|pattern| of_theme(pattern).unwrap_or_else(|| vec![pattern.clone()]))
            .collect()
    }
}
