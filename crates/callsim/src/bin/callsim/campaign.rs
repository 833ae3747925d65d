//! `callsim campaign`: more runs than one machine should play.

mod human;
mod junit;
mod plan;
mod report;
mod shard;
mod status;
mod submit;

use std::path::{Path, PathBuf};

use ::campaign::{Campaign, CampaignError, Folder, FolderError, Piece};
use clap::{Args, Subcommand};
use scenario::plan::Plan;
use timeline::Digest;

use crate::{exit::Code, output, output::BadInput, project::Project, run::Chosen};

/// The options of the command.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Say which runs there are, and which shard plays which: campaign.json
    Plan(plan::Arguments),
    /// Play one shard, into a Parquet file beside the plan
    Shard(shard::Arguments),
    /// Write a job for a scheduler that plays the missing shards, and submit it
    Submit(Box<submit::Arguments>),
    /// Say which shards are there
    Status(status::Arguments),
    /// Merge the shards: rates, set-ups, what failed
    Report(report::Arguments),
}

const EXAMPLES: &str = "\
Examples:
  callsim campaign plan loss/uniform-5pct --seeds 1..1000000 --shards 40 --out million
  callsim campaign shard --plan million/campaign.json --index 7
  callsim campaign submit --plan million/campaign.json --slurm --run
  callsim campaign status --plan million/campaign.json
  callsim campaign report --plan million/campaign.json

Exit codes: 0 all good, 1 a run could not be played, 2 usage, or a plan or shard that cannot be used, 3 a check failed,
4 two machines do not agree on a run, 130 stopped by Ctrl-C or SIGTERM";

/// Does what is asked for.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    match &arguments.command {
        Command::Plan(arguments) => plan::run(arguments),
        Command::Shard(arguments) => shard::run(arguments),
        Command::Submit(arguments) => submit::run(arguments),
        Command::Status(arguments) => status::run(arguments),
        Command::Report(arguments) => report::run(arguments),
    }
}

/// A mistake of somebody's, in words; what the system refuses stays what it is.
fn refused(error: FolderError) -> anyhow::Error {
    match error {
        FolderError::Io { .. } => error.into(),
        FolderError::Missing { .. } => {
            let advice = "`campaign submit` plays them, and `--partial` reports what is there";
            BadInput(format!("{error}; {advice}")).into()
        }
        _ => BadInput(error.to_string()).into(),
    }
}

/// The folder of the plan at `path`.
fn open(path: &Path) -> anyhow::Result<Folder> {
    Folder::open(path).map_err(refused)
}

/// The scenarios of `campaign` that `pieces` are of, as they were planned.
fn scenarios(campaign: &Campaign, pieces: &[Piece]) -> anyhow::Result<Result<Vec<Option<Plan>>, Code>> {
    let project = Project::find()?;
    let needed = |place: usize| pieces.iter().any(|piece| piece.scenario == place);
    let planned = campaign.scenarios.iter().enumerate().filter(|(place, _)| needed(*place));
    let names: Vec<String> = planned.map(|(_, scenario)| scenario.argument.clone()).collect();
    let chosen = match Chosen::load(&project, campaign.dir.as_deref(), &names) {
        Ok(chosen) => chosen,
        Err(code) => return Ok(Err(code)),
    };
    if chosen.verdict(Code::Good) != Code::Good {
        return Ok(Err(Code::BadInput));
    }
    let plans = campaign.check_scenarios(chosen.plans, pieces);
    plans.map(Ok).map_err(|error: CampaignError| BadInput(error.to_string()).into())
}

/// The digest of this program's file.
fn program_hash() -> anyhow::Result<String> {
    // The file may have been replaced since it was started.
    let own = Path::new("/proc/self/exe");
    let path = if own.exists() { own.to_owned() } else { std::env::current_exe()? };
    let mut digest = Digest::new();
    digest.update(&std::fs::read(path)?);
    Ok(digest.to_string())
}

/// Where the folder of the plan is.
#[derive(Args)]
struct PlanArgument {
    /// The plan: campaign.json, or the folder that it is in [default: the working directory]
    #[arg(long, value_name = "FILE", conflicts_with = "place")]
    plan: Option<PathBuf>,
    /// The same as --plan
    #[arg(value_name = "FILE", hide = true)]
    place: Option<PathBuf>,
}

impl PlanArgument {
    fn path(&self) -> &Path {
        self.plan.as_deref().or(self.place.as_deref()).unwrap_or(Path::new("."))
    }
}

/// Writes to a file or to standard output.
fn hand_over(out: Option<&Path>, text: &str) -> anyhow::Result<()> {
    match out {
        Some(path) => output::write_file(path, text),
        None => output::print(text),
    }
}
