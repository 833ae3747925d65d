//! Measures one thing and says it as JSON; makes the page of many. `cargo xtask bench` calls it; by hand it is for
//! looking at one workload, or at one call's critical path.

mod clock;
mod cost;
mod error;
mod files;
mod path;

use std::{num::NonZeroUsize, path::PathBuf, process::ExitCode, time::Duration};

use benches::{
    latency::{cases, play_all, summary::Summary},
    workload::{self, Size},
};
use clap::{Parser, Subcommand, ValueEnum};
use serde::Serialize;

use self::error::MeasureError;

#[derive(Parser)]
#[command(name = "measure", about = "Measures one thing and says it as JSON")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The ids of all workloads
    List,
    /// Processor time, wall-clock time and memory of one workload
    Cost {
        /// Its id
        id: String,
        /// How much it does
        #[arg(long, value_enum, default_value = "full")]
        size: SizeWord,
        /// For how long it is run again and again, in milliseconds; at least once
        #[arg(long, default_value = "5000")]
        for_ms: u64,
    },
    /// How many complete calls a second so many threads play
    Worlds {
        /// How many threads
        #[arg(long)]
        jobs: NonZeroUsize,
        /// For how long, in milliseconds
        #[arg(long, default_value = "5000")]
        for_ms: u64,
    },
    /// Set-ups in virtual time: of every case, over the first seeds
    Latency {
        /// How many seeds
        #[arg(long, default_value = "200")]
        seeds: u64,
        /// On how many threads
        #[arg(long)]
        jobs: NonZeroUsize,
    },
    /// The critical path of one call, step by step
    Path {
        /// A case: `happy/host-candidates`, `profiles/lte-to-wifi`
        case: String,
        /// Its seed
        #[arg(long, default_value = "1")]
        seed: u64,
    },
    /// Makes the page, and the page of the documentation, of results in a file
    Page {
        /// The results, as `cargo xtask bench` keeps them
        results: PathBuf,
        /// Where the page goes
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
        /// Where the page of the documentation goes
        #[arg(long, value_name = "FILE")]
        markdown: Option<PathBuf>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum SizeWord {
    Smoke,
    Full,
}

type Result<T> = std::result::Result<T, MeasureError>;

fn main() -> ExitCode {
    match carry_out(Cli::parse().command) {
        Ok(text) => files::print(&text),
        Err(error) => files::complain(&error),
    }
}

fn carry_out(command: Command) -> Result<String> {
    match command {
        Command::List => json(&workload::all().map(|workload| workload.id).collect::<Vec<_>>()),
        Command::Cost { id, size, for_ms } => {
            let size = match size {
                SizeWord::Smoke => Size::Smoke,
                SizeWord::Full => Size::Full,
            };
            json(&cost::of(&id, size, Duration::from_millis(for_ms))?)
        }
        Command::Worlds { jobs, for_ms } => json(&cost::worlds(jobs, Duration::from_millis(for_ms))?),
        Command::Latency { seeds, jobs } => latency(seeds, jobs),
        Command::Path { case, seed } => path::of(&case, seed),
        Command::Page { results, html, markdown } => {
            files::pages(&results, html.as_deref(), markdown.as_deref())
        }
    }
}

fn latency(seeds: u64, jobs: NonZeroUsize) -> Result<String> {
    let cases = cases()?;
    let played = play_all(&cases, 1..=seeds, jobs)?;
    let summaries = cases.iter().zip(&played).map(|(case, latencies)| Summary::of(case, latencies));
    json(&summaries.collect::<Vec<_>>())
}

fn json(value: &impl Serialize) -> Result<String> {
    Ok(serde_json::to_string(value)? + "\n")
}
