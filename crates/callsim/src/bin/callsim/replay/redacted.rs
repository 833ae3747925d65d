//! `--redact`: copies that can be handed on.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::Context;
use capture::{
    Limits, Mapping,
    redact::{RedactError, Redactor},
};

use crate::output;

/// What is wrong with the files or the target.
#[derive(Debug, thiserror::Error)]
pub(super) enum RedactionError {
    /// A file that cannot be redacted.
    #[error(transparent)]
    Redact(#[from] RedactError),
    #[error("{}: the redacted copy would replace the file itself", copy.display())]
    ReplacesItself { copy: PathBuf },
    #[error("{} and {} would both be redacted to {}: redact them one by one", files[0].display(), files[1].display(), copy.display())]
    SameName { files: [PathBuf; 2], copy: PathBuf },
}

/// Writes a redacted copy of each of `files`: of one file to `target`, of several (or where `target` is a folder)
/// into it, under their own names. What stands for an address or a name is the same in all of them. Where the inner
/// result is an error nothing was written.
/// The words of `mappings` stay.
pub(super) fn write(
    target: &Path,
    files: &[PathBuf],
    mappings: &[Mapping],
    memory: usize,
) -> anyhow::Result<Result<(), RedactionError>> {
    let copies = match targets(target, files) {
        Ok(copies) => copies,
        Err(problem) => return Ok(Err(problem)),
    };
    let limits = Limits { memory_bytes: memory, ..Limits::default() };
    let mut redactor = Redactor::new();
    mappings.iter().for_each(|mapping| redactor.keep_words_of(mapping));
    let mut done = Vec::new();
    for (copy, file) in &copies {
        let name = file.display().to_string();
        let bytes = File::open(file).with_context(|| format!("cannot read {name}"))?;
        match redactor.redact(&name, bytes, &limits) {
            Ok(bytes) => done.push((copy, String::from_utf8_lossy(&bytes).into_owned())),
            Err(error) => return Ok(Err(error.into())),
        }
    }
    for (copy, text) in done {
        if let Some(folder) = copy.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        output::write_file(copy, &text)?;
    }
    Ok(Ok(()))
}

/// Which copy is made of which file.
fn targets<'f>(
    target: &Path,
    files: &'f [PathBuf],
) -> Result<BTreeMap<PathBuf, &'f PathBuf>, RedactionError> {
    let is_folder = files.len() > 1 || target.is_dir() || target.to_string_lossy().ends_with('/');
    let mut copies = BTreeMap::new();
    for file in files {
        let copy = match file.file_name() {
            Some(name) if is_folder => target.join(name),
            _ => target.to_owned(),
        };
        if output::check_inputs_stay([&copy], files).is_err() {
            return Err(RedactionError::ReplacesItself { copy });
        }
        if let Some(other) = copies.insert(copy.clone(), file) {
            return Err(RedactionError::SameName { files: [other.clone(), file.clone()], copy });
        }
    }
    Ok(copies)
}
