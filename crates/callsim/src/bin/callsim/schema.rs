//! `callsim schema`

use std::path::PathBuf;

use clap::Args;

use crate::{exit::Code, output, project::Project, typed};

/// The options of the command.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Write nothing; exit with 3 if the file is out of date
    #[arg(long)]
    check: bool,
    /// Where scenarios are [default: the project's scenarios/, here or in a folder above]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Writes or checks `schema.json` in the scenarios' directory.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    let project = Project::find()?;
    let path = project.scenarios(arguments.dir.as_deref()).join("schema.json");
    let text = scenario::schema::schema_text(&project.profiles);
    // A file that is not there is out of date.
    let is_current = std::fs::read_to_string(&path).is_ok_and(|found| found == text);
    if is_current {
        output::complain(&format!("{} is up to date", path.display()));
        return Ok(Code::Good);
    }
    if arguments.check {
        let command = typed::command("schema");
        output::complain(&format!("{} is out of date: run `{command}`", path.display()));
        return Ok(Code::CheckFailed);
    }
    output::write_file(&path, &text)?;
    output::complain(&format!("wrote {}", path.display()));
    Ok(Code::Good)
}
