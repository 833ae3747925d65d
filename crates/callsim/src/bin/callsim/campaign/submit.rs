//! `callsim campaign submit`

use std::{
    env,
    num::NonZeroU64,
    path::{Path, PathBuf, absolute},
    process::Command,
};

use anyhow::Context;
use campaign::{
    Folder,
    campaign::FILE,
    folder::ranges,
    submit::{self, Cluster, Job, Submission},
};
use clap::Args;

use super::{PlanArgument, open, program_hash, refused};
use crate::{exit::Code, output, output::BadInput};

/// What Slurm allows where it is not asked.
const MAX_ARRAY_SIZE: u64 = 1001;

/// The options of the command.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    plan: PlanArgument,
    #[command(flatten)]
    scheduler: Scheduler,
    /// Submit it, instead of writing its files only
    #[arg(long)]
    run: bool,
    /// The program, as the machines that play find it [default: this one; for Kubernetes, `callsim`]
    #[arg(long, value_name = "FILE")]
    program: Option<String>,
    /// Slurm: the cluster's MaxArraySize [default: what scontrol says, or 1001]
    #[arg(long, value_name = "N", requires = "slurm")]
    max_array_size: Option<NonZeroU64>,
    /// Kubernetes: the image that has the planned program
    #[arg(long, value_name = "NAME", required_if_eq("kubernetes", "true"))]
    image: Option<String>,
    /// Kubernetes: the claim of a volume with the project, which all nodes can write
    #[arg(long, value_name = "NAME", default_value = "callsim", requires = "kubernetes")]
    claim: String,
    /// Kubernetes: how many shards may be played at a time
    #[arg(long, value_name = "N", default_value = "32", requires = "kubernetes")]
    parallelism: NonZeroU64,
    /// GitHub: the run whose artifact `campaign` holds the program and the folder of the campaign
    #[arg(long, value_name = "ID", requires = "github")]
    artifact_run: Option<String>,
    /// GNU parallel: a file of hosts to reach over ssh, as its --sshloginfile; they share the folder [default: this machine]
    #[arg(long, value_name = "FILE", requires = "parallel")]
    hosts: Option<PathBuf>,
    /// More options for the scheduler's command: sbatch, kubectl, gh or parallel
    #[arg(last = true, value_name = "OPTION")]
    options: Vec<String>,
}

const EXAMPLES: &str = "\
Examples:
  callsim campaign submit --plan million --slurm --run -- --partition=short --time=30
  callsim campaign submit --plan million --kubernetes --image registry/callsim:1
  callsim campaign submit --plan million --github
  callsim campaign submit --plan million --parallel --hosts hosts.txt --run";

/// One of them.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Scheduler {
    /// An array for Slurm, and a report after it
    #[arg(long)]
    slurm: bool,
    /// An Indexed Job for Kubernetes
    #[arg(long)]
    kubernetes: bool,
    /// A workflow for GitHub Actions
    #[arg(long)]
    github: bool,
    /// A script for GNU parallel
    #[arg(long)]
    parallel: bool,
}

/// Where a Kubernetes pod has the volume with the project: the working directory of `Containerfile`.
const MOUNTED: &str = "/work";

/// Writes a job for what is missing, and submits it.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    let plan = absolute(arguments.plan.path())?;
    let plan = if plan.is_dir() { plan.join(FILE) } else { plan };
    let folder = open(&plan)?;
    let missing = folder.missing().map_err(refused)?;
    if missing.is_empty() {
        output::print("every shard is there: nothing is left to submit\n")?;
        return Ok(Code::Good);
    }
    let submission = submission(arguments, &folder, &plan, &missing)?;
    for (name, text) in &submission.files {
        output::write_file(&folder.path().join(name), text)?;
    }
    let names: Vec<String> =
        submission.files.iter().map(|(name, _)| folder.path().join(name).display().to_string()).collect();
    let (count, shards) = (missing.len(), ranges(&missing));
    output::print(&format!("{count} shards are missing: {shards}\nwritten: {}\n", names.join(", ")))?;
    if arguments.run { submit(&submission, folder.path()) } else { hint(&submission, folder.path()) }
}

fn submission(
    arguments: &Arguments,
    folder: &Folder,
    plan: &Path,
    shards: &[u64],
) -> anyhow::Result<Submission> {
    let Arguments { scheduler, options, .. } = arguments;
    let here = env::current_dir()?;
    let own = env::current_exe()?.display().to_string();
    if arguments.program.is_none() && !scheduler.kubernetes && !scheduler.github {
        // Every shard would refuse it.
        let campaign = folder.campaign();
        campaign.check_program(&program_hash()?).map_err(|error| BadInput(error.to_string()))?;
    }
    let program =
        arguments.program.clone().unwrap_or(if scheduler.kubernetes { "callsim".to_owned() } else { own });
    let (plan, workdir) = if scheduler.kubernetes {
        let message =
            || format!("{} is not below {}, which the volume is to hold", plan.display(), here.display());
        let plan = submit::below(&here, plan).ok_or_else(|| BadInput(message()))?;
        (plan, PathBuf::from(MOUNTED))
    } else {
        (plan.to_owned(), here)
    };
    let job = Job { folder, shards, program: &program, plan: &plan, workdir: &workdir, options };
    Ok(if scheduler.slurm {
        submit::slurm(&job, arguments.max_array_size.map_or_else(max_array_size, NonZeroU64::get))
    } else if scheduler.kubernetes {
        let image = arguments.image.as_deref().unwrap_or_default();
        let parallelism = arguments.parallelism.get();
        submit::kubernetes(&job, &Cluster { image, claim: &arguments.claim, parallelism })
    } else if scheduler.github {
        submit::github(&job, arguments.artifact_run.as_deref())
    } else {
        let hosts = arguments.hosts.as_deref().map(absolute).transpose()?;
        submit::parallel(&job, hosts.as_deref())
    })
}

/// What this cluster allows.
fn max_array_size() -> u64 {
    let config = Command::new("scontrol").args(["show", "config"]).output();
    let text = config.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let line = text.lines().find_map(|line| line.trim().strip_prefix("MaxArraySize"));
    line.and_then(|line| line.trim_start_matches([' ', '=']).trim().parse().ok()).unwrap_or(MAX_ARRAY_SIZE)
}

fn submit(submission: &Submission, folder: &Path) -> anyhow::Result<Code> {
    let [program, arguments @ ..] = submission.command.as_slice() else { return Ok(Code::ToolFailed) };
    let status = Command::new(program).args(arguments).current_dir(folder).status();
    let status = status.with_context(|| format!("cannot start {program}"))?;
    // What plays the shards before it returns ends as their report does.
    let reported = [Code::Good, Code::CheckFailed, Code::Inconclusive, Code::BadInput];
    let known = reported.into_iter().find(|code| status.code() == Some(*code as i32));
    if known.is_none() {
        output::complain(&format!("error: {} ended with {status}", submission.command.join(" ")));
    }
    Ok(known.unwrap_or(Code::ToolFailed))
}

fn hint(submission: &Submission, folder: &Path) -> anyhow::Result<Code> {
    output::print(&format!("to submit: cd {} && {}\n", folder.display(), submission.command.join(" ")))?;
    Ok(Code::Good)
}
