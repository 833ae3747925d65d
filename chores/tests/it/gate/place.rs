//! A repository with a baseline and a worker.

use std::{
    env, fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::said::{Said, said};

/// A worker that is a shell script: for each metric, what it says its value is.
pub(crate) struct Fake(Vec<(&'static str, &'static str, String)>);

impl Fake {
    /// Of `tier`, each with the JSON of a value; `$$` in it is another number in each process.
    pub(crate) fn of(tier: &'static str, metrics: &[(&'static str, &str)]) -> Self {
        Self(metrics.iter().map(|(id, value)| (*id, tier, (*value).to_owned())).collect())
    }

    pub(crate) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    fn script(&self) -> String {
        let listed: Vec<String> = self.0.iter().map(|(id, tier, _)| declared(id, tier)).collect();
        let answers: Vec<String> = self.0.iter().map(|(id, _, value)| answer(id, value)).collect();
        format!(
            "#!/bin/sh\n\
             echo '{{\"greeting\":{{\"protocol\":1,\"program\":\"fake 1\",\"fingerprint\":{{\"ticks\":\"1\"}}}}}}'\n\
             while read -r line; do case \"$line\" in\n\
             '\"list\"') echo '{{\"metrics\":[{}]}}' ;;\n{}\nesac; done\n",
            listed.join(","),
            answers.join("\n")
        )
    }
}

fn declared(id: &str, tier: &str) -> String {
    let unit = match tier {
        "wall" => "ns",
        "instructions" => "instructions",
        _ => "us",
    };
    format!(r#"{{"id":"{id}","tier":"{tier}","unit":"{unit}","better":"lower"}}"#)
}

/// A value that begins with a letter is a command of the shell; a number is 5 % more where a slowdown is asked for.
fn answer(id: &str, value: &str) -> String {
    if value.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return format!("*'\"{id}\"'*) {value} ;;");
    }
    let said = |value: &str| {
        format!(r#"echo "{{\"measured\":{{\"id\":\"{id}\",\"value\":{{\"single\":{value}}}}}}}""#)
    };
    let slowed = value.parse::<u64>().map_or(value.to_owned(), |number| (number / 100 * 105).to_string());
    format!("*'\"{id}\"'*slowdown*) {} ;;\n*'\"{id}\"'*) {} ;;", said(&slowed), said(value))
}

/// A repository.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.git(&["init", "--quiet", "--initial-branch", "main"]);
        place.write("README", "a project");
        place.commit("first");
        place
    }

    /// With a worker whose numbers are expected, and a commit of that.
    pub(crate) fn expecting(fake: &Fake) -> Self {
        let place = Self::new();
        place.worker("worker", fake);
        place.gate(&["--tier", "virtual"]);
        let said = place.accept(&["*"], "first measured");
        assert_eq!(said.code, Some(0), "{}", said.err);
        place.commit("baseline");
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn worker(&self, name: &str, fake: &Fake) {
        self.program(name, &fake.script());
    }

    pub(crate) fn program(&self, name: &str, text: &str) {
        self.write(name, text);
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A search path with `programs` of this machine, and what was put into `bin` here.
    pub(crate) fn search_path(&self, programs: &[&str]) -> PathBuf {
        let bin = self.path("bin");
        fs::create_dir_all(&bin).unwrap();
        for program in programs.iter().filter(|program| !bin.join(program).exists()) {
            let path = env::var_os("PATH").unwrap();
            let found = env::split_paths(&path).map(|dir| dir.join(program)).find(|path| path.is_file());
            symlink(found.unwrap(), bin.join(program)).unwrap();
        }
        bin
    }

    pub(crate) fn git(&self, arguments: &[&str]) {
        let mut git = Command::new("git");
        git.current_dir(self.root()).args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@t",
            "-c",
            "commit.gpgsign=false",
        ]);
        let said = git.args(arguments).output().unwrap();
        assert!(said.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&said.stderr));
    }

    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "--all", "--", ".", ":!target"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }

    /// The command line of this project in this repository.
    pub(crate) fn xtask(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chores"));
        command.current_dir(self.root()).arg("gate").args(arguments).stdin(Stdio::null());
        // What is said is looked for in one line.
        command.env("COLUMNS", "300");
        for name in [
            "GITHUB_ACTIONS",
            "GITHUB_STEP_SUMMARY",
            "GITHUB_BASE_REF",
            "CARGO_TARGET_DIR",
            "RUSTC_WORKSPACE_WRAPPER",
        ] {
            command.env_remove(name);
        }
        command
    }

    /// The gate with the worker of this place.
    pub(crate) fn gate(&self, arguments: &[&str]) -> Said {
        said(self.xtask(arguments).args(["--worker", "./worker"]).output().unwrap())
    }

    pub(crate) fn accept(&self, ids: &[&str], reason: &str) -> Said {
        said(self.xtask(&["accept", "--reason", reason]).args(ids).output().unwrap())
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        said(self.xtask(arguments).output().unwrap())
    }
}
