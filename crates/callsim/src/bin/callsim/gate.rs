//! `callsim gate`: whether a project's own calls got slower, in virtual time. Exact: the same figures on every machine.

mod measure;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use gate::{
    Mode, Report, Settings,
    baseline::{AcceptError, Acceptance, Baseline, Date, Expected, Fingerprint, Reference},
    compare::{MeasuredRuns, NotMeasured, virtual_cases},
    metric::{MetricId, Tier},
};

use crate::{
    exit::{self, Code},
    interrupt,
    output::{self, BadInput},
    project::Project,
    run::Chosen,
    screen, today, typed, worlds,
};

/// The expected figures, in the project's folder.
const BASELINE: &str = "callsim-baseline.json";

/// The options of the command.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    scenarios: Scenarios,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Write the report to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Expect from now on what is measured now
    Accept(AcceptArguments),
}

/// The options of `accept`.
#[derive(Args)]
struct AcceptArguments {
    #[command(flatten)]
    scenarios: Scenarios,
    /// Why, in one line: it is kept in the baseline beside the new figures
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// What is measured, and what it is compared with.
#[derive(Args)]
struct Scenarios {
    /// Which scenarios, as for `callsim run` [default: all]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Where scenarios are [default: the project's scenarios/, here or in a folder above]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The expected figures [default: callsim-baseline.json in the project's folder]
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  callsim gate accept --reason 'first measured'    writes callsim-baseline.json: commit it
  callsim gate                                     whether a call got slower, or sends more
  callsim gate accept nat --reason 'one server more, one round trip more'

Compared are, over the seeds of each scenario: how many calls connect, p50 and p95 of their set-up, packets and bytes.

Exit codes: 0 as expected; 1 a run could not be played; 2 usage or unreadable input; 3 worse, or better and not accepted;
4 two runs of one seed differ; 5 there is no baseline; 130 stopped by Ctrl-C";

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table, the worst first
    Human,
    /// One object
    Json,
}

/// Does what is asked.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    output::check_target(arguments.out.as_deref())?;
    let scenarios = match &arguments.command {
        Some(Command::Accept(accept)) => &accept.scenarios,
        None => &arguments.scenarios,
    };
    let project = Project::find()?;
    let chosen = match Chosen::load(&project, scenarios.dir.as_deref(), &scenarios.names) {
        Ok(chosen) => chosen,
        Err(code) => return Ok(code),
    };
    let file = scenarios.baseline.clone().unwrap_or_else(|| project.beside(BASELINE));
    let inputs = chosen.files.iter().cloned().chain([project.file(), file.clone()]);
    output::check_inputs_stay(&arguments.out, inputs)?;
    let before = read(&file)?;
    if before.is_none() && arguments.command.is_none() {
        let accept = format!("{} accept --reason TEXT", typed::command("gate"));
        output::complain(&format!("error: there is no baseline {}: `{accept}` makes one", file.display()));
        return Ok(Code::NothingRan);
    }
    worlds::supported()?;
    interrupt::listen()?;
    let Some(measured) = measure::measure(&chosen.plans, &project)? else {
        output::complain("stopped: nothing was written");
        return Ok(Code::Interrupted);
    };
    let code = match &arguments.command {
        Some(Command::Accept(accept)) => take(before, &file, &measured, accept)?,
        None => compare(arguments, before.as_ref(), &chosen, &measured)?,
    };
    Ok(chosen.verdict(code))
}

fn read(file: &Path) -> anyhow::Result<Option<Baseline>> {
    let name = file.display().to_string();
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(Baseline::from_json(&name, &text).map_err(|error| BadInput(error.to_string()))?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(BadInput(format!("cannot read {name}: {error}")).into()),
    }
}

/// Virtual time has one resolution; nothing else that could differ changes a figure.
fn fingerprint() -> Fingerprint {
    Fingerprint::from([("virtual.resolution_us".to_owned(), "1000".to_owned())])
}

fn compare(
    arguments: &Arguments,
    baseline: Option<&Baseline>,
    chosen: &Chosen,
    measured: &MeasuredRuns,
) -> anyhow::Result<Code> {
    let mut reference = baseline.map(Reference::of);
    // What was not asked for has not vanished.
    if let Some(reference) = reference.as_mut().filter(|_| !arguments.scenarios.names.is_empty()) {
        let is_chosen = |id: &MetricId| chosen.plans.iter().any(|plan| plan.name() == scenario_of(id));
        reference.metrics.retain(|id, _| is_chosen(id));
    }
    let cases = virtual_cases(reference.as_ref(), &fingerprint(), measured);
    let report = Report::new(cases, Settings::new(Mode::Change, 1), Vec::new());
    let text = match arguments.format {
        Format::Human => gate::report::table(&report, screen::width(arguments.out.as_deref())),
        Format::Json => report.to_json() + "\n",
    };
    match (arguments.format, &arguments.out) {
        (Format::Human, out) => output::show(out.as_deref(), &text)?,
        (Format::Json, Some(file)) => output::write_file(file, &text)?,
        (Format::Json, None) => output::print(&text)?,
    }
    Ok(exit::of_gate(report.outcome))
}

/// `net/turned` of `net/turned#bytes`.
fn scenario_of(id: &MetricId) -> &str {
    id.as_str().split('#').next().unwrap_or_default()
}

fn take(
    before: Option<Baseline>,
    file: &Path,
    measured: &MeasuredRuns,
    arguments: &AcceptArguments,
) -> anyhow::Result<Code> {
    let differs = |(_, runs): &&(_, Result<[gate::exact::VirtualRun; 2], NotMeasured>)| {
        runs.as_ref().is_ok_and(|[first, second]| first != second)
    };
    if let Some((metric, _)) = measured.values().find(differs) {
        output::complain(&format!(
            "error: two runs differ in `{}`: nothing can be expected of it",
            metric.id
        ));
        return Ok(Code::Inconclusive);
    }
    let date = Date::new(today()).context("the machine's clock")?;
    let acceptance = Acceptance { reason: arguments.reason.clone(), date };
    let mut baseline = before.unwrap_or_else(|| Baseline::new(Tier::Virtual, fingerprint()));
    let gone = baseline.metrics.keys().filter(|id| !measured.contains_key(*id)).cloned();
    let gone: Vec<MetricId> =
        gone.filter(|id| arguments.scenarios.names.is_empty() || is_of(measured, id)).collect();
    let now = measured.iter().filter_map(|(id, (metric, runs))| {
        let [run, _] = runs.as_ref().ok()?;
        let (unit, better, value) = (metric.unit, metric.better, run.value.clone());
        Some((id.clone(), Some(Expected { unit, better, budget: None, value })))
    });
    let mut changed = 0;
    for (id, expected) in now.chain(gone.into_iter().map(|id| (id, None))) {
        match baseline.accept(&id, expected, &acceptance) {
            Ok(()) => changed += 1,
            Err(AcceptError::Unchanged { .. }) => {}
            Err(error) => return Err(BadInput(error.to_string()).into()),
        }
    }
    if changed == 0 {
        output::complain("error: everything is as expected already: there is nothing to accept");
        return Ok(Code::BadInput);
    }
    output::write_file(file, &baseline.to_json())?;
    output::print(&format!("{changed} figures are expected from now on: {}\n", file.display()))?;
    Ok(Code::Good)
}

/// Whether another figure of the scenario of `id` was measured.
fn is_of(measured: &MeasuredRuns, id: &MetricId) -> bool {
    measured.keys().any(|other| scenario_of(other) == scenario_of(id))
}
