//! A folder of somebody's own, and the program in it.

use std::{fs, path::PathBuf, process::Command};

use tempfile::TempDir;

/// A scenario that holds.
pub(crate) const GOOD: &str = callsim::EXAMPLE;

/// A folder with files.
pub(crate) struct Place(TempDir);

/// What a command came to.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        // The search for a project ends at the root of a repository.
        fs::create_dir(place.path(".git")).unwrap();
        for (name, text) in files {
            fs::create_dir_all(place.path(name).parent().unwrap()).unwrap();
            fs::write(place.path(name), text).unwrap();
        }
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn command(&self, folder: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_callsim"));
        command.current_dir(self.path(folder)).args(arguments).env_remove("CALLSIM_CALLED_AS");
        command
    }

    pub(crate) fn run_in(&self, folder: &str, arguments: &[&str]) -> Said {
        said(&mut self.command(folder, arguments))
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        self.run_in("", arguments)
    }
}

pub(crate) fn said(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

#[track_caller]
pub(crate) fn check(said: &Said, code: i32, says: &[&str]) {
    let all = format!("{}{}", said.out, said.err);
    assert_eq!(said.code, Some(code), "{all}");
    for words in says {
        assert!(all.contains(words), "`{words}` is not in:\n{all}");
    }
}
