//! `callsim lab` of a program that was built without it.

use std::process::ExitCode;

use clap::Args;

use crate::output::BadInput;

/// Any options.
#[derive(Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _any: Vec<std::ffi::OsString>,
}

/// Says how to get it.
pub(crate) fn run(_: &Arguments) -> anyhow::Result<ExitCode> {
    let message = "this program was built without the lab, which needs Linux; there, `cargo install --path crates/callsim \
        --features lab` builds one with it";
    Err(BadInput(message.to_owned()).into())
}
