//! `callsim new`

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use callsim::EXAMPLE;
use clap::Args;

use crate::{exit::Code, output, project::Project, typed};

/// The options of the command.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// What the scenario is called: a theme and the condition that it is about, such as loss/answer-lost
    #[arg(value_name = "NAME")]
    name: String,
    /// Where scenarios are [default: the project's scenarios/, made if there is none]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  callsim new loss/answer-lost      writes scenarios/loss/answer-lost.toml
  callsim new first --dir calls     writes calls/first.toml

Exit codes: 0 written, 1 it cannot be written, 2 usage, or there is such a file already";

/// Writes a commented scenario to begin with.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    let name = arguments.name.strip_suffix(".toml").unwrap_or(&arguments.name);
    if !is_name(name) {
        output::complain(&format!(
            "error: `{}` is not a name: lower-case letters, digits and `-`, in parts between `/`",
            arguments.name
        ));
        return Ok(Code::BadInput);
    }
    let dir = Project::find()?.scenarios(arguments.dir.as_deref());
    let path = dir.join(format!("{name}.toml"));
    let folder = path.parent().unwrap_or(&dir);
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    if let Err(error) = write_new(&path, &text(&dir, name)) {
        if error.kind() == io::ErrorKind::AlreadyExists {
            output::complain(&format!("error: {} exists already", path.display()));
            return Ok(Code::BadInput);
        }
        return Err(error).with_context(|| format!("cannot write {}", path.display()));
    }
    let dir = arguments.dir.as_ref().map(|dir| format!(" --dir {}", dir.display())).unwrap_or_default();
    output::complain(&format!("wrote {}", path.display()));
    output::complain(&format!("play it: {} {name}{dir}", typed::command("run")));
    Ok(Code::Good)
}

/// The file, for editors with the schema where that is there.
fn text(dir: &Path, name: &str) -> String {
    let up = "../".repeat(name.matches('/').count());
    let schema = match dir.join("schema.json").is_file() {
        true => format!("#:schema {up}schema.json\n"),
        false => String::new(),
    };
    let commands = ["profiles", "nat-grid"];
    commands.iter().fold(schema + EXAMPLE, |text, command| {
        text.replace(&format!("callsim {command}"), &typed::command(command))
    })
}

fn is_name(name: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    name.split('/').all(|part| !part.is_empty() && part.chars().all(is_letter))
}

/// Never over a file that is there.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use scenario::{checks, plan::Plan};

    use super::*;

    #[test]
    fn what_is_written_can_be_played_and_passes() {
        let plan = Plan::from_toml("first", EXAMPLE).unwrap();
        let record = scenario::run::Player::new(&plan).seed(1).play().unwrap();
        assert_eq!(checks::check(&plan, &record), []);
    }

    #[test]
    fn names_are_paths_of_words() {
        for name in ["first", "loss/answer-lost", "a/b/c-3"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "/first", "loss/", "a//b", "../up", "Loss", "a b", "."] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn the_schema_is_named_where_it_is() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!text(dir.path(), "loss/answer-lost").contains("#:schema"));
        fs::write(dir.path().join("schema.json"), "{}").unwrap();
        assert!(text(dir.path(), "loss/answer-lost").starts_with("#:schema ../schema.json\n"));
    }
}
