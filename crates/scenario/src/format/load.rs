//! Scenario files in a directory.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use timeline::escaped;

use super::FormatError;
use crate::{plan::Plan, profile::Profiles};

/// The longest scenario file that is read, in bytes.
pub(crate) const MAX_FILE_BYTES: u64 = 16 << 20;

/// The most commas that a scenario file may have: each value of a list costs some hundred bytes while it is read.
pub(crate) const MAX_COMMAS: usize = 500_000;

/// Why scenarios could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// A file or directory cannot be read.
    #[error("cannot read {}", shown(path))]
    Io {
        /// Which one.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// What is called `*.toml` is a pipe, a device or a socket: to read it could take for ever.
    #[error("{} is not a file", shown(path))]
    NotAFile {
        /// Which one.
        path: PathBuf,
    },
    /// More than any scenario says.
    #[error("{} has {found} {what}, and at most {most} are read", shown(path))]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// What is counted.
        what: &'static str,
        /// How many there are.
        found: u64,
        /// How many there may be.
        most: u64,
    },
    /// A link leads back to a directory that it is in.
    #[error("{} leads back to a folder that it is in", shown(path))]
    Loop {
        /// The link.
        path: PathBuf,
    },
    /// Something is wrong with files; with which ones and what is in each entry.
    #[error("{} of the scenario files cannot be used", .0.len())]
    Format(Vec<FormatError>),
    /// There is no scenario under the directory.
    #[error("no scenario (*.toml) under {}", shown(root))]
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
/// An unreadable directory; a link that leads back up; a directory without scenarios.
pub fn files(root: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let mut files = Vec::new();
    collect(root, &mut Vec::new(), &mut files)?;
    if files.is_empty() {
        return Err(LoadError::Nothing { root: root.to_owned() });
    }
    Ok(files)
}

/// Loads one file, whose name is its path under `root` without `.toml`, and which may name these networks.
///
/// # Errors
/// An unreadable file, one that is larger than any scenario, or all that is wrong with it.
pub fn load_file(root: &Path, file: &Path, profiles: &Profiles) -> Result<Plan, LoadError> {
    let text = text_of(file)?;
    let name = name_of(root, file);
    Plan::read(&name, Some(file.to_owned()), &text, profiles).map_err(|error| LoadError::Format(vec![error]))
}

fn text_of(file: &Path) -> Result<String, LoadError> {
    let failed = |source| LoadError::Io { path: file.to_owned(), source };
    let too_large = |what, found, most| LoadError::TooLarge { path: file.to_owned(), what, found, most };
    // Asked before it is opened: to open a pipe waits for somebody who writes.
    let about = fs::metadata(file).map_err(failed)?;
    if !about.is_file() && !about.is_dir() {
        return Err(LoadError::NotAFile { path: file.to_owned() });
    }
    if about.len() > MAX_FILE_BYTES {
        return Err(too_large("bytes", about.len(), MAX_FILE_BYTES));
    }
    let mut text = String::new();
    File::open(file).and_then(|file| file.take(MAX_FILE_BYTES).read_to_string(&mut text)).map_err(failed)?;
    let commas = text.bytes().filter(|byte| *byte == b',').count();
    if commas > MAX_COMMAS {
        return Err(too_large("commas", commas as u64, MAX_COMMAS as u64));
    }
    Ok(text)
}

/// The name of the scenario in `file`: its path under `root` without `.toml`.
pub fn name_of(root: &Path, file: &Path) -> String {
    let relative = file.strip_prefix(root).unwrap_or(file).with_extension("");
    let parts = relative.components().map(|part| part.as_os_str().to_string_lossy());
    escaped(&parts.collect::<Vec<_>>().join("/")).into_owned()
}

fn shown(path: &Path) -> String {
    escaped(&path.display().to_string()).into_owned()
}

/// `above` are the directories on the way down to this one, as the system calls them.
fn collect(directory: &Path, above: &mut Vec<PathBuf>, files: &mut Vec<PathBuf>) -> Result<(), LoadError> {
    let failed = |source| LoadError::Io { path: directory.to_owned(), source };
    let entries = std::fs::read_dir(directory).map_err(failed)?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    paths.sort();
    let own = fs::canonicalize(directory).map_err(failed)?;
    if above.contains(&own) {
        return Err(LoadError::Loop { path: directory.to_owned() });
    }
    above.push(own);
    for path in paths {
        if path.is_dir() {
            collect(&path, above, files)?;
        } else if path.extension().is_some_and(|extension| extension == "toml")
            && !path.ends_with("callsim.toml")
        {
            files.push(path);
        }
    }
    above.pop();
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::{fs::symlink, net::UnixListener};

    use super::*;

    #[test]
    fn a_link_that_leads_back_up_is_refused_and_another_is_followed() {
        let (root, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(elsewhere.path().join("one.toml"), "").unwrap();
        symlink(elsewhere.path(), root.path().join("shared")).unwrap();
        symlink(elsewhere.path(), root.path().join("shared-again")).unwrap();
        assert_eq!(files(root.path()).unwrap().len(), 2);
        symlink(root.path(), elsewhere.path().join("up")).unwrap();
        assert!(matches!(files(root.path()), Err(LoadError::Loop { .. })));
    }

    #[test]
    fn what_is_no_file_and_what_is_too_much_is_refused_before_it_is_read() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("socket.toml");
        let _socket = UnixListener::bind(&path).unwrap();
        assert!(matches!(
            load_file(root.path(), &path, &Profiles::default()),
            Err(LoadError::NotAFile { .. })
        ));
        let list = root.path().join("list.toml");
        std::fs::write(&list, format!("x = [{}]", "1,".repeat(MAX_COMMAS + 1))).unwrap();
        assert!(matches!(
            load_file(root.path(), &list, &Profiles::default()),
            Err(LoadError::TooLarge { what: "commas", .. })
        ));
        let long = root.path().join("long.toml");
        std::fs::File::create(&long).unwrap().set_len(MAX_FILE_BYTES + 1).unwrap();
        assert!(matches!(
            load_file(root.path(), &long, &Profiles::default()),
            Err(LoadError::TooLarge { what: "bytes", .. })
        ));
    }

    #[test]
    fn names_and_complaints_steer_no_terminal() {
        let file = Path::new("dir/a\u{1b}[31m\nb.toml");
        assert_eq!(name_of(Path::new("dir"), file), "a\\u001b[31m\\nb");
        let error = load_file(Path::new("dir"), file, &Profiles::default()).unwrap_err().to_string();
        assert_eq!(error, "cannot read dir/a\\u001b[31m\\nb.toml");
    }

    #[test]
    fn too_many_peers_are_refused() {
        let peers: String = (0..1_001).map(|peer| format!("[peers.p{peer}]\n")).collect();
        let error = Plan::from_toml("many", &format!("version = 1\nsummary = \"x\"\n{peers}")).unwrap_err();
        assert!(error.lines().any(|line| line.contains("1001 peers is out of range")), "{error:?}");
    }
}
