//! `callsim run`

mod budgets;
mod files;
mod guards_off;
mod human;
mod input;
mod junit;
mod listing;
pub(crate) mod pages;
mod pins;
mod table;

use std::{
    num::{NonZeroU32, NonZeroUsize},
    path::PathBuf,
};

use clap::{Args, ValueEnum};
use scenario::{
    pins::FILE as PINS,
    plan::Plan,
    report::Report,
    run::{Player, Programs},
    suite::{self, Broken, Keep, Options, Run, Seeds, SuiteResult},
};

pub(crate) use self::input::Chosen;
use self::pins::Kept;
use crate::{
    exit::Code, interrupt, jobs, now, output, progress::Bar, project::Project, screen, typed, versions,
    worlds,
};

/// The options of the command.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Which scenarios: a name, with or without its theme, a theme, the beginning of names, a glob, or a file's path
    /// [default: all]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Play this many seeds of each, from 1 on [default: what the scenario says, mostly 20]
    #[arg(long, value_name = "N", conflicts_with = "seed")]
    seeds: Option<NonZeroU32>,
    /// Play this seed only; of one scenario, with its full timeline
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// On how many threads [default: one per core]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Write the report to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Play each run twice, and fail where the two differ (exit 4): whether programs repeat themselves
    #[arg(long, conflicts_with_all = ["list", "guards_off", "relay_log"])]
    twice: bool,
    /// Show a line for every scenario, those too that are plainly good
    #[arg(long)]
    all: bool,
    /// Say which scenarios there are, and play none
    #[arg(long)]
    list: bool,
    /// Play the scenarios that are about a guard of the engine without it, and pass only if each is caught
    #[arg(long, conflicts_with = "list")]
    guards_off: bool,
    /// Write the relay's log of the only run to this file, in the form that `callsim replay` reads
    #[arg(long, value_name = "FILE", requires = "seed", conflicts_with_all = ["list", "guards_off"])]
    relay_log: Option<PathBuf>,
    /// Write the run as a page for a browser; of several runs, a folder with a page of all and one for each failed run
    #[arg(long, value_name = "FILE or DIR", conflicts_with_all = ["list", "guards_off"])]
    html: Option<PathBuf>,
    /// Beside the run, on the same page: the run of this seed, or of the scenario in this file with the same seed
    #[arg(long, value_name = "SEED or FILE", requires = "html", requires = "seed")]
    against: Option<String>,
    #[command(flatten)]
    files: files::Files,
    /// Take the outcomes and times of this run for those that later runs must have, exactly: scenarios/pins.json
    #[arg(long, conflicts_with_all = ["seed", "seeds", "list", "guards_off"])]
    accept_pins: bool,
    /// Where scenarios are [default: the project's scenarios/, here or in a folder above]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  callsim run ringing loss/uniform-5pct           a theme and one scenario
  callsim run path/to/file.toml                   a file, wherever it is
  callsim run happy/host-candidates --seed 7      one run, with its full timeline
  callsim run 'turn/*' --seeds 200                more seeds of some
  callsim run loss/uniform-20pct --seed 7 --html run.html               the run as a page for a browser
  callsim run loss/uniform-20pct --seed 7 --against 8 --html both.html  two runs, and where they first differ
  callsim run --html target/report                a page of all runs, and one for each that failed
  callsim run happy --twice                       whether the same seed gives the same bytes
  callsim run --format json --out report.json     for a machine
  callsim run loss/uniform-5pct --seed 7 --pcapng call.pcapng   its packets, decrypted, for Wireshark
  callsim run loss/uniform-5pct --seed 7 --perfetto call.json   its states and packets, for ui.perfetto.dev
  callsim run --out-dir failed                    for CI: the report, and everything about each failed run
  callsim run --accept-pins                       outcomes and times are as they should be from now on

Exit codes: 0 all good, 1 a run could not be played, 2 usage, unreadable input or no such scenario, 3 a check failed,
4 a run does not repeat itself, 5 nothing ran, 130 stopped by Ctrl-C";

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table, and what failed
    Human,
    /// One object
    Json,
    /// JUnit XML: a suite per scenario, a case per seed
    Junit,
}

/// Plays what is asked for and reports it.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    let project = Project::find()?;
    let chosen = match Chosen::load(&project, arguments.dir.as_deref(), &arguments.names) {
        Ok(chosen) => chosen,
        Err(code) => return Ok(code),
    };
    for target in [&arguments.out, &arguments.relay_log, &arguments.html] {
        output::check_target(target.as_deref())?;
    }
    let dir = project.scenarios(arguments.dir.as_deref());
    let read = chosen.files.iter().cloned().chain([project.file(), dir.join(PINS)]);
    let written = [&arguments.out, &arguments.relay_log, &arguments.html].into_iter().flatten();
    output::check_inputs_stay(written.chain(arguments.files.all()), read)?;
    if arguments.list {
        hand_over(arguments, &listing::listing(&chosen.plans, arguments.format, view(arguments).width)?)?;
        return Ok(chosen.verdict(Code::Good));
    }
    arguments.files.check(arguments, chosen.plans.len())?;
    worlds::supported()?;
    versions::check();
    interrupt::listen()?;
    let asked = Asked { arguments, project: &project, chosen: &chosen };
    let code = match arguments {
        Arguments { guards_off: true, .. } => guards_off::run(&asked)?,
        Arguments { relay_log: Some(_), .. } if chosen.plans.len() != 1 => {
            let count = chosen.plans.len();
            output::complain(&format!("error: --relay-log is for one scenario, and {count} were chosen"));
            Code::BadInput
        }
        _ => play(&asked)?,
    };
    Ok(chosen.verdict(code))
}

