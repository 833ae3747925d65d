//! `cargo xtask bench`

mod build;
mod child;
mod groups;
mod machine;
mod steps;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use self::{
    build::Programs,
    child::Ended,
    groups::Groups,
    steps::{Step, Steps},
};
use crate::{exit::Code, interrupt, output, progress::Stages, scenarios::now};

/// The options of the command.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Which groups of benches [default: all]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Fewer seeds, shorter measurements: two minutes on two cores
    #[arg(long)]
    quick: bool,
    /// Leave criterion out: figures and our own page, no plots of single benches
    #[arg(long)]
    no_criterion: bool,
    /// Write docs/latency.md as well
    #[arg(long)]
    docs: bool,
    /// The directory for the page, the results and criterion's reports; what is in it goes [default: target/bench]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Tables
    Human,
    /// One object
    Json,
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask bench --quick                  everything, in two minutes after the build
  cargo xtask bench call idle media          what calls cost
  cargo xtask bench calls-in-one-world floor --no-criterion
  cargo xtask bench negotiation --docs       set-ups in virtual time, and docs/latency.md

Groups: negotiation (virtual time), call, media, idle, calls-in-one-world, floor, worlds (calls a second),
parts (wire, digest, sdp, candidate, capture)

Exit codes: 0 all good, 1 a bench could not be run, 2 usage or no such group, 130 stopped by Ctrl-C (nothing written)";

/// The file of the documentation that the command writes.
const DOCS: &str = "docs/latency.md";

/// Runs the benches that were asked for.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    let groups = match Groups::of(&arguments.names) {
        Ok(groups) => groups,
        Err(message) => {
            output::complain(&message);
            return Ok(Code::BadInput);
        }
    };
    determinism::supported()?;
    interrupt::listen()?;
    let started = now();
    let root = build::root()?;
    let out = arguments.out.clone().unwrap_or_else(|| build::target(&root).join("bench"));
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
    // Dropped, it is gone: what was not finished leaves nothing.
    let partial = tempfile::Builder::new().prefix(".bench-").tempdir_in(parent)?;
    let Some(results) = measure(arguments, &groups, partial.path(), started)? else {
        output::complain("stopped: nothing was written");
        return Ok(Code::Interrupted);
    };
    let docs = arguments.docs.then(|| partial.path().join("latency.md"));
    let text = pages(partial.path(), &results.1, docs.as_deref())?;
    if let Some(docs) = &docs {
        output::write_file(&root.join(DOCS), &fs::read_to_string(docs)?)?;
        fs::remove_file(docs)?;
    }
    put_in_place(partial.keep(), &out)?;
    report(arguments.format, &results.0, &text, &out)?;
    Ok(Code::Good)
}

/// Builds, then measures step by step into `directory`; `None` if Ctrl-C came first.
fn measure(
    arguments: &Arguments,
    groups: &Groups,
    directory: &Path,
    started: Instant,
) -> anyhow::Result<Option<(Value, Programs)>> {
    let stages = Stages::new("building the benches (release)");
    let with_criterion = !arguments.no_criterion;
    let Some(programs) = build::programs(directory, with_criterion)? else { return Ok(None) };
    let Some(ids) = steps::ids(&programs, directory)? else { return Ok(None) };
    let steps = Steps::of(groups, &ids, arguments.quick, with_criterion);
    let mut results = json!({
        "schema": 1, "command": "bench", "quick": arguments.quick, "machine": machine::in_words(arguments.quick),
        "latency": [], "costs": [], "worlds": [],
    });
    stages.begin(steps.0.len());
    for step in &steps.0 {
        stages.next(&step.to_string());
        match step.carry_out(&programs, directory)? {
            Ended::Interrupted => return Ok(None),
            Ended::With(output) => step.keep(&output, &mut results)?,
        }
    }
    stages.clear();
    results["seconds"] = json!(started.elapsed().as_secs());
    output::write_file(&directory.join("results.json"), &(serde_json::to_string_pretty(&results)? + "\n"))?;
    Ok(Some((results, programs)))
}

/// Makes the pages of the results in `directory`; the report for people.
fn pages(directory: &Path, programs: &Programs, docs: Option<&Path>) -> anyhow::Result<String> {
    let results = directory.join("results.json");
    let mut arguments = vec!["page".into(), results.into_os_string(), "--html".into()];
    arguments.push(directory.join("index.html").into_os_string());
    if let Some(docs) = docs {
        arguments.extend(["--markdown".into(), docs.as_os_str().to_owned()]);
    }
    match child::run(&programs.measure, arguments, &[], directory)? {
        Ended::With(text) => Ok(text),
        Ended::Interrupted => anyhow::bail!("stopped while the page was made"),
    }
}

/// Puts a finished directory where an old one may be.
fn put_in_place(finished: PathBuf, out: &Path) -> anyhow::Result<()> {
    if out.exists() {
        let is_ours = out.join("results.json").exists() || out.read_dir()?.next().is_none();
        anyhow::ensure!(is_ours, "{} is no directory of benches: choose another --out", out.display());
        fs::remove_dir_all(out).with_context(|| format!("cannot replace {}", out.display()))?;
    }
    fs::rename(finished, out).with_context(|| format!("cannot write {}", out.display()))
}

fn report(format: Format, results: &Value, text: &str, out: &Path) -> anyhow::Result<()> {
    match format {
        Format::Json => output::print(&(serde_json::to_string_pretty(results)? + "\n")),
        Format::Human => output::print(&format!("{text}\nthe page: {}\n", out.join("index.html").display())),
    }
}

/// For the steps.
impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}
