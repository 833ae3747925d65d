//! Files and streams.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
};

use benches::{
    page,
    results::{Results, SCHEMA},
};

use super::Result;

/// Reads results and writes what was asked for.
pub(super) fn pages(results: &Path, html: Option<&Path>, markdown: Option<&Path>) -> Result<String> {
    let shown = results.display();
    let text = fs::read_to_string(results).map_err(|error| format!("{shown}: {error}"))?;
    let results: Results = serde_json::from_str(&text).map_err(|error| format!("{shown}: {error}"))?;
    if results.schema != SCHEMA {
        let found = results.schema;
        return Err(format!(
            "{shown}: results of schema {found}; this is {SCHEMA}: run `cargo xtask bench` again"
        ));
    }
    for (file, text) in [(html, page::html(&results)), (markdown, page::markdown(&results))] {
        if let Some(file) = file {
            fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))?;
        }
    }
    Ok(page::text(&results))
}

/// A reader who has gone has read enough.
pub(super) fn print(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

pub(super) fn complain(message: &str) -> ExitCode {
    // Nobody is left to be told.
    let _ = writeln!(io::stderr(), "error: {message}");
    ExitCode::FAILURE
}
