//! The command line: one thin module per command; what they do stands in the crates.

mod bench;
mod cargo;
mod conformance;
mod exit;
mod gate;
mod interrupt;
mod nat_grid;
mod output;
mod process;
mod profiles;
mod progress;
mod replay;
mod scenarios;
mod schema;
mod serve;
mod truth;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A call makes some ten thousand small allocations; with this allocator it takes a tenth less time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Plays scripted WebRTC calls in a deterministic virtual world.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", arg_required_else_help = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Play scenarios over many seeds and judge them
    Scenarios(scenarios::Arguments),
    /// Hold every NAT against every NAT: what is simulated, and what the RFCs predict
    NatGrid(nat_grid::Arguments),
    /// What W3C and IETF ask of a peer connection: bare webrtc, and the engine
    Conformance(conformance::Arguments),
    /// Say what happened in a captured call, and play it again
    Replay(Box<replay::Arguments>),
    /// Stop a release that got slower: virtual time, instructions, wall time
    Gate(Box<gate::Arguments>),
    /// The named networks: their figures and sources, and how calls fare on them
    Profiles(profiles::Arguments),
    /// Write the JSON Schema of scenario files, scenarios/schema.json
    Schema(schema::Arguments),
    /// Compare virtual time with real time: the same call in both
    Truth(truth::Arguments),
    /// How long calls take to stand, in virtual time, and what they cost; a page with plots
    Bench(bench::Arguments),
    /// Run the signalling server on real sockets, for apps and for trying it by hand
    Serve(Box<serve::Arguments>),
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask scenarios                                     every scenario over its 20 seeds
  cargo xtask scenarios --list                              what there is
  cargo xtask scenarios ringing loss/uniform-5pct           a theme and one scenario
  cargo xtask scenarios happy/host-candidates --seed 7      one run, with its full timeline
  cargo xtask scenarios --format json --out report.json     for a machine
  cargo xtask replay dump.txt relay.jsonl                   what happened in a captured call
  cargo xtask scenarios --guards-off                        whether the harness sees what the engine guards against
  cargo xtask gate                                          whether something got slower
  cargo xtask profiles                                      the networks that scenarios can name
  cargo xtask nat-grid                                      which NATs a call gets through, and which need TURN
  cargo xtask conformance                                   where webrtc and the engine do otherwise than W3C says
  cargo xtask bench --quick                                 how long calls take to stand, and what they cost
  cargo xtask serve                                         the signalling server on 127.0.0.1:8080

Exit codes:
  0    all good
  1    the tool itself failed, or a run could not be played
  2    usage, or unreadable input
  3    a check failed, a replay diverged, or something got slower
  4    inconclusive: noise, or non-determinism
  5    nothing ran
  130  stopped by Ctrl-C";

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Scenarios(arguments) => scenarios::run(&arguments),
        Command::NatGrid(arguments) => nat_grid::run(&arguments),
        Command::Conformance(arguments) => conformance::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Gate(arguments) => gate::run(&arguments),
        Command::Profiles(arguments) => profiles::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Truth(arguments) => truth::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
    };
    match result {
        Ok(code) => code.into(),
        Err(error) => {
            output::complain(&format!("error: {}", output::in_one_line(&error)));
            exit::Code::ToolFailed.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_help_lists_every_exit_code() {
        for code in exit::Code::ALL {
            assert!(EXAMPLES.contains(&format!("\n  {:<3}  ", code as u8)), "{code:?}");
        }
    }
}
