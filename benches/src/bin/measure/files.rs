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

use super::{MeasureError, Result};

/// Reads results and writes what was asked for.
pub(super) fn pages(file: &Path, html: Option<&Path>, markdown: Option<&Path>) -> Result<String> {
    let text = fs::read_to_string(file).map_err(failed(file))?;
    let results: Results = serde_json::from_str(&text)
        .map_err(|error| MeasureError::NotResults { file: file.to_owned(), error })?;
    if results.schema != SCHEMA {
        return Err(MeasureError::OtherSchema { file: file.to_owned(), found: results.schema });
    }
    for (file, text) in [(html, page::html(&results)), (markdown, page::markdown(&results))] {
        if let Some(file) = file {
            fs::write(file, text).map_err(failed(file))?;
        }
    }
    Ok(page::text(&results))
}

fn failed(file: &Path) -> impl FnOnce(io::Error) -> MeasureError {
    move |error| MeasureError::File { file: file.to_owned(), error }
}

/// A reader who has gone has read enough.
pub(super) fn print(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

pub(super) fn complain(error: &MeasureError) -> ExitCode {
    // Nobody is left to be told.
    let _ = writeln!(io::stderr(), "error: {error}");
    ExitCode::FAILURE
}
