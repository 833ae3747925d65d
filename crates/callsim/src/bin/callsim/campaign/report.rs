//! `callsim campaign report`

use std::path::PathBuf;

use campaign::{
    campaign::FILE,
    merge::{Coverage, merge},
    report::Report,
};
use clap::{Args, ValueEnum};

use super::{PlanArgument, hand_over, human, junit, open, refused};
use crate::{exit::Code, output, screen, typed};

/// The options of the command.
#[derive(Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    plan: PlanArgument,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Write the report to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Report the shards that are there, though others are missing
    #[arg(long)]
    partial: bool,
}

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Tables, and what failed
    Human,
    /// One object
    Json,
    /// JUnit XML: a suite per scenario, a case per finding
    Junit,
}

/// Merges the shards and reports them.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    output::check_target(arguments.out.as_deref())?;
    let folder = open(arguments.plan.path())?;
    let shards = (0..folder.campaign().shards()).map(|index| folder.shard_path(index));
    output::check_inputs_stay(&arguments.out, shards.chain([folder.path().join(FILE)]))?;
    let coverage = if arguments.partial { Coverage::Partial } else { Coverage::Whole };
    let merged = merge(&folder, coverage).map_err(refused)?;
    let campaign = folder.campaign();
    let dir = campaign.dir.as_ref().map(|dir| format!(" --dir {}", dir.display())).unwrap_or_default();
    let repeat = |scenario: &str, seed: Option<u64>| {
        let seeds = match seed {
            Some(seed) => format!("--seed {seed}"),
            None => format!("--seeds {}", campaign.seeds.last),
        };
        format!("{} {scenario} {seeds}{dir}", typed::command("run"))
    };
    let report = Report::new(campaign, &merged, &repeat);
    let text = match arguments.format {
        Format::Human => human::report(&report, screen::width(arguments.out.as_deref())),
        Format::Json => report.to_json()?,
        Format::Junit => junit::report(&report)?,
    };
    match arguments.format {
        Format::Human => output::show(arguments.out.as_deref(), &text)?,
        Format::Json | Format::Junit => hand_over(arguments.out.as_deref(), &text)?,
    }
    Ok(match &report {
        Report { runs: 0, .. } => Code::NothingRan,
        Report { disagreements: 1.., .. } => Code::Inconclusive,
        Report { passed: false, .. } => Code::CheckFailed,
        _ => Code::Good,
    })
}
