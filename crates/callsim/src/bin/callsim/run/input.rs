//! Scenario files as input of a command: loaded and chosen, or shown with all that is wrong with them.

use std::{
    io::IsTerminal as _,
    path::{Path, PathBuf},
};

use scenario::{
    format::{FormatError, LoadError, load_dir},
    plan::Plan,
    select::select,
};

use crate::{exit::Code, output::complain, typed};

/// The scenarios under `dir` that `names` mean. What is wrong has been said where there are none.
pub(super) fn load(dir: Option<&Path>, names: &[String]) -> Result<Vec<Plan>, Code> {
    let dir = dir.map_or_else(default_dir, Path::to_owned);
    let plans = load_dir(&dir).map_err(|error| match error {
        LoadError::Format(errors) => {
            errors.into_iter().for_each(show);
            Code::BadInput
        }
        LoadError::Nothing { .. } => {
            complain(&format!("error: {error}"));
            Code::NothingRan
        }
        other => {
            complain(&format!("error: {:#}", anyhow::Error::new(other)));
            Code::BadInput
        }
    })?;
    select(plans, names).map_err(|error| {
        complain(&format!("error: {error}"));
        complain(&format!("`{} --list` says which there are", typed::command("run")));
        Code::BadInput
    })
}

/// `scenarios/` here, or the workspace's where there is none here.
pub(crate) fn default_dir() -> PathBuf {
    let here = PathBuf::from("scenarios");
    if here.is_dir() {
        return here;
    }
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let workspace = package.and_then(|package| Some(package.parent()?.parent()?.join("scenarios")));
    workspace.filter(|dir| dir.is_dir()).unwrap_or(here)
}

/// With the file's lines and colours for a person, one line per problem for everything else.
fn show(error: FormatError) {
    if std::io::stderr().is_terminal() {
        complain(&format!("{:?}", miette::Report::new(error)));
    } else {
        error.lines().for_each(|line| complain(&format!("error: {line}")));
    }
}
