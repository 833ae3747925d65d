//! The program: one thin module per command; what they do is in the libraries.

#[cfg(feature = "campaign")]
mod campaign;
#[cfg(not(feature = "campaign"))]
#[path = "campaign_absent.rs"]
mod campaign;
#[cfg(feature = "gate")]
mod gate;
#[cfg(all(feature = "lab", target_os = "linux"))]
mod lab;
#[cfg(not(all(feature = "lab", target_os = "linux")))]
#[path = "lab_absent.rs"]
mod lab;
mod nat_grid;
mod new;
mod profiles;
mod project;
mod replay;
mod run;
mod schema;
mod serve;
mod shell;
mod versions;
mod worlds;

use std::process::ExitCode;

#[cfg(feature = "gate")]
use callsim::terminal::today;
use callsim::terminal::{exit, interrupt, jobs, now, output, progress, screen, typed};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

/// A call makes some ten thousand small allocations; with this allocator it takes a tenth less time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Plays scripted WebRTC calls in a deterministic virtual world.
#[derive(Parser)]
#[command(name = "callsim", bin_name = "callsim", version, arg_required_else_help = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Play scenarios over many seeds and judge them
    #[command(visible_alias = "scenarios")]
    Run(Box<run::Arguments>),
    /// Say what happened in a captured call, and play it again
    Replay(Box<replay::Arguments>),
    /// Run the signalling server on real sockets, for apps and for trying it by hand
    Serve(Box<serve::Arguments>),
    /// Stop a change that makes calls slower or bigger: the project's scenarios, in virtual time
    #[cfg(feature = "gate")]
    Gate(Box<gate::Arguments>),
    /// Play more runs than one machine should, with a scheduler that is there, and merge what they yield
    Campaign(Box<campaign::Arguments>),
    /// Give programs of any kind the network of a scenario, in real time: namespaces, with netsim between them
    Lab(Box<lab::Arguments>),
    /// The named networks: their figures and sources, and how calls fare on them
    Profiles(profiles::Arguments),
    /// Test every pair of NATs: what is simulated, and what the RFCs predict
    NatGrid(nat_grid::Arguments),
    /// Write a commented scenario to begin with
    New(new::Arguments),
    /// Write the JSON Schema of scenario files, scenarios/schema.json
    Schema(schema::Arguments),
    /// Print the completions of a shell
    Completions(shell::CompletionsArguments),
    /// Print the manual page of the program, or of a command
    Man(shell::ManArguments),
}

const EXAMPLES: &str = "\
Examples:
  callsim run                                     every scenario of scenarios/ over its 20 seeds
  callsim new loss/answer-lost                    a first scenario, with comments
  callsim run --list                              what there is
  callsim run ringing loss/uniform-5pct           a theme and one scenario
  callsim run happy/host-candidates --seed 7      one run, with its full timeline
  callsim run --format json --out report.json     for a machine
  callsim run --guards-off                        whether the harness sees what the engine guards against
  callsim replay dump.txt relay.jsonl             what happened in a captured call
  callsim gate                                    whether a call got slower than callsim-baseline.json expects
  callsim campaign plan loss --seeds 1..100000 --out nights/1   many runs, as shards for a scheduler
  callsim lab happy/host-candidates               the same call in real time, over real sockets
  callsim profiles                                the networks that scenarios can name
  callsim nat-grid                                which NATs a call gets through, and which need TURN
  callsim serve                                   the signalling server on 127.0.0.1:8080

Exit codes:
  0    all good
  1    the tool itself failed, or a run could not be played
  2    usage, or unreadable input
  3    a check failed, a replay diverged, or something got slower
  4    inconclusive: noise, or non-determinism
  5    nothing ran
  130  stopped by Ctrl-C";

fn main() -> ExitCode {
    let matches = typed::in_typed_words(Cli::command()).get_matches();
    let command = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli.command,
        Err(error) => error.exit(),
    };
    let result = match command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        #[cfg(feature = "gate")]
        Command::Gate(arguments) => gate::run(&arguments),
        Command::Campaign(arguments) => campaign::run(&arguments),
        Command::Lab(arguments) => match lab::run(&arguments) {
            Ok(ended) => return ended,
            Err(error) => Err(error),
        },
        Command::Profiles(arguments) => profiles::run(&arguments),
        Command::NatGrid(arguments) => nat_grid::run(&arguments),
        Command::New(arguments) => new::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Completions(arguments) => shell::completions(Cli::command(), &arguments),
        Command::Man(arguments) => shell::man(Cli::command(), &arguments),
    };
    output::end(result)
}

#[cfg(test)]
mod tests {
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
