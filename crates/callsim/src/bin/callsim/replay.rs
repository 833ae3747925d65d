//! `callsim replay`

mod human;
mod input;
mod pages;
mod pictures;
mod redacted;
mod report;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use capture::mapping::Unmapped;
use clap::{Args, ValueEnum};

use self::{input::Input, report::Report};
use crate::{exit::Code, output, project::Project, screen};

const EXAMPLE: &str = "\
Examples:
  callsim replay webrtc_internals_dump.gz               what happened, in words, and what to do
  callsim replay webrtc_internals_dump.gz --details     all that is known of it, for developers
  callsim replay caller.txt callee.txt relay.jsonl      several files of one call, on one clock
  callsim replay call.har --mapping my-app.toml         an application with messages of its own
  callsim replay dump.gz --save-scenario scenarios/captured/last-night.toml
  callsim replay fixtures/happy-av --svg call.svg       every file of a folder, and a picture
  callsim replay dump.gz --html call.html               a page: the capture beside what was played again
  callsim replay dump.gz --redact for-the-ticket.json   a copy without addresses and names
  callsim replay dump.gz --format json                  for a machine

Accepted: webrtc-internals dumps, rtcstats dumps, HAR files with WebSocket messages or requests, relay logs (JSON Lines),
page event logs, timelines, session descriptions and what getStats gives, each plain or gzip-compressed. What a file is,
its content says, not its name.

All calls are read and judged; the first 1,000 are played again.

Exit codes: 0 all good, 1 the tool itself failed, 2 usage or unreadable input, 3 a replay diverged (with --strict also: an
error was found), 5 no call found";

/// The options of the command.
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct Arguments {
    /// Captured files; of a folder, all files in it. Those of one call are brought together
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Write the report to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Where the application puts type, SDP and candidate in its messages; asked before the built-in mappings
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Write a mapping file to begin with, for messages or a log that were not understood; it must be corrected by hand
    #[arg(long, value_name = "FILE", conflicts_with = "mapping")]
    write_mapping: Option<PathBuf>,
    /// Write the scenario that was played; of several calls, FILE-2.toml, FILE-3.toml and so on
    #[arg(long, value_name = "FILE")]
    save_scenario: Option<PathBuf>,
    /// Draw the sequence of the call as a picture; of several calls, FILE-2.svg, FILE-3.svg and so on
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write a page for a browser, the capture beside its re-execution; of several calls, FILE-2.html, FILE-3.html and so on
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write copies without addresses, credentials, fingerprints and names: to a file, or into a folder
    #[arg(long, value_name = "FILE or DIR")]
    redact: Option<PathBuf>,
    /// Exit with 3 where anything that was found is an error
    #[arg(long)]
    strict: bool,
    /// Show everything: the sequence of both sides, all findings, where the time went, and what was played again
    #[arg(long)]
    details: bool,
    /// Keep at most this much of one file in memory
    #[arg(long, value_name = "LIMIT", value_parser = memory, default_value = "256MiB")]
    memory: usize,
}

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The verdict, the sequence, the findings, the waits
    Human,
    /// One object
    Json,
}

/// Reads the files, says what they show, and plays it again where it can be.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    for target in [&arguments.out, &arguments.html] {
        output::check_target(target.as_deref())?;
    }
    let mappings = match &arguments.mapping {
        Some(mapping) => vec![mapping.clone()],
        None => Project::find()?.mappings,
    };
    let input = match Input::read(&arguments.files, &mappings, arguments.memory) {
        Ok(input) => input,
        Err(problem) => {
            output::complain_in_lines(&format!("error: {problem}"));
            return Ok(Code::BadInput);
        }
    };
    for file in &input.unreadable {
        output::complain(&format!("error: {}", file.error));
    }
    output::check_inputs_stay(written(arguments, &input), &input.read)?;
    if let Some(path) = &arguments.write_mapping {
        match draft(&input) {
            Some(text) => output::write_file(path, &text)?,
            None => {
                output::complain("no mapping was written: every message was understood, or none was found")
            }
        }
    }
    let report = Report::new(&input);
    if let Some(path) = &arguments.svg {
        pictures::write(path, &report.calls)?;
    }
    if let Some(path) = &arguments.html {
        pages::write(path, &report.calls)?;
    }
    if let Some(path) = &arguments.save_scenario {
        save_scenarios(path, &report)?;
    }
    if let Some(target) = &arguments.redact
        && let Err(problem) = redacted::write(target, &input.readable, &input.mappings, arguments.memory)?
    {
        output::complain(&format!("error: {problem}"));
        return Ok(Code::BadInput);
    }
    let width = screen::width(arguments.out.as_deref());
    let text = match arguments.format {
        Format::Human if arguments.details => human::details(&report, width),
        Format::Human => human::report(&report, width),
        Format::Json => report.to_json()?,
    };
    match (arguments.format, &arguments.out) {
        (Format::Human, out) => output::show(out.as_deref(), &text)?,
        (Format::Json, Some(path)) => output::write_file(path, &text)?,
        (Format::Json, None) => output::print(&text)?,
    }
    Ok(verdict(&report, arguments.strict))
}

