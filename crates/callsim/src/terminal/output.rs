//! Writing: to a terminal, to a pipe that may close, to a file that is whole or not there.
//!
//! Names, reasons and paths of others are in nearly all that is written. Nothing leaves here with a character in it that
//! steers a terminal ([`timeline::escaped_lines`]), and a complaint is one line, whatever it quotes.

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use anyhow::Context;
use timeline::{escaped, escaped_lines};

use super::exit::Code;

/// Input that cannot be used, in words: [`end`] answers it with [`Code::BadInput`].
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadInput(pub String);

/// What a program ends with: the code that its command came to, or its complaint.
pub fn end(result: anyhow::Result<Code>) -> ExitCode {
    match result {
        Ok(code) => code.into(),
        Err(error) => {
            complain(&format!("error: {}", in_one_line(&error)));
            if error.is::<BadInput>() { Code::BadInput.into() } else { Code::ToolFailed.into() }
        }
    }
}

/// Writes to standard output. A reader that has gone (`| head`) is no error.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(escaped_lines(text).as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}

/// Writes a line to standard error, if anybody listens.
pub fn complain(line: &str) {
    complain_in_lines(&escaped(line));
}

/// Writes a complaint that has lines of its own.
pub fn complain_in_lines(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", escaped_lines(text));
}

/// Writes a complaint with colours, for a terminal. Whatever it quotes has to be escaped already.
pub fn complain_in_colours(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// An error and its causes, each said once: some name theirs in their own words already.
pub fn in_one_line(error: &anyhow::Error) -> String {
    error.chain().skip(1).fold(error.to_string(), |said, cause| {
        let cause = cause.to_string();
        if said.contains(&cause) { said } else { format!("{said}: {cause}") }
    })
}

/// Whether `path` could be written, before the work for it is done.
///
/// # Errors
/// [`BadInput`] where its folder is not there.
pub fn check_target(path: Option<&Path>) -> Result<(), BadInput> {
    let Some(path) = path else { return Ok(()) };
    let folder = folder_of(path);
    match folder.is_dir() {
        true => Ok(()),
        false => {
            Err(BadInput(format!("cannot write {}: there is no folder {}", path.display(), folder.display())))
        }
    }
}

/// Writes a file as a whole: a reader sees the old one, or the new one, never a part.
///
/// # Errors
/// [`BadInput`] where its folder is not there; the system's words where it cannot be written.
pub fn write_file(path: &Path, text: &str) -> anyhow::Result<()> {
    check_target(Some(path))?;
    let write = || -> io::Result<()> {
        let mut file = new_file(folder_of(path))?;
        file.write_all(escaped_lines(text).as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|error| anyhow::anyhow!("cannot write {}: {}", path.display(), cause_of(&error)))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The system's words, without the name of the temporary file.
fn cause_of(error: &io::Error) -> String {
    let cause = error.get_ref().and_then(|named| named.source());
    cause.map_or_else(|| error.to_string(), ToString::to_string)
}

/// A new file with the rights that any new file gets.
fn new_file(directory: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.prefix(".callsim-").tempfile_in(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_was_named_is_not_said_again() {
        let cause = || io::Error::other("no such file");
        assert_eq!(
            in_one_line(&anyhow::Error::new(cause()).context("cannot read x")),
            "cannot read x: no such file"
        );
        let named = anyhow::Error::new(cause()).context("cannot read x: no such file").context("the gate");
        assert_eq!(in_one_line(&named), "the gate: cannot read x: no such file");
    }

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("report.json");
        write_file(&path, "old").unwrap();
        write_file(&path, "new").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_error_names_what_the_user_named() {
        let directory = tempfile::tempdir().unwrap();
        let (folder, path) = (directory.path().join("missing"), directory.path().join("missing/report.json"));
        let error = write_file(&path, "text").unwrap_err();
        assert!(error.is::<BadInput>());
        let expected = format!("cannot write {}: there is no folder {}", path.display(), folder.display());
        assert_eq!(error.to_string(), expected);
        let error = write_file(directory.path(), "text").unwrap_err().to_string();
        assert!(error.starts_with("cannot write") && !error.contains(".callsim-"), "{error}");
    }
}
