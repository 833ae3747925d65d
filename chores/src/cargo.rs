//! The cargo that builds what commands start.

use std::{env, process::Command};

/// The cargo that runs this, without what it says about this package: that would build things anew.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let own = env::vars_os().map(|(name, _)| name);
    let own = own.filter(|name| {
        let name = name.to_string_lossy();
        name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name == "CARGO_BIN_NAME"
    });
    own.for_each(|name| {
        command.env_remove(name);
    });
    command
}
