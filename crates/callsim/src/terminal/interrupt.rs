//! Ctrl-C: the first lets runs under way end, the second ends everything. Where children run, the first ends them.

use anyhow::Context;
use scenario::suite::Cancel;

use super::exit::Code;

/// Asked to stop.
pub static CANCEL: Cancel = Cancel::new();

/// Listens from now on.
pub fn listen() -> anyhow::Result<()> {
    set_handler(|| {
        let again = CANCEL.is_cancelled();
        CANCEL.cancel();
        if again {
            std::process::exit(i32::from(Code::Interrupted as u8));
        }
    })
}

/// Listens from now on, and does `end`, which ends what is waited for, so that the command comes to its own end and
/// takes its unfinished files with it. Signals may come in pairs (timeout(1) sends two): the second changes nothing.
pub fn listen_and(end: fn()) -> anyhow::Result<()> {
    set_handler(move || {
        CANCEL.cancel();
        end();
    })
}

fn set_handler(stop: impl FnMut() + Send + 'static) -> anyhow::Result<()> {
    ctrlc::set_handler(stop).context("cannot listen for Ctrl-C")
}
