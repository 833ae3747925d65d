//! Files as input of the command: found, read, and merged into calls.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use capture::{Capture, Limits, Mapping, MappingError, Mappings, merge, read_file};
use timeline::escaped;

/// Why nothing can be read at all.
#[derive(Debug, thiserror::Error)]
pub(super) enum InputError {
    /// A folder or a mapping file.
    #[error("{}: {source}", shown(path))]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Mapping(#[from] MappingError),
}

/// What the files hold.
pub(super) struct Input {
    /// The calls, and what became of each file that could be read.
    pub(super) capture: Capture,
    /// The application's own mappings.
    pub(super) mappings: Vec<Mapping>,
    /// All files that were asked for, those of mappings among them.
    pub(super) read: Vec<PathBuf>,
    /// The files that could be read.
    pub(super) readable: Vec<PathBuf>,
    /// The others.
    pub(super) unreadable: Vec<Unreadable>,
}

/// A file that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) path: PathBuf,
    /// Its path as it may be shown.
    pub(super) file: String,
    /// Why, with the file's name and the place.
    pub(super) error: String,
}

impl InputError {
    fn unreadable(path: &Path, source: std::io::Error) -> Self {
        Self::Unreadable { path: path.to_owned(), source }
    }
}

impl Input {
    /// Reads all that `paths` mean.
    ///
    /// # Errors
    /// A folder or a mapping file that cannot be read. A capture that cannot be read is no error
    /// here: the others may still say something.
    pub(super) fn read(paths: &[PathBuf], own: &[PathBuf], memory: usize) -> Result<Self, InputError> {
        let captures = files(paths)?;
        let read = captures.iter().chain(own).cloned().collect();
        let own = own.iter().map(|path| mapping(path)).collect::<Result<Vec<_>, _>>()?;
        let mappings = Mappings::with(own.iter().cloned());
        let limits = Limits { memory_bytes: memory, ..Limits::default() };
        let (mut recordings, mut readable, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
        for path in captures {
            match read_file(&path, &mappings, &limits) {
                Ok(recording) => {
                    recordings.push(recording);
                    readable.push(path);
                }
                Err(error) => {
                    let (file, error) = (shown(&path), error.to_string());
                    unreadable.push(Unreadable { path, file, error });
                }
            }
        }
        Ok(Self { capture: merge(recordings), mappings: own, read, readable, unreadable })
    }
}

fn mapping(path: &Path) -> Result<Mapping, InputError> {
    let text = fs::read_to_string(path).map_err(|source| InputError::unreadable(path, source))?;
    Ok(Mapping::from_toml(&shown(path), &text)?)
}

/// The files that `paths` mean, each once, in the order in which they are named; those of a folder by name.
/// Beside others, texts about captures (`README.md`) are passed over: `fixtures/**` means the captures.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, InputError> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            walk(path, &mut found)?;
        } else if paths.len() == 1 || !is_text_for_people(path) {
            found.push(path.clone());
        }
    }
    let mut seen = BTreeSet::new();
    found.retain(|path| seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.clone())));
    Ok(found)
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), InputError> {
    let mut entries = fs::read_dir(folder)
        .and_then(|entries| {
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()
        })
        .map_err(|source| InputError::unreadable(folder, source))?;
    entries.sort();
    for path in entries {
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        // A link may lead back up.
        if path.is_dir() && !path.is_symlink() {
            walk(&path, found)?;
        } else if path.is_file() && !is_hidden && !is_text_for_people(&path) {
            found.push(path);
        }
    }
    Ok(())
}

/// A path as it may be shown.
fn shown(path: &Path) -> String {
    escaped(&path.display().to_string()).into_owned()
}

fn is_text_for_people(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "md")
}
