//! `callsim run`

mod guards_off;
mod human;
mod input;
mod junit;
mod listing;

use std::{
    num::{NonZeroU32, NonZeroUsize},
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use scenario::{
    plan::Plan,
    report::Report,
    run::Player,
    suite::{self, Keep, Options, Seeds, SuiteResult},
};

pub(crate) use self::input::default_dir;
use crate::{exit::Code, interrupt, jobs, now, output, progress::Bar, typed};

/// The options of the command.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Which scenarios: a name, a theme, the beginning of names, or a glob [default: all]
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
    /// Say which scenarios there are, and play none
    #[arg(long)]
    list: bool,
    /// Play the scenarios that are about a guard of the engine without it, and pass only if each is caught
    #[arg(long, conflicts_with = "list")]
    guards_off: bool,
    /// Write the relay's log of the only run to this file, in the form that `callsim replay` reads
    #[arg(long, value_name = "FILE", requires = "seed", conflicts_with_all = ["list", "guards_off"])]
    relay_log: Option<PathBuf>,
    /// Where scenarios stand [default: the workspace's scenarios/]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  callsim run ringing loss/uniform-5pct           a theme and one scenario
  callsim run happy/host-candidates --seed 7      one run, with its full timeline
  callsim run 'turn/*' --seeds 200                more seeds of some
  callsim run --format json --out report.json     for a machine

Exit codes: 0 all good, 1 a run could not be played, 2 usage, unreadable input or no such scenario, 3 a check failed,
5 nothing ran, 130 stopped by Ctrl-C";

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
    let plans = match input::load(arguments.dir.as_deref(), &arguments.names) {
        Ok(plans) => plans,
        Err(code) => return Ok(code),
    };
    if arguments.list {
        hand_over(arguments, &listing::listing(&plans, arguments.format)?)?;
        return Ok(Code::Good);
    }
    determinism::supported()?;
    interrupt::listen()?;
    if arguments.guards_off {
        return guards_off::run(&plans, arguments);
    }
    if let Some(path) = &arguments.relay_log
        && let Some(code) = write_relay_log(&plans, arguments, path)?
    {
        return Ok(code);
    }
    let (result, report) = play(&plans, arguments);
    if result.is_partial() {
        return Ok(stopped(&result));
    }
    let text = match arguments.format {
        Format::Human => human::report(&report, single_run(&result)),
        Format::Json => report.to_json()?,
        Format::Junit => junit::report(&report, &result)?,
    };
    hand_over(arguments, &text)?;
    Ok(verdict(&report))
}

/// The relay's log of the one run that was asked for; a code where there is more than one.
fn write_relay_log(plans: &[Plan], arguments: &Arguments, path: &Path) -> anyhow::Result<Option<Code>> {
    let ([plan], Some(seed)) = (plans, arguments.seed) else {
        let count = plans.len();
        output::complain(&format!("error: --relay-log is for one scenario, and {count} were chosen"));
        return Ok(Some(Code::BadInput));
    };
    let record = Player::new(plan).relay_log().seed(seed).play()?;
    output::write_file(path, &record.relay_log.unwrap_or_default())?;
    Ok(None)
}

fn stopped(result: &SuiteResult) -> Code {
    let (played, asked) = (result.played(), result.asked);
    output::complain(&format!("stopped: {played} of {asked} runs took place, nothing was written"));
    Code::Interrupted
}

fn play(plans: &[Plan], arguments: &Arguments) -> (SuiteResult, Report) {
    let started = now();
    let result = play_all(plans, arguments);
    let wall = now().duration_since(started);
    let report = Report::new(plans, &result, wall, &|plan, seeds| repeat(plan, seeds, arguments));
    (result, report)
}

/// The command that plays `plan` again.
fn repeat(plan: &Plan, seeds: Seeds, arguments: &Arguments) -> String {
    let mut command = format!("{} {}", typed::command("run"), plan.name);
    command += &match seeds {
        Seeds::OfScenario => String::new(),
        Seeds::Count(count) => format!(" --seeds {count}"),
        Seeds::One(seed) => format!(" --seed {seed}"),
    };
    if let Some(dir) = &arguments.dir {
        command += &format!(" --dir {}", dir.display());
    }
    command
}

fn play_all(plans: &[Plan], arguments: &Arguments) -> SuiteResult {
    let seeds = match (arguments.seed, arguments.seeds) {
        (Some(seed), _) => Seeds::One(seed),
        (None, Some(count)) => Seeds::Count(count.get()),
        (None, None) => Seeds::OfScenario,
    };
    let single = arguments.seed.is_some() && plans.len() == 1;
    let options = Options {
        seeds,
        jobs: jobs(arguments.jobs),
        keep: if single { Keep::Everything } else { Keep::Nothing },
    };
    let bar = Bar::new();
    let result = suite::run(
        plans,
        &options,
        &interrupt::CANCEL,
        |plan, seed| Player::new(plan).seed(seed).play(),
        |progress| bar.show(progress),
    );
    bar.clear();
    result
}

/// The only run of a suite of one, if its record was kept.
fn single_run(result: &SuiteResult) -> Option<&scenario::record::RunRecord> {
    let [runs] = result.scenarios.as_slice() else { return None };
    let [run] = runs.as_slice() else { return None };
    run.result.as_ref().ok()?.record.as_deref()
}

fn hand_over(arguments: &Arguments, text: &str) -> anyhow::Result<()> {
    match &arguments.out {
        Some(path) => output::write_file(path, text),
        None => output::print(text),
    }
}

/// A run that could not be played is the tool's failure, whatever else failed.
fn verdict(report: &Report) -> Code {
    match report {
        Report { totals, .. } if totals.runs == 0 => Code::NothingRan,
        Report { totals, .. } if totals.broken_runs > 0 => Code::ToolFailed,
        Report { passed: false, .. } => Code::CheckFailed,
        _ => Code::Good,
    }
}

#[cfg(test)]
mod testing;
