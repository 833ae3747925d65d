//! Writing: to a terminal, to a pipe that may close, to a file that is whole or not there.

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use anyhow::Context;

use super::exit::Code;

/// What a program ends with: the code that its command came to, or its complaint.
pub fn end(result: anyhow::Result<Code>) -> ExitCode {
    match result {
        Ok(code) => code.into(),
        Err(error) => {
            complain(&format!("error: {}", in_one_line(&error)));
            Code::ToolFailed.into()
        }
    }
}

/// Writes to standard output. A reader that has gone (`| head`) is no error.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}

/// Writes a line to standard error, if anybody listens.
pub fn complain(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// An error and its causes, each said once: some name theirs in their own words already.
pub fn in_one_line(error: &anyhow::Error) -> String {
    error.chain().skip(1).fold(error.to_string(), |said, cause| {
        let cause = cause.to_string();
        if said.contains(&cause) { said } else { format!("{said}: {cause}") }
    })
}

/// Writes a file as a whole: whoever looks sees the old one, or the new one, never a part.
pub fn write_file(path: &Path, text: &str) -> anyhow::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> io::Result<()> {
        let mut file = new_file(directory)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
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
        let nowhere = directory.path().join("missing/report.json");
        let error = write_file(&nowhere, "text").unwrap_err();
        assert!(format!("{error:#}").contains("cannot write"), "{error:#}");
    }
}
