//! What a gate leaves behind: its last report, and what GitHub shows.

use std::{
    env,
    fs::OpenOptions,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use gate::{Report, report};

use crate::output;

/// The report that `gate accept` reads.
pub(super) fn last_report(gate_dir: &Path) -> PathBuf {
    gate_dir.join("last-report.json")
}

/// Keeps the report for `gate accept`.
pub(super) fn keep(gate_dir: &Path, report: &Report) -> anyhow::Result<()> {
    output::write_file(&last_report(gate_dir), &(report.to_json() + "\n"))
}

/// Annotations and the summary of the step, where GitHub Actions runs this.
pub(super) fn tell_github(report: &Report) -> anyhow::Result<()> {
    if !is_github() {
        return Ok(());
    }
    // Workflow commands are read from both outputs; the report has the standard one to itself.
    let annotations = report::annotations(report);
    annotations.lines().for_each(output::complain);
    let Some(file) = env::var_os("GITHUB_STEP_SUMMARY") else { return Ok(()) };
    let written = OpenOptions::new().append(true).create(true).open(&file);
    let written = written.and_then(|mut file| file.write_all(report::step_summary(report).as_bytes()));
    written.with_context(|| format!("cannot write {}", PathBuf::from(file).display()))
}

/// An annotation for a gate that came to no report.
pub(super) fn tell_github_of_failure(message: &str) {
    if is_github() {
        output::complain(report::failure_annotation(message).trim_end());
    }
}

fn is_github() -> bool {
    env::var("GITHUB_ACTIONS").as_deref() == Ok("true")
}

/// A seed for orders and resamples; it stands in the report.
pub(super) fn fresh_seed() -> u64 {
    // Without the system's randomness, any order will do.
    getrandom::u64().unwrap_or(1) >> 11
}
