//! Programs that are waited for, and ended when Ctrl-C comes.

use std::{
    ffi::OsString,
    fs::File,
    io::{Read as _, Seek as _},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::Context as _;

use crate::interrupt;

/// How a program ended, if it did not fail.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// With this on its standard output.
    With(String),
    /// Ctrl-C came first.
    Interrupted,
}

/// How often the program is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// How much of what a failed program says is shown.
const SHOWN_LINES: usize = 40;

/// Runs a program to its end. What it says goes to files below `directory`, which a pipe that nobody empties would
/// keep from running on.
pub(super) fn run(
    program: &Path,
    arguments: impl IntoIterator<Item = OsString>,
    environment: &[(&str, &Path)],
    directory: &Path,
) -> anyhow::Result<Ended> {
    let shown = program.display();
    let (mut said, mut complained) = (tempfile::tempfile_in(directory)?, tempfile::tempfile_in(directory)?);
    let mut child = Command::new(program)
        .args(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(said.try_clone()?)
        .stderr(complained.try_clone()?)
        .spawn()
        .with_context(|| format!("cannot start {shown}"))?;
    let status = loop {
        if interrupt::CANCEL.is_cancelled() {
            // It may have ended by itself.
            let _ = child.kill();
            child.wait()?;
            return Ok(Ended::Interrupted);
        }
        if let Some(status) = child.try_wait()? {
            break status;
        }
        pause();
    };
    if status.success() {
        return Ok(Ended::With(read(&mut said)?));
    }
    // The terminal sends Ctrl-C to both: the child may be the first to act on it.
    if interrupt::CANCEL.is_cancelled() {
        return Ok(Ended::Interrupted);
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

#[expect(clippy::disallowed_methods, reason = "a process of the machine ends in real time")]
fn pause() {
    std::thread::sleep(LOOK);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> anyhow::Result<Ended> {
        let directory = tempfile::tempdir().unwrap();
        run(Path::new("sh"), ["-c".into(), script.into()], &[], directory.path())
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
