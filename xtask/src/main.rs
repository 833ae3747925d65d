//! `cargo xtask`: hands each command to the package that has it, so that a command builds only what it needs.
//!
//! Commands of the program `callsim` go to it, this repository's own to the package `chores`.

use std::{
    env,
    ffi::{OsStr, OsString},
    process::{Command, ExitCode},
};

/// Tells the program by which name its user called it (`callsim::terminal::typed`).
const CALLED_AS: (&str, &str) = ("CALLSIM_CALLED_AS", "cargo xtask");

/// How alike two words must be (0 to 1, normalised Damerau–Levenshtein) to be taken for one another.
const ALIKE: f64 = 0.5;

/// A command: its name here, the package that has it, and what it does.
struct Entry {
    name: &'static str,
    package: &'static str,
    about: &'static str,
}

const fn entry(name: &'static str, package: &'static str, about: &'static str) -> Entry {
    Entry { name, package, about }
}

const COMMANDS: &[Entry] = &[
    entry("scenarios", "callsim", "Play scenarios over many seeds and judge them"),
    entry("replay", "callsim", "Say what happened in a captured call, and play it again"),
    entry(
        "serve",
        "callsim",
        "Run the signalling server on real sockets, for apps and for trying it by hand",
    ),
    entry(
        "campaign",
        "callsim",
        "Play more runs than one machine should, with a scheduler that is there, and merge what they yield",
    ),
    entry(
        "lab",
        "callsim",
        "Give programs of any kind the network of a scenario, in real time: namespaces, with netsim between them",
    ),
    entry("profiles", "callsim", "The named networks: their figures and sources, and how calls fare on them"),
    entry("nat-grid", "callsim", "Test every pair of NATs: what is simulated, and what the RFCs predict"),
    entry("new", "callsim", "Write a commented scenario to begin with"),
    entry("schema", "callsim", "Write the JSON Schema of scenario files, scenarios/schema.json"),
    entry("completions", "callsim", "Print the completions of a shell"),
    entry("man", "callsim", "Print the manual page of the program, or of a command"),
    entry("conformance", "chores", "What W3C and IETF ask of a peer connection: bare webrtc, and the engine"),
    entry("gate", "chores", "Stop a release that got slower: virtual time, instructions, wall time"),
    entry("truth", "chores", "Compare virtual time with real time: the same call in both"),
    entry(
        "bench",
        "chores",
        "Measure call set-up latency, in virtual time, and what calls cost; a page with plots",
    ),
    entry(
        "interop",
        "callsim-interop",
        "Play calls of the engine with browsers and other implementations on real sockets, and write docs/interop.md",
    ),
    entry("recovery", "chores", "Write the tables of docs/recovery.md from the scenarios' pins"),
];

/// Commands of `callsim` that need a feature which is off by default.
const FEATURES: [(&str, &str); 2] = [("campaign", "callsim/campaign"), ("lab", "callsim/lab")];

/// Commands of `callsim` that have another name here.
const OWN_NAMES: [(&str, &str); 1] = [("run", "scenarios")];

/// The package that daily commands do not build.
const INTEROP: &str = "callsim-interop";

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
  cargo xtask campaign plan loss --seeds 1..100000 --out target/night      many runs, as shards for a scheduler
  cargo xtask lab happy/host-candidates                     the same call in real time, over real sockets
  cargo xtask profiles                                      the networks that scenarios can name
  cargo xtask nat-grid                                      which NATs a call gets through, and which need TURN
  cargo xtask conformance                                   where webrtc and the engine deviate from the specifications
  cargo xtask bench --quick                                 how long call set-up takes, and what calls cost
  cargo xtask serve                                         the signalling server on 127.0.0.1:8080

Exit codes:
  0    all good
  1    the tool itself failed, or a run could not be played
  2    usage, or unreadable input
  3    a check failed, a replay diverged, or something got slower
  4    inconclusive: noise, or non-determinism
  5    nothing ran
  130  stopped by Ctrl-C
";

/// The exit codes of this program itself.
const TOOL_FAILED: u8 = 1;
const BAD_INPUT: u8 = 2;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    match Asked::of(&arguments) {
        Asked::Command(package, arguments) => run(package, arguments),
        Asked::Help => show(&mut std::io::stdout(), &help(), 0),
        Asked::Nothing => show(&mut std::io::stderr(), &help(), BAD_INPUT),
        Asked::Unknown(name) => show(&mut std::io::stderr(), &unknown(&name), BAD_INPUT),
    }
}

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Asked<'a> {
    /// This package with these arguments.
    Command(&'static str, Vec<&'a OsStr>),
    Help,
    Nothing,
    Unknown(String),
}

