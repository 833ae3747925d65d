//! Ctrl-C: the first lets runs under way end, the second ends everything.

use anyhow::Context;
use scenario::suite::Cancel;

use crate::exit::Code;

/// Asked to stop.
pub(crate) static CANCEL: Cancel = Cancel::new();

/// Listens from now on.
pub(crate) fn listen() -> anyhow::Result<()> {
    listen_and(|| {})
}

/// Listens from now on, and also does `end`, each time.
pub(crate) fn listen_and(end: fn()) -> anyhow::Result<()> {
    let stop = move || {
        let again = CANCEL.is_cancelled();
        CANCEL.cancel();
        end();
        if again {
            std::process::exit(i32::from(Code::Interrupted as u8));
        }
    };
    ctrlc::set_handler(stop).context("cannot listen for Ctrl-C")
}
