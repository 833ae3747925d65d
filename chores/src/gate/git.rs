//! What git knows: commits, the baseline of another commit, the last release, sources of a commit.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context as _;

use crate::process;

/// The repository of the working directory.
pub(super) struct Repository {
    root: PathBuf,
}

/// Which commit a change is measured against, and how that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// This commit.
    Commit {
        /// Its full name.
        commit: String,
        /// "the merge base with origin/main", for people.
        what: String,
    },
    /// None; why.
    Unknown {
        /// In a sentence.
        why: String,
    },
}

/// Branches that changes are merged into, the most telling first.
const TRUNKS: [&str; 5] = ["origin/HEAD", "origin/main", "origin/master", "main", "master"];

impl Repository {
    /// `None` where there is no repository, or no git.
    pub(super) fn here() -> Option<Self> {
        let said = process::output(Command::new("git").args(["rev-parse", "--show-toplevel"])).ok()?;
        Some(Self { root: PathBuf::from(said.success()?.trim_end()) })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// What git prints, without the last line's end; `None` where it refuses.
    fn ask(&self, arguments: &[&str]) -> Option<String> {
        let said = process::output(Command::new("git").arg("-C").arg(&self.root).args(arguments)).ok()?;
        said.success().map(|text| text.trim_end_matches('\n').to_owned())
    }

    /// The full name of the commit that `reference` means.
    pub(super) fn resolve(&self, reference: &str) -> Option<String> {
        self.ask(&[
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &format!("{reference}^{{commit}}"),
        ])
    }

    pub(super) fn is_shallow(&self) -> bool {
        self.ask(&["rev-parse", "--is-shallow-repository"]).as_deref() == Some("true")
    }

    /// Whether files that git knows differ from the last commit.
    pub(super) fn is_dirty(&self) -> bool {
        self.ask(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|text| !text.is_empty())
    }

    /// "1a2b3c4d5e6f", "1a2b3c4d5e6f with changes".
    pub(super) fn describe_head(&self) -> String {
        match self.resolve("HEAD") {
            Some(commit) if self.is_dirty() => format!("{} with changes", short(&commit)),
            Some(commit) => short(&commit).to_owned(),
            None => "a repository without commits".to_owned(),
        }
    }

    /// The text of `file` (relative to the root) in `commit`; `None` where it has none.
    pub(super) fn show(&self, commit: &str, file: &Path) -> Option<String> {
        self.ask(&["show", &format!("{commit}:{}", file.display())])
    }

    /// Where a change left the trunk. On the trunk itself, that is the last commit, or the one before it where
    /// nothing differs from the last: a commit is compared with what it was built on.
    pub(super) fn merge_base(&self, asked: Option<&str>) -> Base {
        let Some(head) = self.resolve("HEAD") else {
            return Base::Unknown { why: "the repository has no commit yet".to_owned() };
        };
        let of_pull_request = env::var("GITHUB_BASE_REF").ok().filter(|name| !name.is_empty());
        let of_pull_request = of_pull_request.map(|name| format!("origin/{name}"));
        let trunk = match asked {
            Some(asked) => Some(asked.to_owned()),
            None => of_pull_request
                .into_iter()
                .chain(TRUNKS.map(str::to_owned))
                .find(|name| self.resolve(name).is_some()),
        };
        let Some(trunk) = trunk else {
            return Base::Unknown { why: format!("none of {} is known here", TRUNKS.join(", ")) };
        };
        if self.resolve(&trunk).is_none() {
            return Base::Unknown { why: format!("`{trunk}` is no commit here{}", self.advice()) };
        }
        match self.ask(&["merge-base", "HEAD", &trunk]) {
            Some(commit) if commit != head || self.is_dirty() => {
                Base::Commit { commit, what: format!("the merge base with {trunk}") }
            }
            Some(_) => match self.resolve("HEAD^") {
                Some(commit) => {
                    Base::Commit { commit, what: format!("the commit before the last of {trunk}") }
                }
                None => Base::Unknown { why: format!("the only commit{}", self.advice()) },
            },
            None => Base::Unknown { why: format!("no common ancestor with {trunk}{}", self.advice()) },
        }
    }

    /// The last release: the newest tag `v<digit>…` before what is judged. `Ok(None)` where there was none.
    ///
    /// # Errors
    ///
    /// Where the clone is too shallow to tell.
    pub(super) fn last_release(&self) -> anyhow::Result<Option<String>> {
        let nearest = |of: &str| self.ask(&["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", of]);
        let mut tag = nearest("HEAD");
        // A release is not compared with itself.
        if tag.as_deref().and_then(|tag| self.resolve(tag)) == self.resolve("HEAD") && !self.is_dirty() {
            tag = nearest("HEAD^");
        }
        if tag.is_none() && self.is_shallow() {
            anyhow::bail!("the clone is shallow, so that the last release cannot be found{}", self.advice());
        }
        Ok(tag)
    }

    /// What to do where history is missing.
    fn advice(&self) -> &'static str {
        if self.is_shallow() {
            "; the clone is shallow: `git fetch --unshallow --tags`, or `fetch-depth: 0` in GitHub Actions"
        } else {
            ""
        }
    }

    /// The sources of `commit`, checked out under `dir`; kept for the next time.
    pub(super) fn check_out(&self, commit: &str, dir: &Path) -> anyhow::Result<PathBuf> {
        let tree = dir.join(short(commit));
        let done = dir.join(format!("{}.complete", short(commit)));
        if done.is_file() && tree.join(".git").exists() {
            return Ok(tree);
        }
        fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        // What an interrupted run left behind.
        let _ = fs::remove_file(&done);
        let text = tree.to_string_lossy().into_owned();
        let _ = self.ask(&["worktree", "remove", "--force", "--force", &text]);
        let _ = fs::remove_dir_all(&tree);
        let _ = self.ask(&["worktree", "prune"]);
        let mut add = Command::new("git");
        add.arg("-C").arg(&self.root).args(["worktree", "add", "--detach", "--force"]).arg(&tree).arg(commit);
        let said = process::output(&mut add).context("cannot start git")?;
        anyhow::ensure!(
            said.status.success(),
            "git cannot check out {}: {}",
            short(commit),
            said.stderr.trim()
        );
        fs::write(&done, "").with_context(|| format!("cannot write {}", done.display()))?;
        Ok(tree)
    }
}

/// The first twelve digits of a commit.
pub(super) fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}