impl<'a> Asked<'a> {
    fn of(arguments: &'a [OsString]) -> Self {
        let all: Vec<&OsStr> = arguments.iter().map(OsString::as_os_str).collect();
        let texts: Vec<&'a str> =
            all.iter().take(2).map(|argument| argument.to_str().unwrap_or_default()).collect();
        match texts.as_slice() {
            [] => Self::Nothing,
            ["--help" | "-h", ..] | ["help"] => Self::Help,
            ["help", name] => Self::command(name, &[OsStr::new(*name), OsStr::new("--help")]),
            [name, ..] => Self::command(name, &all),
        }
    }

    fn command(name: &str, arguments: &[&'a OsStr]) -> Self {
        let own = OWN_NAMES.iter().find(|(other, _)| *other == name).map_or(name, |(_, own)| own);
        match COMMANDS.iter().find(|entry| entry.name == own) {
            Some(entry) => Self::Command(entry.package, arguments.to_vec()),
            None => Self::Unknown(name.to_owned()),
        }
    }
}

/// Runs `program` in the user's directory, in place of this one where the system can.
fn run(program: &str, arguments: Vec<&OsStr>) -> ExitCode {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What cargo says about this package would build things anew.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") || text == "CARGO_BIN_NAME" {
            command.env_remove(&name);
        }
    }
    command.args([
        "run",
        "--quiet",
        "--manifest-path",
        concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"),
    ]);
    if wants_store(program, &arguments) {
        command.args(["--features", "callsim/store"]);
    }
    // Not by its package: of all members together, so that external crates have the features that `cargo test` built.
    let is_named = |(name, _): &&(&str, &str)| arguments.first().is_some_and(|first| first == name);
    if let Some((_, feature)) = FEATURES.iter().find(is_named) {
        command.args(["--features", feature]);
    }
    if program == INTEROP {
        // Not among the default members.
        command.args(["--package", INTEROP]);
    }
    command.args(["--bin", program, "--"]).args(arguments).env(CALLED_AS.0, CALLED_AS.1);
    let problem = replace(&mut command);
    match problem {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            show(&mut std::io::stderr(), &format!("error: cannot start cargo: {error}\n"), TOOL_FAILED)
        }
    }
}

/// Whether the command needs the durable store, which is built for nothing else.
fn wants_store(program: &str, arguments: &[&OsStr]) -> bool {
    let is_store = |argument: &&OsStr| {
        argument.to_str().is_some_and(|text| text == "--store" || text.starts_with("--store="))
    };
    program == "callsim"
        && arguments.first().is_some_and(|command| *command == "serve")
        && arguments.iter().any(is_store)
}

/// This process becomes the command.
#[cfg(unix)]
fn replace(command: &mut Command) -> std::io::Result<u8> {
    Err(std::os::unix::process::CommandExt::exec(command))
}

/// Waits for the command and takes over its exit code.
#[cfg(not(unix))]
fn replace(command: &mut Command) -> std::io::Result<u8> {
    let code = command.status()?.code();
    Ok(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(TOOL_FAILED))
}

fn help() -> String {
    let width = COMMANDS.iter().map(|entry| entry.name.len()).max().unwrap_or(0);
    let line = |entry: &Entry| format!("  {:<width$}  {}\n", entry.name, entry.about);
    let commands: String = COMMANDS.iter().map(line).collect();
    format!(
        "Plays scripted WebRTC calls in a deterministic virtual world.\n\n\
         Usage: cargo xtask <COMMAND>\n\nCommands:\n{commands}\n\
         `cargo xtask COMMAND --help` has the options of one.\n\n{EXAMPLES}"
    )
}

fn unknown(name: &str) -> String {
    let score = |entry: &&Entry| strsim::normalized_damerau_levenshtein(name, entry.name);
    let near = COMMANDS.iter().filter(|entry| score(entry) >= ALIKE);
    let nearest = near.max_by(|one, other| score(one).total_cmp(&score(other)));
    let advice = nearest.map(|entry| format!("; did you mean `{}`?", entry.name)).unwrap_or_default();
    let known: Vec<&str> = COMMANDS.iter().map(|entry| entry.name).collect();
    format!("error: there is no command `{name}`{advice}\nthere are: {}\n", known.join(", "))
}

