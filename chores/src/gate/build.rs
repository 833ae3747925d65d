//! Workers built from source: of what is here, and of another commit.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context as _;
use serde::Deserialize;

use super::{
    git::{Repository, short},
    wait::Wait,
};
use crate::{cargo::cargo, process};

/// The worker.
const BINARY: &str = "gate-worker";

/// How the worker is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Profile {
    /// As tests are: for numbers that do not depend on it.
    Dev,
    /// As what ships.
    Release,
}

impl Profile {
    fn as_str(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Release => "release",
        }
    }
}

/// Where everything that the gate makes is kept: `target/gate`, of the workspace or of the working directory.
pub(super) fn gate_dir() -> anyhow::Result<PathBuf> {
    #[derive(Deserialize)]
    struct Metadata {
        target_directory: PathBuf,
    }
    let mut command = cargo();
    command.args(["metadata", "--format-version", "1", "--no-deps", "--offline"]);
    let said = process::output(&mut command).ok().and_then(|said| said.success());
    let metadata = said.and_then(|text| serde_json::from_str::<Metadata>(&text).ok());
    let target = metadata.map_or_else(|| PathBuf::from("target"), |metadata| metadata.target_directory);
    let dir = target.join("gate");
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    dir.canonicalize().with_context(|| format!("cannot find {}", dir.display()))
}

/// The worker of the sources in the working directory.
pub(super) fn here(gate_dir: &Path, profile: Profile) -> anyhow::Result<PathBuf> {
    let wait = Wait::new(&format!("building the worker ({})", profile.as_str()));
    let target = gate_dir.parent().unwrap_or(gate_dir);
    let built = build(Path::new("."), target, profile)?.with_context(|| {
        format!("no binary `{BINARY}` here: run it in the workspace, or name a `--worker`")
    })?;
    drop(wait);
    // A later build writes to the same place.
    keep(&built, &gate_dir.join(format!("here-{}", profile.as_str())))
}

/// The worker of `commit`; `None` where its sources have none.
///
/// It is built from nothing, in a place of its own: cargo tells two checkouts of one workspace apart by nothing but the
/// age of their files, and takes what it built of the one for what the other one wants.
pub(super) fn of_commit(
    repository: &Repository,
    commit: &str,
    gate_dir: &Path,
) -> anyhow::Result<Option<PathBuf>> {
    // A worker that another compiler built would be compared with the compilers.
    let kept = gate_dir.join(format!("of-{}-{}", short(commit), compiler()));
    let kept_binary = kept.join(BINARY);
    let sources = gate_dir.join("sources");
    if kept_binary.is_file() && sources.join(format!("{}.complete", short(commit))).is_file() {
        return Ok(Some(kept_binary));
    }
    let _wait = Wait::new(&format!("building the worker of {} (release)", short(commit)));
    let tree = repository.check_out(commit, &sources)?;
    let target = kept.join("build");
    let worker = match build(&tree, &target, Profile::Release)? {
        Some(built) => Some(keep(&built, &kept)?),
        None => None,
    };
    // Gigabytes. What cannot be removed is only in the way.
    let _ = fs::remove_dir_all(&target);
    Ok(worker)
}

/// Builds the worker of the workspace in `dir`; `None` where it has none.
fn build(dir: &Path, target: &Path, profile: Profile) -> anyhow::Result<Option<PathBuf>> {
    let mut command = cargo();
    // Of the whole workspace, so that external crates have the features that tests built them with.
    command.current_dir(dir).args(["build", "--workspace", "--bin", BINARY]);
    command.args(["--profile", profile.as_str(), "--message-format", "json-render-diagnostics"]);
    command.arg("--target-dir").arg(target);
    let said = process::output(&mut command).context("cannot start cargo")?;
    if !said.status.success() {
        if said.stderr.contains(&format!("no bin target named `{BINARY}`")) {
            return Ok(None);
        }
        anyhow::bail!("the worker does not build:\n{}", said.stderr.trim_end());
    }
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    executable(&text).map(Some).context("cargo built no executable")
}

/// The last executable that cargo names.
fn executable(messages: &str) -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct Message {
        executable: Option<PathBuf>,
    }
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    messages.filter_map(|message| message.executable).next_back()
}

/// Copies the worker to a place that no other build writes to; whole, or not at all.
fn keep(built: &Path, dir: &Path) -> anyhow::Result<PathBuf> {
    let copy = || -> std::io::Result<PathBuf> {
        fs::create_dir_all(dir)?;
        let (part, whole) = (dir.join("part"), dir.join(BINARY));
        fs::copy(built, &part)?;
        fs::rename(&part, &whole)?;
        Ok(whole)
    };
    copy().with_context(|| format!("cannot keep a copy of {}", built.display()))
}

/// `rustc-1.95.0`.
fn compiler() -> String {
    let mut command = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let said = process::output(command.arg("--version")).ok().and_then(|said| said.success());
    said.unwrap_or_default().split_whitespace().take(2).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_the_last_that_is_named() {
        let messages = r#"{"reason":"compiler-artifact","executable":null}
{"reason":"compiler-artifact","executable":"/t/gate-worker"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(executable(messages), Some(PathBuf::from("/t/gate-worker")));
        assert_eq!(executable("{\"reason\":\"build-finished\"}"), None);
    }
}
