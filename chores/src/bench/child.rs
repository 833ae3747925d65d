//! Programs that are waited for, and ended when Ctrl-C comes.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::Context as _;

use crate::{interrupt, process::Process};

/// How a program ended, if it did not fail.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// With this on its standard output.
    With(String),
    /// Ctrl-C came first.
    Interrupted,
}

/// How much of what a failed program says is shown.
const SHOWN_LINES: usize = 40;

/// Runs a program to its end; Ctrl-C ends it and its children. What it says goes to files below `directory`, which a
/// pipe that nobody empties would keep from running on.
pub(super) fn run(mut command: Command, directory: &Path) -> anyhow::Result<Ended> {
    let shown = Path::new(command.get_program()).display().to_string();
    let (mut said, mut complained) = (tempfile::tempfile_in(directory)?, tempfile::tempfile_in(directory)?);
    command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(complained.try_clone()?);
    let process = match Process::start(&mut command) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(Ended::Interrupted),
        started => started.with_context(|| format!("cannot start {shown}"))?,
    };
    let status = process.wait()?;
    // Whatever it came to, it may have come to it because it was ended.
    if interrupt::CANCEL.is_cancelled() {
        return Ok(Ended::Interrupted);
    }
    if status.success() {
        return Ok(Ended::With(read(&mut said)?));
    }
    let complaint = read(&mut complained)? + &read(&mut said)?;
    let lines: Vec<&str> = complaint.lines().collect();
    let last = lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n");
    anyhow::bail!("{shown}: {status}\n{last}")
}

fn read(file: &mut File) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> anyhow::Result<Ended> {
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        run(command, directory.path())
    }

    #[test]
    fn what_a_program_says_is_kept_however_much_it_is() {
        let Ended::With(said) =
            shell("i=0; while [ $i -lt 9000 ]; do echo 0123456789; i=$((i+1)); done").unwrap()
        else {
            panic!("interrupted")
        };
        assert_eq!(said.len(), 99_000);
    }

    #[test]
    fn a_failure_says_what_the_program_said() {
        let error = shell("echo the reason >&2; exit 7").unwrap_err().to_string();
        assert!(error.contains("the reason") && error.contains('7'), "{error}");
    }
}
