//! The name under which the user called the program: `callsim run`, or `cargo xtask scenarios` in this repository.
//!
//! Texts are written for `callsim`; what is shown names what was typed.

use std::{env, sync::LazyLock};

use clap::Command;

/// Set by `cargo xtask` for what it starts: how its user calls commands.
pub const VARIABLE: &str = "CALLSIM_CALLED_AS";

/// This program.
const PROGRAM: &str = "callsim";

/// Commands that `cargo xtask` knows by another name.
const OTHER_NAMES: [(&str, &str); 1] = [("run", "scenarios")];

static CALLED_AS: LazyLock<String> =
    LazyLock::new(|| env::var(VARIABLE).ok().filter(|name| !name.is_empty()).unwrap_or(PROGRAM.to_owned()));

/// `callsim schema`, or `cargo xtask schema`: what the user types for the command `name` of this program.
pub fn command(name: &str) -> String {
    called(&CALLED_AS, name)
}

/// `commands` with every text in the words that the user typed.
pub fn in_typed_words(commands: Command) -> Command {
    in_words_of(commands, &CALLED_AS)
}

fn called(called_as: &str, name: &str) -> String {
    let other = OTHER_NAMES.iter().find(|(own, _)| *own == name && called_as != PROGRAM);
    format!("{called_as} {}", other.map_or(name, |(_, other)| other))
}

fn in_words_of(mut commands: Command, called_as: &str) -> Command {
    if called_as == PROGRAM {
        return commands;
    }
    // Usage lines are known only once everything is.
    commands.build();
    let names: Vec<String> =
        commands.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    let translate = |text: &str| {
        names.iter().fold(text.to_owned(), |text, name| {
            text.replace(&format!("{PROGRAM} {name}"), &called(called_as, name))
        })
    };
    translated(commands.bin_name(called_as.to_owned()), &translate)
}

fn translated(mut command: Command, translate: &dyn Fn(&str) -> String) -> Command {
    let usage = command.render_usage().to_string();
    let usage = translate(usage.trim_start_matches("Usage: "));
    if let Some(help) = command.get_after_help().map(ToString::to_string) {
        command = command.after_help(translate(&help));
    }
    let arguments: Vec<String> =
        command.get_arguments().map(|argument| argument.get_id().to_string()).collect();
    for id in arguments {
        command = command.mut_arg(id, |argument| {
            let (short, long) = (argument.get_help(), argument.get_long_help());
            let [short, long] = [short, long].map(|help| help.map(|help| translate(&help.to_string())));
            let argument = short.into_iter().fold(argument, clap::Arg::help);
            long.into_iter().fold(argument, clap::Arg::long_help)
        });
    }
    command.mut_subcommands(|command| translated(command, translate)).override_usage(usage)
}

#[cfg(test)]
mod tests {
    use clap::Arg;

    use super::*;

    fn commands() -> Command {
        let run = Command::new("run")
            .arg(Arg::new("log").long("log").help("Read by `callsim replay`"))
            .after_help("Examples:\n  callsim run --log x");
        let gate = Command::new("gate").subcommand(Command::new("accept"));
        Command::new(PROGRAM).subcommands([run, gate, Command::new("replay")])
    }

    fn help(called_as: &str, path: &[&str]) -> String {
        let arguments = [PROGRAM].iter().chain(path).chain(&["--help"]);
        in_words_of(commands(), called_as).try_get_matches_from(arguments).unwrap_err().to_string()
    }

    #[test]
    fn texts_name_what_was_typed() {
        let own = help(PROGRAM, &["run"]);
        for words in ["Usage: callsim run [", "by `callsim replay`", "\n  callsim run --log x"] {
            assert!(own.contains(words), "{own}");
        }
        let other = help("cargo xtask", &["run"]);
        for words in
            ["Usage: cargo xtask scenarios [", "by `cargo xtask replay`", "\n  cargo xtask scenarios --log x"]
        {
            assert!(other.contains(words), "{other}");
        }
        assert!(!other.contains(PROGRAM), "{other}");
        assert!(help("cargo xtask", &["gate", "accept"]).contains("Usage: cargo xtask gate accept"));
    }

    #[test]
    fn a_command_is_called_as_the_program_was() {
        assert_eq!(called(PROGRAM, "run"), "callsim run");
        assert_eq!(called("cargo xtask", "run"), "cargo xtask scenarios");
        assert_eq!(called("cargo xtask", "schema"), "cargo xtask schema");
    }
}
