//! What the wall tier compares with.

use std::path::PathBuf;

use anyhow::Context as _;

use super::Session;
use crate::gate::git::short;

/// What the `--against` of who gives none is.
const LAST_RELEASE: &str = "last-release";

/// What is compared with.
pub(super) struct Predecessor {
    /// Its worker; `None` where there is nothing to compare with.
    pub(super) worker: Option<PathBuf>,
    /// What it is, or why there is none.
    pub(super) note: String,
}

impl Predecessor {
    fn none(why: impl Into<String>) -> Self {
        Self { worker: None, note: format!("wall: not measured: {}", why.into()) }
    }
}

impl Session<'_> {
    /// The worker that `--base-worker` names, or that of the commit that `--against` names, built from source.
    pub(super) fn predecessor(&self) -> anyhow::Result<Predecessor> {
        if let Some(worker) = self.given_base_worker() {
            let note = format!("wall: compared with {}", worker.display());
            return Ok(Predecessor { worker: Some(worker.to_owned()), note });
        }
        if !self.is_own_worker() {
            return Ok(Predecessor::none(
                "a `--worker` of your own needs a `--base-worker` to be compared with",
            ));
        }
        let Some(repository) = &self.repository else {
            return Ok(Predecessor::none("no git repository here, so that nothing older can be built"));
        };
        let against = self.arguments.against.as_str();
        let reference = match against {
            LAST_RELEASE => match repository.last_release() {
                Ok(Some(tag)) => tag,
                Ok(None) => {
                    let why = "no release yet (no tag v…), and the first has no predecessor; `--against REF` names one";
                    return Ok(Predecessor::none(why));
                }
                // A release must not pass because its predecessor was not fetched.
                Err(error) if self.arguments.release => return Err(error),
                Err(error) => return Ok(Predecessor::none(error.to_string())),
            },
            given => given.to_owned(),
        };
        let commit = repository
            .resolve(&reference)
            .with_context(|| format!("`{reference}` is no commit of this repository"))?;
        match self.worker_of(repository, &commit)? {
            Some(worker) => {
                let note = format!("wall: compared with {reference} ({}), built here", short(&commit));
                Ok(Predecessor { worker: Some(worker), note })
            }
            None => Ok(Predecessor::none(format!("{reference} ({}) has no worker yet", short(&commit)))),
        }
    }
}
