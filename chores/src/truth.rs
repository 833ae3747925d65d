//! `cargo xtask truth`: does virtual time tell the truth?
//!
//! The same call over the same in-memory network, once in virtual time and once by the machine's clock. In
//! real time nothing stands for computing but computing itself; in virtual time the default device's
//! processing delay does.

mod call;
mod compare;
mod play;
mod report;

use std::{num::NonZeroU32, num::NonZeroUsize, time::Duration};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use scenario::plan::Device;

use self::{compare::Comparison, report::Report};
use crate::{
    exit::Code,
    output::{self, Destination},
};

/// The options of the command.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// One-way delays between any two hosts, at most 1 s [default: 1ms,5ms,20ms,50ms,100ms,150ms]
    #[arg(long, value_name = "DELAY", value_delimiter = ',', value_parser = call::delay)]
    delays: Vec<Duration>,
    /// How many calls at each delay, in virtual and in real time [default: 30]
    #[arg(long, value_name = "N")]
    runs: Option<NonZeroU32>,
    /// A smoke test: two delays, three calls each
    #[arg(long, conflicts_with_all = ["delays", "runs"])]
    quick: bool,
    /// What stands for computing in virtual time: instant, server, desktop, laptop or phone
    #[arg(long, value_name = "DEVICE", default_value_t = call::DEFAULT_DEVICE, value_parser = call::device)]
    device: Device,
    /// How many calls are played in real time at once
    #[arg(long, value_name = "N", default_value_t = play::JOBS)]
    jobs: NonZeroUsize,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    #[command(flatten)]
    report: Destination,
}

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Two tables
    Human,
    /// The same two tables in Markdown, as docs/truth.md has them
    Markdown,
    /// One object
    Json,
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask truth                             30 calls at each of six delays: some two minutes
  cargo xtask truth --quick                     does it work at all: some ten seconds
  cargo xtask truth --delays 30ms,40ms --runs 100
  cargo xtask truth --device instant            how far off without a processing delay
  cargo xtask truth --format json --out truth.json

Exit codes:
  0    virtual time agrees with real time: p50 of set-up within 5 %, p95 within 10 %, at every delay
  1    the tool itself failed, or a call could not be played
  2    usage
  3    they do not agree, or a call did not connect
  130  stopped by Ctrl-C; nothing was written

Real time is sensitive to what else the machine does. The report says how late packets were; a call in which one
was more than 10 ms late is played again, three times at most, and counted as repeated.";

/// The delays where none are asked for, in milliseconds one way.
const DELAYS_MS: [u64; 6] = [1, 5, 20, 50, 100, 150];
const RUNS: u32 = 30;
const QUICK_DELAYS_MS: [u64; 2] = [5, 50];
const QUICK_RUNS: u32 = 3;

/// Plays the calls, compares them and reports it.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    determinism::supported()?;
    arguments.report.check()?;
    end_on_ctrl_c()?;
    let (delays, runs) = sizes(arguments);
    let machine = report::Machine::now();
    let played = play::play(&delays, runs, arguments.device, arguments.jobs);
    if let Some(broken) = played.iter().find_map(play::AtDelay::broken) {
        anyhow::bail!("a call could not be played: {broken}");
    }
    let comparisons = played.iter().map(Comparison::of).collect();
    let report = Report::new(comparisons, arguments.device, arguments.jobs, machine);
    let text = match arguments.format {
        Format::Human => report.for_people(),
        Format::Markdown => report.to_markdown(),
        Format::Json => report.to_json()?,
    };
    arguments.report.write(&text)?;
    Ok(if report.passed() { Code::Good } else { Code::CheckFailed })
}

/// At once: calls under way take seconds to end by themselves, and leave nothing behind.
fn end_on_ctrl_c() -> anyhow::Result<()> {
    let end = || {
        // Below the progress bar.
        output::complain("\nstopped: nothing was written");
        std::process::exit(i32::from(Code::Interrupted as u8));
    };
    ctrlc::set_handler(end).context("cannot listen for Ctrl-C")
}

fn sizes(arguments: &Arguments) -> (Vec<Duration>, u32) {
    let of = |delays_ms: &[u64]| delays_ms.iter().copied().map(Duration::from_millis).collect();
    if arguments.quick {
        return (of(&QUICK_DELAYS_MS), QUICK_RUNS);
    }
    let delays = if arguments.delays.is_empty() { of(&DELAYS_MS) } else { arguments.delays.clone() };
    (delays, arguments.runs.map_or(RUNS, NonZeroU32::get))
}
