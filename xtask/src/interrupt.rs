//! Ctrl-C: the first lets runs under way end, the second ends everything.

use anyhow::Context;
use scenario::suite::Cancel;

use crate::exit::Code;

/// Asked to stop.
pub(crate) static CANCEL: Cancel = Cancel::new();

/// Listens from now on.
pub(crate) fn listen() -> anyhow::Result<()> {
    let stop = || {
        if CANCEL.is_cancelled() {
            std::process::exit(i32::from(Code::Interrupted as u8));
        }
        CANCEL.cancel();
    };
    ctrlc::set_handler(stop).context("cannot listen for Ctrl-C")
}
