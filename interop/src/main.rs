//! `cargo xtask interop`: the call engine on real sockets against browsers and other implementations.

mod client;
mod flow;
mod install;
mod known;
mod pair;
mod peer;
mod results;
mod side;
mod stage;
mod words;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};
use timeline::Word;

use self::{
    client::{Caller, Client},
    flow::Flow,
    pair::Pair,
    results::{Results, Row, Verdict},
    side::Trouble,
    stage::Stage,
};

#[derive(Parser)]
#[command(name = "callsim-interop", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Asked,
}

#[derive(Subcommand)]
enum Asked {
    /// Play calls of the engine with browsers and other implementations on real sockets, and write docs/interop.md
    Interop(Arguments),
    /// The engine's side of a call, for the other command
    #[command(hide = true)]
    Peer { options: String },
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask interop --install                               what it needs, from Debian, npm and PyPI
  cargo xtask interop                                         everything that can be played here
  cargo xtask interop --client chromium --flow happy glare    some of it
  cargo xtask interop --list                                  flows and clients

Logs of both sides are in target/interop. Each run updates interop/results.json by what it played, and makes docs/interop.md
of that.

Exit codes:
  0  all flows that were played went as they should, or deviated as interop/src/known.rs explains
  1  the tool itself failed
  2  usage
  3  a flow deviated without an explanation, or passes against one
  5  nothing was played";

#[derive(Args)]
#[command(after_help = EXAMPLES)]
struct Arguments {
    /// Install what it needs first: Chromium and coturn with apt-get (as root), node's and Python's packages in interop/
    #[arg(long)]
    install: bool,
    /// These clients only
    #[arg(long, num_args = 1.., value_name = "CLIENT", value_parser = word::<Client>)]
    client: Vec<Client>,
    /// These flows only
    #[arg(long, num_args = 1.., value_name = "FLOW", value_parser = word::<Flow>)]
    flow: Vec<Flow>,
    /// Only calls that this side makes: `engine` or `client`
    #[arg(long, value_name = "SIDE", value_parser = caller)]
    caller: Option<Caller>,
    /// Write neither results nor page
    #[arg(long)]
    dry: bool,
    /// Make docs/interop.md of interop/results.json, and play nothing
    #[arg(long)]
    render: bool,
    /// Tell flows and clients, and play nothing
    #[arg(long)]
    list: bool,
}

/// A word of a closed set.
fn word<W: Word>(text: &str) -> Result<W, String> {
    W::from_word(text).ok_or_else(|| format!("there are {}", W::WORDS.join(", ")))
}

fn caller(text: &str) -> Result<Caller, String> {
    match text {
        "engine" => Ok(Caller::Engine),
        "client" => Ok(Caller::Client),
        _ => Err("there are engine, client".to_owned()),
    }
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Asked::Peer { options } => peer::run(&options).map(|()| 0),
        Asked::Interop(arguments) => interop(&arguments),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(1)
        }
    }
}

fn interop(arguments: &Arguments) -> anyhow::Result<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(PathBuf::from).unwrap_or_default();
    if arguments.list {
        println!("clients: {}\nflows: {}", Client::WORDS.join(", "), Flow::WORDS.join(", "));
        return Ok(0);
    }
    let (file, page) = (root.join("interop/results.json"), root.join("docs/interop.md"));
    if arguments.render {
        std::fs::write(&page, Results::read(&file)?.page())?;
        return Ok(0);
    }
    if arguments.install {
        install::all(&root)?;
    }
    let mut results = Results::read(&file)?;
    let played = play(arguments, &root, |row| {
        if arguments.dry {
            results.put(row);
            return Ok(());
        }
        // At once, and after what another run has written meanwhile: what was played is not lost.
        results = Results::read(&file)?;
        results.put(row);
        results.write(&file)
    })?;
    if !arguments.dry {
        install::versions(&root, &mut results.versions);
        results.write(&file)?;
        std::fs::write(&page, results.page())?;
        println!("wrote {} and {}", file.display(), page.display());
    }
    let open = results.open_questions();
    for question in &open {
        println!("not explained: {question}");
    }
    Ok(if !open.is_empty() {
        3
    } else if played == 0 {
        5
    } else {
        0
    })
}

/// Plays what is asked for and can be played; how many flows that were.
fn play(
    arguments: &Arguments,
    root: &Path,
    mut put: impl FnMut(Row) -> anyhow::Result<()>,
) -> anyhow::Result<usize> {
    let chosen = |clients: &[Client], client| clients.is_empty() || clients.contains(&client);
    let stage = Stage::start(root)?;
    let mut played = 0;
    for client in Client::ALL.iter().copied().filter(|client| chosen(&arguments.client, *client)) {
        let missing = client.missing(root);
        if let Some(missing) = &missing {
            println!("{client}: not run, {missing}; `cargo xtask interop --install` installs it");
        }
        for flow in Flow::ALL.iter().copied() {
            if !arguments.flow.is_empty() && !arguments.flow.contains(&flow) {
                continue;
            }
            for caller in [Caller::Engine, Caller::Client] {
                if arguments.caller.is_some_and(|only| only != caller) {
                    continue;
                }
                let verdict = match (client.lacks(flow), &missing) {
                    (Some(why), _) => Verdict::NotRun(why.to_owned()),
                    (None, Some(missing)) => Verdict::NotRun(missing.clone()),
                    (None, None) => {
                        played += 1;
                        one(&stage, client, flow, caller)
                    }
                };
                if !matches!(verdict, Verdict::NotRun(_)) {
                    println!("{flow:<24} {:<28} {}", results::names(client, caller), in_a_line(&verdict));
                }
                put(Row { flow, client, caller, verdict })?;
            }
        }
    }
    Ok(played)
}

fn one(stage: &Stage, client: Client, flow: Flow, caller: Caller) -> Verdict {
    let played = Pair::start(stage, client, flow, caller).and_then(|mut pair| flow.play(&mut pair));
    match played {
        Ok(facts) => Verdict::Pass(facts),
        Err(Trouble::Unsupported { who, what }) => Verdict::NotRun(format!("{who} cannot {what}")),
        Err(trouble) => Verdict::Deviates(trouble.to_string()),
    }
}

fn in_a_line(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Pass(facts) => format!("pass  {}", facts.join("; ")),
        Verdict::Deviates(what) => format!("DEVIATES  {what}"),
        Verdict::NotRun(why) => format!("not run  {why}"),
    }
}