/// Writes `text`, if anybody reads it, and yields `code`.
fn show(to: &mut impl std::io::Write, text: &str, code: u8) -> ExitCode {
    let _ = to.write_all(text.as_bytes());
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(arguments: &[&str], expect: Result<(&str, &[&str]), &Asked<'_>>) {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        match (Asked::of(&arguments), expect) {
            (Asked::Command(package, passed), Ok(expect)) => {
                let passed: Vec<&str> = passed.iter().filter_map(|argument| argument.to_str()).collect();
                assert_eq!((package, passed.as_slice()), expect);
            }
            (found, expect) => assert_eq!(Err(&found), expect),
        }
    }

    #[test]
    fn a_command_goes_to_the_package_that_has_it() {
        check(&["scenarios", "--seed", "7"], Ok(("callsim", &["scenarios", "--seed", "7"])));
        check(&["run", "happy"], Ok(("callsim", &["run", "happy"])));
        check(&["campaign", "plan"], Ok(("callsim", &["campaign", "plan"])));
        check(&["gate", "--help"], Ok(("chores", &["gate", "--help"])));
        check(&["help", "gate"], Ok(("chores", &["gate", "--help"])));
        check(&["--help"], Err(&Asked::Help));
        check(&["help"], Err(&Asked::Help));
        check(&[], Err(&Asked::Nothing));
        check(&["scenario"], Err(&Asked::Unknown("scenario".to_owned())));
    }

    #[test]
    fn an_unknown_command_is_answered_with_the_nearest() {
        assert!(unknown("scenario").contains("did you mean `scenarios`?"));
        assert!(unknown("conformence").contains("did you mean `conformance`?"));
        assert!(!unknown("xyz").contains("did you mean"));
    }

    /// The commands that a program's source declares, with their first line of help.
    fn declared(source: &str) -> Vec<(String, String)> {
        let (_, body) = source.split_once("enum Command {\n").unwrap();
        let (body, _) = body.split_once("\n}\n").unwrap();
        let (mut found, mut about) = (Vec::new(), String::new());
        for line in body.lines().map(str::trim) {
            match line.strip_prefix("/// ") {
                Some(text) => about = text.to_owned(),
                None if !line.starts_with('#') => {
                    let (variant, _) = line.split_once('(').unwrap();
                    let kebab =
                        variant.chars().enumerate().fold(String::new(), |mut name, (index, letter)| {
                            if letter.is_uppercase() && index > 0 {
                                name.push('-');
                            }
                            name.push(letter.to_ascii_lowercase());
                            name
                        });
                    found.push((kebab, std::mem::take(&mut about)));
                }
                None => {}
            }
        }
        found
    }

    #[test]
    fn every_command_of_the_programs_is_one_here() {
        let sources = [
            ("callsim", include_str!("../../crates/callsim/src/bin/callsim/main.rs")),
            ("chores", include_str!("../../chores/src/main.rs")),
        ];
        for (package, source) in sources {
            let here = COMMANDS.iter().filter(|entry| entry.package == package);
            let mut here: Vec<(&str, &str)> = here.map(|entry| (entry.name, entry.about)).collect();
            let declared = declared(source);
            let own = |name: &str| OWN_NAMES.iter().find(|(other, _)| *other == name).map(|(_, own)| *own);
            let mut there: Vec<(&str, &str)> =
                declared.iter().map(|(name, about)| (own(name).unwrap_or(name), about.as_str())).collect();
            here.sort_unstable();
            there.sort_unstable();
            // The repository's gate has a tier more than the program's, and goes by the same name.
            there.retain(|(name, _)| {
                package == "chores"
                    || !COMMANDS.iter().any(|entry| entry.package == "chores" && entry.name == *name)
            });
            assert_eq!(here, there, "{package}");
        }
    }

    #[test]
    fn the_store_is_built_for_a_server_that_has_one() {
        let wants = |arguments: &[&str]| {
            let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
            wants_store("callsim", &arguments)
        };
        assert!(wants(&["serve", "--store", "x"]) && wants(&["serve", "--open", "--store=x"]));
        assert!(!wants(&["serve"]) && !wants(&["scenarios", "--store"]));
    }
}
