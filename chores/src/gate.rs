//! `cargo xtask gate`

mod accept;
mod baselines;
mod build;
mod compare;
mod doctor;
mod git;
mod machine;
mod neighbour;
mod outputs;
mod selftest;
mod tier;
mod verdict;
mod wait;
mod worker;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::{exit::Code, interrupt, output, process};

/// The options of the command.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    compare: compare::Arguments,
}

#[derive(Subcommand)]
enum Command {
    /// Take what the last gate measured for what is expected from now on
    Accept(accept::Arguments),
    /// Come to the verdict once more, from a report alone
    Verdict(verdict::Arguments),
    /// Measure how often the gate is wrong
    Selftest(selftest::Arguments),
    /// Say what this machine can judge
    Doctor(doctor::Arguments),
    /// Keep all cores busy, on and off, until standard input ends
    #[command(hide = true)]
    Neighbour,
}

/// Which worker measures.
#[derive(Args, Clone, Debug)]
#[group(skip)]
struct WorkerArguments {
    /// A program that speaks the protocol (docs/gating.md) [default: the workspace's own, built when needed]
    #[arg(long, value_name = "PROGRAM")]
    worker: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask gate --tier virtual                    exact, in seconds: what .ci/run does
  cargo xtask gate                                   all three tiers, against the last release
  cargo xtask gate --tier wall --against HEAD~3      time, against another commit
  cargo xtask gate --release --report gate.json      every metric must be judged
  cargo xtask gate accept 'happy/*' --reason 'one round trip fewer'
  cargo xtask gate verdict gate.json                 the same verdict, on any machine
  cargo xtask gate selftest --quick                  an identical pair passes, 5 % slower is caught
  cargo xtask gate doctor                            whether this machine can judge

Exit codes: 0 all compared, all pass; 1 the gate failed; 2 usage or unreadable input; 3 regression;
4 inconclusive: noise, a failed control, non-determinism; 5 nothing compared, baseline missing or stale;
130 stopped by Ctrl-C";

/// Does what is asked.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    if matches!(arguments.command, Some(Command::Neighbour)) {
        return Ok(neighbour::be());
    }
    interrupt::listen_and(process::end_all)?;
    let result = match &arguments.command {
        None => compare::run(&arguments.compare),
        Some(Command::Accept(arguments)) => accept::run(arguments),
        Some(Command::Verdict(arguments)) => verdict::run(arguments),
        Some(Command::Selftest(arguments)) => selftest::run(arguments),
        Some(Command::Doctor(arguments)) => doctor::run(arguments),
        Some(Command::Neighbour) => Ok(neighbour::be()),
    };
    // Whatever failed, failed because its children were ended.
    if interrupt::CANCEL.is_cancelled() {
        output::complain("stopped: nothing was written");
        return Ok(Code::Interrupted);
    }
    if let Err(error) = &result {
        outputs::tell_github_of_failure(&output::in_one_line(error));
    }
    result
}
