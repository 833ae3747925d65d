//! `callsim campaign status`

use campaign::{
    Folder, Piece,
    folder::{Attempt, End, ranges},
};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::{PlanArgument, open, refused};
use crate::{exit::Code, output};

/// The options of the command.
#[derive(Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    plan: PlanArgument,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Some lines
    Human,
    /// One object
    Json,
}

/// What is known of a campaign's shards.
struct Status {
    missing: Vec<u64>,
    runs: u64,
    /// Attempts that have not ended: under way, or killed.
    open: Vec<Attempt>,
    /// Attempts that yielded something else than another.
    different: Vec<Attempt>,
    attempts: u64,
    cpu_s: f64,
}

/// Says which shards are there.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    let folder = open(arguments.plan.path())?;
    let status = Status::of(&folder)?;
    let text = match arguments.format {
        Format::Human => status.human(&folder),
        Format::Json => status.json(&folder)?,
    };
    output::print(&text)?;
    Ok(Code::Good)
}

impl Status {
    fn of(folder: &Folder) -> anyhow::Result<Self> {
        let campaign = folder.campaign();
        let missing = folder.missing().map_err(refused)?;
        let left =
            missing.iter().filter_map(|index| campaign.shard(*index)).flatten().map(Piece::runs).sum::<u64>();
        let runs = campaign.runs() - left;
        let (open, different) = (Vec::new(), Vec::new());
        let mut status = Self { missing, runs, open, different, attempts: 0, cpu_s: 0.0 };
        for index in 0..campaign.shards() {
            for attempt in folder.attempts(index).map_err(refused)? {
                status.attempts += 1;
                status.cpu_s += attempt.cpu_s;
                match attempt.end {
                    None => status.open.push(attempt),
                    Some(End::Different) => status.different.push(attempt),
                    Some(End::Written | End::Same | End::Stopped | End::Failed) => {}
                }
            }
        }
        Ok(status)
    }

    fn human(&self, folder: &Folder) -> String {
        let campaign = folder.campaign();
        let (shards, all) = (campaign.shards(), campaign.runs());
        let there = shards - self.missing.len() as u64;
        let share = self.runs as f64 * 100.0 / all as f64;
        let mut text =
            format!("{there} of {shards} shards are there, {} of {all} runs ({share:.1} %)\n", self.runs);
        if !self.missing.is_empty() {
            text += &format!("missing: {}\n", ranges(&self.missing));
        }
        for attempt in &self.open {
            let Attempt { shard, machine, started, .. } = attempt;
            text += &format!(
                "shard {shard} began on {machine} at {started} and has not ended: under way, or killed\n"
            );
        }
        for attempt in &self.different {
            let Attempt { shard, machine, attempt, .. } = attempt;
            text += &format!(
                "shard {shard} came out otherwise on {machine} (attempt {attempt}): `report` lists the runs\n"
            );
        }
        text += &format!("{} attempts, {:.0} s of processor time\n", self.attempts, self.cpu_s);
        text
    }

    fn json(&self, folder: &Folder) -> anyhow::Result<String> {
        let campaign = folder.campaign();
        let attempt = |attempt: &Attempt| json!({ "shard": attempt.shard, "attempt": attempt.attempt, "machine": attempt.machine, "started": attempt.started });
        let object = json!({
            "schema": 1,
            "command": "campaign status",
            "shards": campaign.shards(),
            "missing": self.missing,
            "runs": campaign.runs(),
            "played": self.runs,
            "attempts": self.attempts,
            "cpu_s": self.cpu_s,
            "open": self.open.iter().map(attempt).collect::<Vec<_>>(),
            "different": self.different.iter().map(attempt).collect::<Vec<_>>(),
        });
        Ok(serde_json::to_string_pretty(&object)? + "\n")
    }
}
