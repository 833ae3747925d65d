//! `callsim lab`: the network of a scenario for programs of any kind.

mod report;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use ::lab::{Enclosed, Lab, LabError, Task, enclose};
use clap::{Args, ValueEnum};
use scenario::plan::Plan;
use timeline::Name;

use crate::{
    exit::Code,
    now,
    output::{self, BadInput, UnknownName},
    project::Project,
    run::Chosen,
};

/// The options of the command.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The scenario: its name, or its file's path
    #[arg(value_name = "FILE")]
    scenario: String,
    /// Run a line of the shell on a host: a peer, `signaller`, or a STUN or TURN server, in place of callsim's own. May be
    /// given several times
    #[arg(long, num_args = 2, value_names = ["HOST", "COMMAND"], action = clap::ArgAction::Append)]
    exec: Vec<String>,
    /// Run an interactive shell on a host
    #[arg(long, value_name = "HOST")]
    shell: Vec<String>,
    /// Let callsim's engine play this peer beside the programs; without any program it plays all
    #[arg(long, value_name = "PEER")]
    engine: Vec<String>,
    /// The seed of the network's draws
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// The longest that it may take [default: the scenario's deadline, or an hour with programs]
    #[arg(long = "for", value_name = "DURATION", value_parser = humantime::parse_duration)]
    at_most: Option<Duration>,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Write the report to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write the transcript, with all packets, to this file
    #[arg(long, value_name = "FILE")]
    transcript: Option<PathBuf>,
    /// Write the packet log to this file, a line of JSON for each
    #[arg(long, value_name = "FILE")]
    packets: Option<PathBuf>,
    /// Where scenarios are [default: the project's scenarios/, here or in a folder above]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// A program for the first peer, with its arguments
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

const EXAMPLES: &str = "\
Examples:
  callsim lab happy/host-candidates                         the scenario by callsim's engine, over real sockets
  callsim lab happy/host-candidates -- ping -c 5 callee.test      a program on the first peer
  callsim lab call.toml --exec caller './app --to callee' --exec callee './app'
  callsim lab call.toml --exec caller 'chromium https://…' --engine callee
  callsim lab call.toml --exec turn 'turnserver -n -u caller:secret -r x'      coturn in place of callsim's server
  callsim lab call.toml --shell caller                      look around; other hosts: nsenter --net=$CALLSIM_NET_CALLEE

Hosts are NAME.test in every program; steps for a peer with a program are its user's to do, all others are carried out.

Exit codes: 0 all good, 1 the lab failed or is not possible here, 2 usage or unreadable input, 3 a check failed or a
program ended with an error, 130 stopped by Ctrl-C: nothing was written";

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// What happened, and how exact time was kept
    Human,
    /// One object
    Json,
}

/// How long programs may run where nothing says so.
const HOUR: Duration = Duration::from_secs(3600);

/// Plays what is asked for, in a process of its own.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    // What is wrong with the command line is said before anything is made.
    let asked = match Asked::of(arguments)? {
        Ok(asked) => asked,
        Err(code) => return Ok(code.into()),
    };
    for target in [&arguments.out, &arguments.transcript, &arguments.packets] {
        output::check_target(target.as_deref())?;
    }
    match enclose()? {
        Enclosed::Over(code) => Ok(code),
        Enclosed::Inside(rights) => Ok(asked.play(arguments, rights)?.into()),
    }
}

/// What the command line means.
struct Asked {
    plan: Plan,
    argument: String,
    engines: Vec<Name>,
    tasks: Vec<Task>,
}

impl Asked {
    fn of(arguments: &Arguments) -> anyhow::Result<Result<Self, Code>> {
        let project = Project::find()?;
        let names = std::slice::from_ref(&arguments.scenario);
        let chosen = match Chosen::load(&project, arguments.dir.as_deref(), names) {
            Ok(chosen) => chosen,
            Err(code) => return Ok(Err(code)),
        };
        let [plan] = chosen.plans.as_slice() else {
            let count = chosen.plans.len();
            return Err(BadInput(format!(
                "a lab is of one scenario, and `{}` means {count}",
                arguments.scenario
            ))
            .into());
        };
        let mut tasks = Vec::new();
        for pair in arguments.exec.chunks(2) {
            let [name, line] = pair else { continue };
            tasks.push(Task::shell(host(plan, name)?, line));
        }
        let shell =
            std::env::var("SHELL").ok().filter(|shell| !shell.is_empty()).unwrap_or("/bin/sh".to_owned());
        for name in &arguments.shell {
            tasks.push(Task { host: host(plan, name)?, words: vec![shell.clone()] });
        }
        if let (false, Some(peer)) = (arguments.command.is_empty(), plan.peers().first()) {
            tasks.push(Task { host: peer.name.clone(), words: arguments.command.clone() });
        }
        let engines: Vec<Name> = if tasks.is_empty() && arguments.engine.is_empty() {
            plan.peers().iter().map(|peer| peer.name.clone()).collect()
        } else {
            arguments.engine.iter().map(|name| peer(plan, name)).collect::<Result<_, _>>()?
        };
        if let Some(twice) =
            engines.iter().find(|engine: &&Name| tasks.iter().any(|task| task.host == **engine))
        {
            let advice = "choose --engine or a program";
            return Err(BadInput(format!(
                "{twice} cannot be played by the engine and run a program; {advice}"
            ))
            .into());
        }
        let (plan, argument) = (plan.clone(), chosen.argument(plan));
        Ok(Ok(Self { plan, argument, engines, tasks }))
    }

    fn play(self, arguments: &Arguments, rights: ::lab::Rights) -> anyhow::Result<Code> {
        let longest = if self.tasks.is_empty() { self.plan.deadline() } else { HOUR };
        let started = now();
        let engines = self.engines.clone();
        let lab = Lab::open(&self.plan, engines, self.tasks.clone(), arguments.at_most.unwrap_or(longest));
        let played = match lab.and_then(|lab| lab.play(arguments.seed)) {
            Ok(played) => played,
            Err(error @ LabError::NotForEngines { .. }) => return Err(BadInput(error.to_string()).into()),
            Err(error) => return Err(error.into()),
        };
        report::hand_over(arguments, &self, played, rights, now().duration_since(started))
    }

    /// Whether the engine plays everybody, so that the scenario's expectations can be judged.
    fn is_judged(&self) -> bool {
        self.engines.len() == self.plan.peers().len()
    }
}

/// A host of the plan.
fn host(plan: &Plan, name: &str) -> Result<Name, UnknownName> {
    let known: Vec<Name> = plan.hosts().map(|host| host.name).collect();
    let found = known.iter().find(|known| known.as_str() == name).cloned();
    found.ok_or_else(|| UnknownName::new("host", name, known.iter().map(Name::as_str)))
}

/// A peer of the plan.
fn peer(plan: &Plan, name: &str) -> Result<Name, UnknownName> {
    let found = plan.peers().iter().find(|peer| peer.name.as_str() == name);
    let known = plan.peers().iter().map(|peer| peer.name.as_str());
    found.map(|peer| peer.name.clone()).ok_or_else(|| UnknownName::new("peer", name, known))
}
