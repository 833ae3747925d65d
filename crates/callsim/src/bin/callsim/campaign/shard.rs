//! `callsim campaign shard`

use std::{
    env,
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};

use campaign::{
    Folder, Piece,
    folder::{Attempt, End, Kept},
    index,
    shard::{self, ShardError, Tally},
    table::Label,
};
use clap::Args;
use scenario::{plan::Plan, suite::Progress};

use super::{PlanArgument, open, program_hash, refused, scenarios};
use crate::{exit::Code, interrupt, now, output, output::BadInput, progress::Bar, versions, worlds};

/// The options of the command.
#[derive(Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    plan: PlanArgument,
    /// Which shard, from 0 [default: what the scheduler says: SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX,
    /// AWS_BATCH_JOB_ARRAY_INDEX, BUILDKITE_PARALLEL_JOB, TEST_SHARD_INDEX, or CI_NODE_INDEX, which counts from 1]
    #[arg(long, value_name = "I")]
    index: Option<u64>,
    /// On how many threads [default: what the plan says]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroU32>,
}

/// Plays a shard.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    let variable = |name: &str| env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    let folder = open(arguments.plan.path())?;
    let index = index::index(arguments.index, &variable).map_err(|error| BadInput(error.to_string()))?;
    let campaign = folder.campaign();
    let no_shard = || refused(campaign::FolderError::NoShard { index, shards: campaign.shards() });
    let pieces = campaign.shard(index).ok_or_else(no_shard)?;
    campaign.check_program(&program_hash()?).map_err(|error| BadInput(error.to_string()))?;
    let plans = match scenarios(campaign, pieces)? {
        Ok(plans) => plans,
        Err(code) => return Ok(code),
    };
    // What is there is compared with: whether that can be done is known before the work.
    folder.shard(index).map_err(refused)?;
    worlds::supported()?;
    versions::check();
    interrupt::listen()?;
    let jobs = arguments.jobs.map_or(campaign.jobs, NonZeroU32::get);
    let mut attempt = Attempt {
        schema: 1,
        plan: campaign.id.clone(),
        shard: index,
        machine: machine(),
        scheduler: scheduler(),
        jobs,
        started: moment(),
        ..Attempt::default()
    };
    folder.begin(&mut attempt).map_err(refused)?;
    let started = now();
    let played = play(&folder, index, pieces, &plans, &attempt);
    let (tally, end) = match &played {
        Ok((tally, kept)) => (*tally, end_of(kept)),
        Err(Failed::Shard(ShardError::Stopped { tally, .. })) => (*tally, End::Stopped),
        Err(_) => (Tally::default(), End::Failed),
    };
    attempt.ended = Some(moment());
    attempt.end = Some(end);
    attempt.runs = tally.runs;
    attempt.failed_runs = tally.failed_runs;
    attempt.cpu_s = seconds(tally.cpu);
    attempt.wall_s = seconds(now().duration_since(started));
    attempt.peak_bytes = peak_bytes();
    folder.end(&attempt).map_err(refused)?;
    verdict(index, &attempt, played)
}

/// Why there is no new file.
enum Failed {
    Shard(ShardError),
    Folder(campaign::FolderError),
}

fn play(
    folder: &Folder,
    index: u64,
    pieces: &[Piece],
    plans: &[Option<Plan>],
    attempt: &Attempt,
) -> Result<(Tally, Kept), Failed> {
    let threads = usize::try_from(attempt.jobs).ok().and_then(NonZeroUsize::new).unwrap_or(NonZeroUsize::MIN);
    let file = folder.temporary(index, attempt.attempt).map_err(Failed::Folder)?;
    let label = Label { plan: folder.campaign().id.clone(), shard: index };
    let total = usize::try_from(pieces.iter().map(Piece::runs).sum::<u64>()).unwrap_or(usize::MAX);
    let bar = Bar::new();
    let progress = |tally: Tally| {
        let [done, failed] =
            [tally.runs, tally.failed_runs].map(|count| usize::try_from(count).unwrap_or(usize::MAX));
        bar.show(Progress { done, failed, total });
    };
    let played = shard::play(file, &label, pieces, plans, threads, &interrupt::CANCEL, progress);
    bar.clear();
    let (file, tally) = played.map_err(Failed::Shard)?;
    let kept = folder.keep(file, index, attempt.attempt).map_err(Failed::Folder)?;
    Ok((tally, kept))
}

fn end_of(kept: &Kept) -> End {
    match kept {
        Kept::First => End::Written,
        Kept::Same => End::Same,
        Kept::Different(_) => End::Different,
    }
}

fn verdict(index: u64, attempt: &Attempt, played: Result<(Tally, Kept), Failed>) -> anyhow::Result<Code> {
    let (tally, kept) = match played {
        Ok(played) => played,
        Err(Failed::Shard(error @ ShardError::Stopped { .. })) => {
            output::complain(&error.to_string());
            return Ok(Code::Interrupted);
        }
        Err(Failed::Shard(error)) => return Err(error.into()),
        Err(Failed::Folder(error)) => return Err(refused(error)),
    };
    let Tally { runs, failed_runs, .. } = tally;
    let speed = runs as f64 / attempt.wall_s.max(1e-3);
    let said = match &kept {
        Kept::First => String::new(),
        Kept::Same => ", the same as before".to_owned(),
        Kept::Different(other) => format!(", NOT the same as before: see {}", other.display()),
    };
    output::print(&format!("shard {index}: {runs} runs, {failed_runs} failed, {speed:.0} a second{said}\n"))?;
    Ok(match kept {
        Kept::Different(_) => Code::Inconclusive,
        _ if failed_runs > 0 => Code::CheckFailed,
        _ => Code::Good,
    })
}

/// The name of this machine: of the node, where a scheduler has several on one machine.
fn machine() -> String {
    let node = env::var("SLURMD_NODENAME").ok().filter(|name| !name.is_empty());
    let system =
        || std::fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|name| name.trim().to_owned());
    node.or_else(system).unwrap_or_else(|| "unknown".to_owned())
}

/// What schedulers say of a job, for whoever looks for it in their records.
fn scheduler() -> Vec<String> {
    let names = [
        "SLURM_JOB_ID",
        "SLURM_ARRAY_JOB_ID",
        "SLURM_RESTART_COUNT",
        "AWS_BATCH_JOB_ID",
        "GITHUB_RUN_ID",
        "CI_JOB_ID",
        "BUILDKITE_JOB_ID",
    ];
    let known = names.iter().filter_map(|name| Some(format!("{name}={}", env::var(name).ok()?)));
    known.collect()
}

/// The most memory that this process had, where the system says it.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

#[allow(clippy::disallowed_methods, reason = "when an attempt took place is real time")]
fn moment() -> String {
    humantime::format_rfc3339_millis(std::time::SystemTime::now()).to_string()
}

/// Seconds with three digits behind the point.
fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e3).round() / 1e3
}
