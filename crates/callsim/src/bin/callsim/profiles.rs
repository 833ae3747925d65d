//! `callsim profiles`

mod measure;
mod report;

use std::{num::NonZeroU32, num::NonZeroUsize};

use clap::{Args, ValueEnum};
use scenario::profile::{Profile, Profiles};

use self::measure::Measured;
use crate::{
    exit::Code,
    interrupt, jobs,
    output::{self, Destination, UnknownName},
    project::Project,
    worlds,
};

/// The options of the command.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Which profiles, with every figure and its source [default: all, a line each]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Play a call on each: how many connect, and how fast
    #[arg(long)]
    measure: bool,
    /// How many seeds of each call
    #[arg(long, value_name = "N", default_value = "200", requires = "measure")]
    seeds: NonZeroU32,
    /// On how many threads [default: one per core]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    #[command(flatten)]
    report: Destination,
}

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Tables
    Human,
    /// The page docs/profiles.md
    Markdown,
    /// One object
    Json,
}

const EXAMPLES: &str = "\
Examples:
  callsim profiles                       what there is
  callsim profiles lte                   every figure of one, and where it comes from
  callsim profiles --measure             a call on each, over 200 seeds
  callsim profiles --measure --format markdown --out docs/profiles.md

Exit codes: 0 all good, 1 a call could not be played, 2 usage or no such profile, 130 stopped by Ctrl-C";

/// Lists the profiles, and plays calls on them.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    let profiles = Project::find()?.profiles;
    let chosen = chosen(&profiles, &arguments.names)?;
    arguments.report.check()?;
    let measured = match arguments.measure {
        false => None,
        true => {
            worlds::supported()?;
            interrupt::listen()?;
            let Some(measured) = measure::measure(&profiles, &chosen, arguments.seeds, jobs(arguments.jobs))?
            else {
                output::complain("stopped: nothing was written");
                return Ok(Code::Interrupted);
            };
            Some(measured)
        }
    };
    let text = text(arguments, &chosen, measured.as_deref())?;
    match arguments.format {
        Format::Human => arguments.report.show(&text)?,
        Format::Markdown | Format::Json => arguments.report.write(&text)?,
    }
    Ok(Code::Good)
}

fn text(arguments: &Arguments, chosen: &[Profile], measured: Option<&[Measured]>) -> anyhow::Result<String> {
    Ok(match arguments.format {
        Format::Human if arguments.names.is_empty() => {
            report::lines(chosen, measured, arguments.report.width())
        }
        Format::Human => report::figures(chosen, measured, arguments.report.width()),
        Format::Markdown => report::markdown(chosen, measured),
        Format::Json => report::json(chosen, measured)?,
    })
}

fn chosen(profiles: &Profiles, names: &[String]) -> Result<Vec<Profile>, UnknownName> {
    let known = profiles.names();
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(UnknownName::new("profile", unknown, known.iter().copied()));
    }
    let is_chosen = |profile: &Profile| names.is_empty() || names.contains(&profile.name);
    Ok(profiles.all().into_iter().filter(is_chosen).collect())
}