/// A mapping file to begin with: for a log whose lines are in no known form, else for messages that were not understood.
fn draft(input: &Input) -> Option<String> {
    let not_read = input.unreadable.iter().map(|file| &file.path);
    // Of a log in which nothing was understood, neither may its lines be.
    let is_log = input.capture.files.iter().any(|file| file.format == capture::Format::RelayLog);
    let empty = input.readable.iter().filter(|_| is_log && input.capture.calls.is_empty());
    let logs = not_read.chain(empty).filter_map(|path| std::fs::read_to_string(path).ok());
    let of_log = logs.filter_map(|log| Unmapped::draft_of_log(&log)).next();
    let unmapped = &input.capture.unmapped;
    let text = of_log.or_else(|| unmapped.holds_signalling().then(|| unmapped.draft()))?;
    let lines = text.lines().map(|line| line.strip_prefix("  ").unwrap_or(line).to_owned() + "\n");
    Some(lines.collect())
}

/// The files that would be written, but for redacted copies: `redacted` asks for itself.
fn written(arguments: &Arguments, input: &Input) -> Vec<PathBuf> {
    let calls = input.capture.calls.len();
    let first = [&arguments.save_scenario, &arguments.svg, &arguments.html].into_iter().flatten();
    let numbered = first.flat_map(|path| (0..calls).map(move |index| pictures::numbered(path, index)));
    arguments.out.iter().chain(&arguments.write_mapping).cloned().chain(numbered).collect()
}

/// Writes the scenario of each call that was played; says of which there is none.
fn save_scenarios(path: &Path, report: &Report) -> anyhow::Result<()> {
    let played = report.calls.iter().filter_map(report::CallReport::played);
    if let Some(folder) = path.parent().filter(|_| report.calls.iter().any(|call| call.played().is_some())) {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    for (index, played) in played.enumerate() {
        output::write_file(&pictures::numbered(path, index), &played.scenario)?;
    }
    for call in report.calls.iter().filter(|call| call.played().is_none()) {
        output::complain(&format!("no scenario of {}: it was not re-executed", call.trace.id));
    }
    Ok(())
}

/// What could not be read goes before what was read.
fn verdict(report: &Report, strict: bool) -> Code {
    match report {
        Report { unreadable, .. } if !unreadable.is_empty() => Code::BadInput,
        Report { calls, .. } if calls.is_empty() => Code::NothingRan,
        _ if report.diverged() || strict && report.has_errors() => Code::CheckFailed,
        _ => Code::Good,
    }
}

/// What `--memory` does not accept.
#[derive(Debug, thiserror::Error)]
enum MemoryError {
    #[error("{0}; accepted is a size such as 64MiB or 500MB")]
    NoSize(parse_size::Error),
    #[error("at least 64KiB are needed to read anything")]
    TooSmall,
    #[error("more than this machine can address")]
    TooLarge,
}

/// `64MiB`, `500M`, `1000000`.
fn memory(text: &str) -> Result<usize, MemoryError> {
    const LEAST: u64 = 64 << 10;
    let bytes = parse_size::parse_size(text).map_err(MemoryError::NoSize)?;
    if bytes < LEAST {
        return Err(MemoryError::TooSmall);
    }
    usize::try_from(bytes).map_err(|_| MemoryError::TooLarge)
}

#[cfg(test)]
mod inert;
#[cfg(test)]
mod tests;
