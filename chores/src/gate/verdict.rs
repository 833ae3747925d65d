//! `cargo xtask gate verdict`

use std::{fs, path::PathBuf};

use clap::Args;

use crate::{
    exit::{self, Code},
    output, screen,
};

/// The options of the command.
#[derive(Args)]
pub(super) struct Arguments {
    /// A report that `gate --report` or `--format json` wrote
    #[arg(value_name = "REPORT")]
    report: PathBuf,
}

/// Judges the evidence of a report anew; ends as the gate would have.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Code> {
    let file = arguments.report.display();
    let text = match fs::read_to_string(&arguments.report) {
        Ok(text) => text,
        Err(error) => {
            output::complain(&format!("error: cannot read {file}: {error}"));
            return Ok(Code::BadInput);
        }
    };
    let recomputed = match gate::recompute(&text) {
        Ok(recomputed) => recomputed,
        Err(error) => {
            output::complain(&format!("error: {file}: {error}"));
            return Ok(Code::BadInput);
        }
    };
    output::show(None, &gate::report::table(&recomputed.report, screen::width(None)))?;
    for id in &recomputed.disagreements {
        output::complain(&format!("{file} says something else about `{id}`"));
    }
    if !recomputed.outcome_agrees {
        output::complain(&format!("{file} came to another outcome: written by another version, or edited?"));
    }
    Ok(exit::of_gate(recomputed.report.outcome))
}
