//! `callsim completions` and `callsim man`: what is installed beside the program.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::{exit::Code, output};

/// The options of `completions`.
#[derive(Args)]
#[command(after_help = COMPLETIONS)]
pub(crate) struct CompletionsArguments {
    /// For which shell
    #[arg(value_enum)]
    shell: Shell,
}

const COMPLETIONS: &str = "\
Examples:
  callsim completions bash > ~/.local/share/bash-completion/completions/callsim
  callsim completions zsh > \"${fpath[1]}/_callsim\"
  callsim completions fish > ~/.config/fish/completions/callsim.fish";

/// The options of `man`.
#[derive(Args)]
#[command(after_help = MAN)]
pub(crate) struct ManArguments {
    /// The page of this command [default: that of the program]
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

const MAN: &str = "\
Examples:
  callsim man > callsim.1
  callsim man run > callsim-run.1";

/// Prints what a shell needs to complete the program's command line.
pub(crate) fn completions(mut program: Command, arguments: &CompletionsArguments) -> anyhow::Result<Code> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut program, "callsim", &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(Code::Good)
}

/// Prints a manual page.
pub(crate) fn man(mut program: Command, arguments: &ManArguments) -> anyhow::Result<Code> {
    program.build();
    let man = match &arguments.command {
        None => clap_mangen::Man::new(program),
        Some(name) => match program.find_subcommand(name) {
            Some(command) => {
                clap_mangen::Man::new(command.clone()).title(format!("callsim-{}", command.get_name()))
            }
            None => {
                let known: Vec<&str> = program.get_subcommands().map(Command::get_name).collect();
                output::complain(&format!("error: no command `{name}`; there are: {}", known.join(", ")));
                return Ok(Code::BadInput);
            }
        },
    };
    let mut text = Vec::new();
    man.render(&mut text)?;
    output::print(&String::from_utf8_lossy(&text))?;
    Ok(Code::Good)
}
