//! What this repository does to itself, as `cargo xtask` calls it: one module per command.

mod bench;
mod cargo;
mod conformance;
mod gate;
mod process;
mod recovery;
mod truth;

use std::process::ExitCode;

use callsim::terminal::{TABLE_STYLE, exit, interrupt, jobs, now, output, progress, screen, today};
use clap::{Parser, Subcommand};

/// A call makes some ten thousand small allocations; with this allocator it takes a tenth less time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What this repository does to itself.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// What W3C and IETF ask of a peer connection: bare webrtc, and the engine
    Conformance(conformance::Arguments),
    /// Stop a release that got slower: virtual time, instructions, wall time
    Gate(Box<gate::Arguments>),
    /// Compare virtual time with real time: the same call in both
    Truth(truth::Arguments),
    /// Measure call set-up latency, in virtual time, and what calls cost; a page with plots
    Bench(bench::Arguments),
    /// Write the tables of docs/recovery.md from the scenarios' pins
    Recovery(recovery::Arguments),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Conformance(arguments) => conformance::run(&arguments),
        Command::Gate(arguments) => gate::run(&arguments),
        Command::Truth(arguments) => truth::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Recovery(arguments) => recovery::run(&arguments),
    };
    output::end(result)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
