//! Builds what measures, and finds it.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use serde_json::Value;

use super::child::{self, Ended};
use crate::cargo::cargo;

/// The programs that measure.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    /// Measures one thing.
    pub(super) measure: PathBuf,
    /// Criterion's benches, where they were asked for.
    pub(super) criterion: Option<Criterion>,
}

/// Criterion's benches.
#[derive(Clone, Debug)]
pub(super) struct Criterion {
    /// Workloads, in real time.
    pub(super) cost: PathBuf,
    /// Set-ups, in virtual time.
    pub(super) negotiation: PathBuf,
}

/// Builds them from this source, optimised; `None` if Ctrl-C came first.
pub(super) fn programs(directory: &Path, with_criterion: bool) -> anyhow::Result<Option<Programs>> {
    if !with_criterion {
        let Some(built) = build(directory, &["build", "--release", "--bin", "measure"])? else {
            return Ok(None);
        };
        return Ok(Some(Programs { measure: executable(&built, "measure")?, criterion: None }));
    }
    // Builds the programs of the package, too: asked for by itself, ours would be built twice, for the tests' own
    // dependencies ask for other features.
    let Some(built) = build(directory, &["bench", "--no-run", "--benches"])? else { return Ok(None) };
    let criterion =
        Criterion { cost: executable(&built, "cost")?, negotiation: executable(&built, "negotiation")? };
    Ok(Some(Programs { measure: executable(&built, "measure")?, criterion: Some(criterion) }))
}

/// What cargo says of its work, a JSON object a line.
fn build(directory: &Path, command: &[&str]) -> anyhow::Result<Option<String>> {
    let [name, rest @ ..] = command else { return Ok(None) };
    let fixed = [*name, "--package", "benches", "--message-format", "json-render-diagnostics"];
    let mut command = cargo();
    command.args(fixed).args(rest);
    match child::run(command, directory)? {
        Ended::With(output) => Ok(Some(output)),
        Ended::Interrupted => Ok(None),
    }
}

fn executable(built: &str, name: &str) -> anyhow::Result<PathBuf> {
    let lines = built.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut own = lines.filter(|line| line["target"]["name"] == name);
    let path = own.find_map(|line| line["executable"].as_str().map(PathBuf::from));
    path.with_context(|| format!("cargo built no program `{name}`"))
}

/// Where this source is.
pub(super) fn root() -> anyhow::Result<PathBuf> {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").context("run it with `cargo xtask`")?;
    let root = Path::new(&manifest).parent().context("chores has a directory above it")?;
    Ok(root.to_owned())
}

/// Cargo's target directory.
pub(super) fn target(root: &Path) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_among_what_cargo_says() {
        let said = r#"{"reason":"compiler-artifact","target":{"name":"netsim"},"executable":null}
{"reason":"compiler-artifact","target":{"name":"cost"},"executable":"/target/cost-1f"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(executable(said, "cost").unwrap(), Path::new("/target/cost-1f"));
        assert!(executable(said, "netsim").unwrap_err().to_string().contains("`netsim`"));
    }
}
