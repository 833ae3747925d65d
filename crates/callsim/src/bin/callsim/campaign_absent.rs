//! `callsim campaign` of a program that was built without it.

use clap::Args;

use crate::{exit::Code, output::BadInput};

/// Any options.
#[derive(Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _any: Vec<std::ffi::OsString>,
}

/// Says how to get it.
pub(crate) fn run(_: &Arguments) -> anyhow::Result<Code> {
    let message = "this program was built without campaigns, which read and write Parquet; `cargo install --path \
        crates/callsim --features campaign` builds one with them";
    Err(BadInput(message.to_owned()).into())
}
