//! Runs the program, and programs in it.

use std::{
    path::PathBuf,
    process::{Command, Output},
};

use serde_json::Value;

/// A scenario file in a folder of its own.
pub(crate) struct Lab {
    folder: tempfile::TempDir,
}

/// What came of a lab.
pub(crate) struct Done {
    pub(crate) report: Value,
    pub(crate) code: Option<i32>,
    folder: tempfile::TempDir,
}

impl Lab {
    /// `None` where there can be no lab; the test then says so.
    pub(crate) fn of(scenario: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let lab = Self { folder };
        std::fs::write(lab.file(), format!("version = 1\nsummary = \"A lab.\"\n{scenario}")).unwrap();
        let output = lab.command().args(["--for", "5s", "--", "true"]).output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        if complaint.contains("a lab needs") || complaint.contains("without the lab") {
            eprintln!("SKIPPED, no lab here: {}", complaint.trim());
            return None;
        }
        assert!(output.status.success(), "{complaint}");
        Some(lab)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("call.toml")
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_callsim"));
        command.arg("lab").arg(self.file());
        command
    }

    /// Runs these roles, each on its host; what each prints is `Done::said`.
    pub(crate) fn play(self, roles: &[(&str, &str)]) -> Done {
        let mut command = self.command();
        command.args(["--for", "60s", "--format", "json"]);
        for (place, (host, role)) in roles.iter().enumerate() {
            let out = self.folder.path().join(format!("said-{place}"));
            command.args(["--exec", host, &format!("{} > {}", line(role), out.display())]);
        }
        self.done(command)
    }

    pub(crate) fn done(self, mut command: Command) -> Done {
        let Output { status, stdout, stderr } = command.output().unwrap();
        let stdout = String::from_utf8(stdout).unwrap();
        let report = serde_json::from_str(&stdout);
        let report = report.unwrap_or_else(|error| {
            panic!("{error}: {stdout:?}\n{}", String::from_utf8_lossy(&stderr));
        });
        Done { report, code: status.code(), folder: self.folder }
    }
}

impl Done {
    /// The numbers that the role at this place printed.
    #[track_caller]
    pub(crate) fn said(&self, place: usize) -> Vec<f64> {
        let text = std::fs::read_to_string(self.folder.path().join(format!("said-{place}"))).unwrap();
        let said =
            text.lines().find_map(|line| line.strip_prefix("SAID ")).unwrap_or_else(|| panic!("{text}"));
        said.split_whitespace().map(|word| word.parse().unwrap()).collect()
    }

    pub(crate) fn verdict(&self, words: &str) -> u64 {
        self.report["packets"][words].as_u64().unwrap_or(0)
    }

    /// Whether times can be judged: elsewhere the machine is too busy, and the report says so.
    pub(crate) fn is_quiet(&self) -> bool {
        let quiet = !self.report["accuracy"]["disturbed"].as_bool().unwrap();
        if !quiet {
            eprintln!("times not judged, the machine was disturbed: {}", self.report["accuracy"]);
        }
        quiet
    }
}

/// The line of the shell that plays a role.
pub(crate) fn line(role: &str) -> String {
    let own = std::env::current_exe().unwrap();
    format!("LAB_ROLE='{role}' {} --exact roles::play --nocapture --test-threads=1", own.display())
}
