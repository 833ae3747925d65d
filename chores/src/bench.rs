//! `cargo xtask bench`

mod build;
mod child;
mod groups;
mod machine;
mod place;
mod steps;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use self::{
    build::Programs,
    child::Ended,
    groups::Groups,
    place::Place,
    steps::{Step, Steps},
};
use crate::{exit::Code, interrupt, now, output, process, progress::Stages};

/// The options of the command.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Which groups of benches [default: all]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Fewer seeds, shorter measurements, no criterion plot of a hundred calls and more: two minutes on two cores
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
/// Where it is until all is done, beside the results.
const DOCS_BESIDE: &str = "latency.md";

/// Runs the benches that were asked for.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    let groups = Groups::of(&arguments.names)?;
    determinism::supported()?;
    interrupt::listen_and(process::end_all)?;
    let root = build::root()?;
    let out = arguments.out.clone().unwrap_or_else(|| build::target(&root).join("bench"));
    let place = match Place::new(out)? {
        Ok(place) => place,
        Err(refused) => {
            output::complain(&format!("error: {refused}"));
            return Ok(Code::BadInput);
        }
    };
    let Some(Finished { results, text }) = measure_and_tell(arguments, &groups, place.partial())? else {
        // The directory goes before the sentence is read.
        drop(place);
        output::complain("stopped: nothing was written");
        return Ok(Code::Interrupted);
    };
    let docs = place.partial().join(DOCS_BESIDE);
    if arguments.docs {
        output::write_file(&root.join(DOCS), &fs::read_to_string(&docs)?)?;
        fs::remove_file(docs)?;
    }
    report(arguments.format, &results, &text, &place.put()?)?;
    Ok(Code::Good)
}

/// What a run of all steps came to.
struct Finished {
    results: Value,
    /// For people.
    text: String,
}

/// Everything that Ctrl-C may end; `None` if it came.
fn measure_and_tell(
    arguments: &Arguments,
    groups: &Groups,
    directory: &Path,
) -> anyhow::Result<Option<Finished>> {
    let Some((results, programs)) = measure(arguments, groups, directory, now())? else { return Ok(None) };
    let docs = arguments.docs.then(|| directory.join(DOCS_BESIDE));
    Ok(match pages(directory, &programs, docs.as_deref())? {
        Ended::With(text) => Some(Finished { results, text }),
        Ended::Interrupted => None,
    })
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
    drop(stages);
    results["seconds"] = json!(started.elapsed().as_secs());
    output::write_file(&directory.join("results.json"), &(serde_json::to_string_pretty(&results)? + "\n"))?;
    Ok(Some((results, programs)))
}

/// Makes the pages of the results in `directory`; the report for people.
fn pages(directory: &Path, programs: &Programs, docs: Option<&Path>) -> anyhow::Result<Ended> {
    let mut command = Command::new(&programs.measure);
    command.arg("page").arg(directory.join("results.json")).arg("--html").arg(directory.join("index.html"));
    if let Some(docs) = docs {
        command.arg("--markdown").arg(docs);
    }
    child::run(command, directory)
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
