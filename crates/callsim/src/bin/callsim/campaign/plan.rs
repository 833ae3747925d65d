//! `callsim campaign plan`

use std::{
    num::{NonZeroU32, NonZeroU64, NonZeroUsize},
    path::PathBuf,
    process::Command,
    time::Duration,
};

use campaign::{
    Campaign, Folder,
    campaign::{Ingredients, MAX_SHARDS, PlannedScenario, Program, Sharding},
    seeds::SeedRange,
};
use clap::Args;
use scenario::{
    plan::Plan,
    run::Player,
    suite::{self, Broken, Keep, Options, Seeds, SuiteResult},
};

use super::{program_hash, refused};
use crate::{
    exit::Code, interrupt, jobs, output, progress::Bar, project::Project, run::Chosen, typed, versions,
    worlds,
};

/// How many runs of each scenario are played to know what one costs.
const SAMPLE: u32 = 8;

/// The options of the command.
#[derive(Args)]
pub(super) struct Arguments {
    /// Which scenarios, as of `callsim run` [default: all]
    #[arg(value_name = "SCENARIO")]
    names: Vec<String>,
    /// Which seeds of each: A..B, both included
    #[arg(long, value_name = "A..B")]
    seeds: SeedRange,
    /// How many shards
    #[arg(long, value_name = "N", conflicts_with = "minutes_per_shard", value_parser = clap::value_parser!(u64).range(1..=MAX_SHARDS))]
    shards: Option<u64>,
    /// How long a shard takes, on as many cores as `--jobs` says
    #[arg(long, value_name = "M", default_value = "5", value_parser = minutes)]
    minutes_per_shard: f64,
    /// The folder of the campaign; it may not have one yet
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// On how many threads a shard is played
    #[arg(long, value_name = "N", default_value = "1")]
    jobs: NonZeroU32,
    /// Where scenarios are [default: the project's scenarios/, here or in a folder above]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// What `--minutes-per-shard` does not accept.
#[derive(Debug, thiserror::Error)]
#[error("accepted is a number of minutes above 0")]
struct NoMinutes;

fn minutes(text: &str) -> Result<f64, NoMinutes> {
    text.parse().ok().filter(|minutes: &f64| minutes.is_finite() && *minutes > 0.0).ok_or(NoMinutes)
}

/// Plans a campaign.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    Folder::check_free(&arguments.out).map_err(refused)?;
    let project = Project::find()?;
    let chosen = match Chosen::load(&project, arguments.dir.as_deref(), &arguments.names) {
        Ok(chosen) => chosen,
        Err(code) => return Ok(code),
    };
    // What was meant and cannot be used would be missing from a million runs.
    if chosen.verdict(Code::Good) != Code::Good {
        return Ok(Code::BadInput);
    }
    worlds::supported()?;
    versions::check();
    interrupt::listen()?;
    let sample = sample(&chosen.plans);
    if sample.is_partial() {
        output::complain("stopped: nothing was written");
        return Ok(Code::Interrupted);
    }
    let mut scenarios = Vec::new();
    for (plan, runs) in chosen.plans.iter().zip(&sample.scenarios) {
        match cost_us(runs) {
            Ok(cost) => scenarios.push(PlannedScenario::new(plan, chosen.argument(plan), cost)),
            Err(problem) => {
                let problem = problem.map(|problem| format!(": {problem}")).unwrap_or_default();
                output::complain(&format!("error: {} cannot be played{problem}", plan.name()));
                return Ok(Code::ToolFailed);
            }
        }
    }
    let dir = arguments.dir.as_deref().map(std::path::absolute).transpose()?;
    let ingredients = Ingredients {
        commit: commit(),
        program: Program { version: env!("CARGO_PKG_VERSION").to_owned(), hash: program_hash()? },
        seeds: arguments.seeds,
        jobs: arguments.jobs.get(),
        dir,
        scenarios,
    };
    let sharding = arguments.shards.map_or(Sharding::Minutes(arguments.minutes_per_shard), Sharding::Count);
    let campaign = Campaign::new(ingredients, sharding);
    let file = Folder::create(&arguments.out, &campaign).map_err(refused)?;
    output::print(&summary(&campaign, &file.display().to_string()))?;
    Ok(Code::Good)
}

fn sample(plans: &[Plan]) -> SuiteResult {
    let options =
        Options { seeds: Seeds::Count(SAMPLE), jobs: jobs(None::<NonZeroUsize>), keep: Keep::Nothing };
    let bar = Bar::new();
    let play = |plan: &Plan, seed| Player::new(plan).seed(seed).play();
    let result = suite::run(plans, &options, &interrupt::CANCEL, play, |progress| bar.show(progress));
    bar.clear();
    result
}

/// What a run costs on average, in microseconds; or why none could be played, where a reason is known.
fn cost_us(runs: &[suite::Run]) -> Result<u64, Option<&Broken>> {
    let costs = runs.iter().filter_map(|run| run.result.as_ref().ok()?.cpu);
    let (total, count) = costs.fold((Duration::ZERO, 0), |(total, count), cost| (total + cost, count + 1));
    let problem = || runs.iter().find_map(|run| run.result.as_ref().err());
    let count = NonZeroU64::new(count).ok_or_else(problem)?;
    Ok(u64::try_from(total.as_micros()).unwrap_or(u64::MAX) / count)
}

/// The commit of the working directory, and whether something in it was changed since; `None` outside git.
fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let output =
            Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "HEAD"])?;
    let is_clean = git(&["status", "--porcelain"])?.is_empty();
    Some(if is_clean { commit } else { format!("{commit}-dirty") })
}

fn summary(campaign: &Campaign, file: &str) -> String {
    let cost: f64 = campaign.shards.iter().map(|shard| campaign.cost_s(shard)).sum();
    let (runs, shards) = (campaign.runs(), campaign.shards());
    let each = Duration::from_secs_f64((cost / shards as f64 / f64::from(campaign.jobs)).ceil());
    let hours = cost / 3600.0;
    let scenarios = match campaign.scenarios.len() {
        1 => "1 scenario".to_owned(),
        count => format!("{count} scenarios"),
    };
    format!(
        "{file}: {runs} runs of {scenarios} in {shards} shards of about {} each, {hours:.2} core-hours\n\
         {} --plan {file} --index 0   plays the first here; `submit` has jobs for schedulers\n",
        humantime::format_duration(each),
        typed::command("campaign shard"),
    )
}
