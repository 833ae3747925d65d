//! Scenario files in a directory.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::FormatError;
use crate::{plan::Plan, profile::Profiles};

/// Why scenarios could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A file or directory cannot be read.
    #[error("cannot read {}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// Something is wrong with files; with which ones and what is in each entry.
    #[error("{} of the scenario files cannot be used", .0.len())]
    Format(Vec<FormatError>),
    /// There is no scenario under the directory.
    #[error("no scenario (*.toml) under {}", root.display())]
    Nothing {
        /// The directory.
        root: PathBuf,
    },
}

/// Loads every scenario under `root`, ordered by name. Their networks are callsim's.
///
/// # Errors
/// All files that cannot be used, together; an unreadable directory; a directory without scenarios.
pub fn load_dir(root: &Path) -> Result<Vec<Plan>, LoadError> {
    let mut plans = Vec::new();
    let mut bad = Vec::new();
    for file in files(root)? {
        match load_file(root, &file, &Profiles::default()) {
            Ok(plan) => plans.push(plan),
            Err(LoadError::Format(errors)) => bad.extend(errors),
            Err(other) => return Err(other),
        }
    }
    if !bad.is_empty() {
        return Err(LoadError::Format(bad));
    }
    plans.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(plans)
}

/// The scenario files under `root`: every `*.toml` but `callsim.toml`, which is about a project.
///
/// # Errors
/// An unreadable directory; a directory without scenarios.
pub fn files(root: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let mut files = Vec::new();
    collect(root, &mut files)?;
    if files.is_empty() {
        return Err(LoadError::Nothing { root: root.to_owned() });
    }
    Ok(files)
}

/// Loads one file, whose name is its path under `root` without `.toml`, and which may name these networks.
///
/// # Errors
/// An unreadable file, or all that is wrong with it.
pub fn load_file(root: &Path, file: &Path, profiles: &Profiles) -> Result<Plan, LoadError> {
    let text =
        std::fs::read_to_string(file).map_err(|source| LoadError::Io { path: file.to_owned(), source })?;
    let name = name_of(root, file);
    Plan::read(&name, Some(file.to_owned()), &text, profiles).map_err(|error| LoadError::Format(vec![error]))
}

/// The name of the scenario in `file`: its path under `root` without `.toml`.
pub fn name_of(root: &Path, file: &Path) -> String {
    let relative = file.strip_prefix(root).unwrap_or(file).with_extension("");
    let parts = relative.components().map(|part| part.as_os_str().to_string_lossy());
    parts.collect::<Vec<_>>().join("/")
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> Result<(), LoadError> {
    let failed = |source| LoadError::Io { path: directory.to_owned(), source };
    let entries = std::fs::read_dir(directory).map_err(failed)?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "toml")
            && !path.ends_with("callsim.toml")
        {
            files.push(path);
        }
    }
    Ok(())
}
