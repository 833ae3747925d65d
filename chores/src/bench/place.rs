//! The directory of the results: the old one until all is done, then the new one; never a part.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use tempfile::TempDir;

/// Where results go, and where they grow until they are whole.
pub(super) struct Place {
    out: PathBuf,
    /// Beside it. Dropped, it is gone: what was not finished leaves nothing.
    partial: TempDir,
}

/// What is there already is no result of benches.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} is no directory of benches, and what is in it would go: choose another --out", .0.display())]
pub(super) struct NotOurs(PathBuf);

impl Place {
    /// Refuses a directory that holds something else before anything is measured.
    pub(super) fn new(out: PathBuf) -> anyhow::Result<Result<Self, NotOurs>> {
        if !is_ours(&out) {
            return Ok(Err(NotOurs(out)));
        }
        let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        {
            // Whoever may look into other new directories may look at the page.
            use std::os::unix::fs::PermissionsExt as _;
            builder.permissions(fs::Permissions::from_mode(0o777));
        }
        let partial = builder.prefix(".bench-").tempdir_in(parent);
        let partial = partial.with_context(|| format!("cannot write to {}", parent.display()))?;
        Ok(Ok(Self { out, partial }))
    }

    /// The directory to write to.
    pub(super) fn partial(&self) -> &Path {
        self.partial.path()
    }

    /// Puts what was written in the place of what was there; returns where that is.
    pub(super) fn put(self) -> anyhow::Result<PathBuf> {
        let Self { out, partial } = self;
        let old = partial.path().with_extension("old");
        let put = || {
            if out.exists() {
                fs::rename(&out, &old)?;
            }
            fs::rename(partial.path(), &out).inspect_err(|_| {
                // Where even that fails, the old results are in a directory whose name says so.
                let _ = fs::rename(&old, &out);
            })
        };
        put().with_context(|| format!("cannot write {}", out.display()))?;
        // It has another name now.
        let _ = partial.keep();
        if old.exists() {
            fs::remove_dir_all(&old).with_context(|| format!("cannot remove {}", old.display()))?;
        }
        Ok(out)
    }
}

/// Not there, empty, or with results.
fn is_ours(out: &Path) -> bool {
    match out.read_dir() {
        Ok(mut entries) => entries.next().is_none() || out.join("results.json").exists(),
        Err(_) => !out.exists(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = directory.read_dir().unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_new_results_take_the_place_of_the_old_ones_and_nothing_else_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let out = directory.path().join("deep/bench");
        for (file, expect) in [("old.html", "old.html"), ("new.html", "new.html")] {
            let place = Place::new(out.clone()).unwrap().unwrap();
            fs::write(place.partial().join(file), "").unwrap();
            fs::write(place.partial().join("results.json"), "").unwrap();
            assert_eq!(place.put().unwrap(), out);
            assert_eq!(names(&out), [expect, "results.json"]);
            assert_eq!(names(out.parent().unwrap()), ["bench"]);
        }
    }

    #[test]
    fn what_was_not_finished_leaves_the_old_results_as_they_were() {
        let directory = tempfile::tempdir().unwrap();
        let out = directory.path().join("bench");
        fs::create_dir(&out).unwrap();
        fs::write(out.join("results.json"), "old").unwrap();
        let place = Place::new(out.clone()).unwrap().unwrap();
        fs::write(place.partial().join("results.json"), "half").unwrap();
        drop(place);
        assert_eq!(fs::read_to_string(out.join("results.json")).unwrap(), "old");
        assert_eq!(names(directory.path()), ["bench"]);
    }

    #[test]
    fn what_is_no_result_of_benches_is_refused_before_anything_is_made() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("thesis.tex"), "years of work").unwrap();
        for out in [directory.path().to_owned(), directory.path().join("thesis.tex")] {
            assert_eq!(Place::new(out.clone()).unwrap().err(), Some(NotOurs(out)));
        }
        assert_eq!(names(directory.path()), ["thesis.tex"]);
    }

    #[cfg(unix)]
    #[test]
    fn the_page_may_be_read_by_whoever_may_read_other_new_directories() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode();
        let ordinary = directory.path().join("ordinary");
        fs::create_dir(&ordinary).unwrap();
        let out = Place::new(directory.path().join("bench")).unwrap().unwrap().put().unwrap();
        assert_eq!(mode(&out), mode(&ordinary));
    }
}