/// What the command line and the project ask for.
struct Asked<'a> {
    arguments: &'a Arguments,
    project: &'a Project,
    chosen: &'a Chosen,
}

fn stopped(result: &SuiteResult) -> Code {
    let (played, asked) = (result.played(), result.asked);
    output::complain(&format!("stopped: {played} of {asked} runs took place, nothing was written"));
    Code::Interrupted
}

fn play(asked: &Asked<'_>) -> anyhow::Result<Code> {
    let Asked { arguments, project, chosen } = asked;
    let pins = Kept::read(asked)?;
    let started = now();
    let result = play_all(&chosen.plans, asked);
    if result.is_partial() {
        return Ok(stopped(&result));
    }
    let repeat = |plan: &Plan, seeds| repeat(asked, plan, seeds);
    let mut report = Report::new(&chosen.plans, &result, now().duration_since(started), &repeat);
    if arguments.seed.is_none() {
        budgets::judge(&mut report, &chosen.plans, &project.budgets, &repeat);
        if !arguments.accept_pins {
            pins.judge(&mut report, asked, &repeat);
        }
    }
    let text = match arguments.format {
        Format::Human => human::report(&report, single_run(&result), view(arguments)),
        Format::Json => report.to_json()?,
        Format::Junit => junit::report(&report, &result)?,
    };
    hand_over(arguments, &text)?;
    if arguments.accept_pins {
        pins.accept(&report, asked)?;
    }
    arguments.files.write(asked, &result, &report)?;
    if let (Some(path), Some(record)) = (&arguments.relay_log, single_run(&result)) {
        output::write_file(path, record.relay_log.as_deref().unwrap_or_default())?;
    }
    if let Some(path) = &arguments.html {
        pages::write(path, asked, &report, &result)?;
    }
    Ok(verdict(&report, &result))
}

fn view(arguments: &Arguments) -> human::View {
    let rows = if arguments.all { table::Rows::All } else { table::Rows::Folded };
    human::View { width: screen::width(arguments.out.as_deref()), rows }
}

/// The command that plays `plan` again.
fn repeat(asked: &Asked<'_>, plan: &Plan, seeds: Seeds) -> String {
    let mut command = format!("{} {}", typed::command("run"), asked.chosen.argument(plan));
    command += &match seeds {
        Seeds::OfScenario => String::new(),
        Seeds::Count(count) => format!(" --seeds {count}"),
        Seeds::One(seed) => format!(" --seed {seed}"),
    };
    if let Some(dir) = &asked.arguments.dir {
        command += &format!(" --dir {}", dir.display());
    }
    command
}

fn play_all(plans: &[Plan], asked: &Asked<'_>) -> SuiteResult {
    let Asked { arguments, project, .. } = asked;
    let seeds = match (arguments.seed, arguments.seeds.or(project.seeds)) {
        (Some(seed), _) => Seeds::One(seed),
        (None, Some(count)) => Seeds::Count(count.get()),
        (None, None) => Seeds::OfScenario,
    };
    let single = arguments.seed.is_some() && plans.len() == 1;
    let options = Options {
        seeds,
        jobs: jobs(arguments.jobs.or(project.jobs)),
        keep: if single { Keep::Everything } else { Keep::Nothing },
    };
    let bar = Bar::new();
    let play = |plan: &Plan, seed| match arguments.relay_log {
        Some(_) => Player::new(plan).relay_log().seed(seed).play(),
        None => Player::new(plan).seed(seed).play(),
    };
    let result = match arguments.twice {
        true => suite::run_twice(plans, &options, &interrupt::CANCEL, &Programs::new(), |progress| {
            bar.show(progress)
        }),
        false => suite::run(plans, &options, &interrupt::CANCEL, play, |progress| bar.show(progress)),
    };
    bar.clear();
    result
}

/// The only run of a suite of one, if its record was kept.
fn single_run(result: &SuiteResult) -> Option<&scenario::record::RunRecord> {
    let [runs] = result.scenarios.as_slice() else { return None };
    let [run] = runs.as_slice() else { return None };
    run.result.as_ref().ok()?.record.as_deref()
}

/// What failed and the table of `report`, for people, in lines of at most `width` cells.
#[cfg(feature = "lab")]
pub(crate) fn human_report(report: &Report, width: usize) -> String {
    human::report(report, None, human::View { width, rows: table::Rows::All })
}

fn hand_over(arguments: &Arguments, text: &str) -> anyhow::Result<()> {
    match (arguments.format, &arguments.out) {
        (Format::Human, out) => output::show(out.as_deref(), text),
        (_, Some(path)) => output::write_file(path, text),
        (_, None) => output::print(text),
    }
}

/// A run that could not be played is the tool's failure, whatever else failed; one that does not repeat itself shows
/// nothing.
fn verdict(report: &Report, result: &SuiteResult) -> Code {
    let is_unlike = |run: &Run| matches!(run.result, Err(Broken::NotRepeatable(_)));
    match report {
        Report { totals, .. } if totals.runs == 0 => Code::NothingRan,
        _ if result.scenarios.iter().flatten().any(is_unlike) => Code::Inconclusive,
        Report { totals, .. } if totals.broken_runs > 0 => Code::ToolFailed,
        Report { passed: false, .. } => Code::CheckFailed,
        _ => Code::Good,
    }
}

#[cfg(test)]
mod testing;
