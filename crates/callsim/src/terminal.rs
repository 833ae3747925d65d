//! What commands have in common: exit codes, writing, progress, Ctrl-C, and the name under which they were called.
//!
//! It is for the program `callsim` and for this repository's own chores, and promises nothing to others.

pub mod exit;
pub mod interrupt;
pub mod output;
pub mod progress;
pub mod screen;
pub mod typed;

use std::{num::NonZeroUsize, thread, time::Instant};

use comfy_table::{LineStyle, TableStyle, presets};

/// One line under the head, and no others.
pub const TABLE_STYLE: TableStyle =
    presets::NOTHING.header_separator(LineStyle::none().fill('─').junction('─'));

/// As many threads as were asked for; else one per core.
pub fn jobs(asked: Option<NonZeroUsize>) -> NonZeroUsize {
    asked.or_else(|| thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
}

/// The time of the person who waits.
#[allow(clippy::disallowed_methods, reason = "how long a command takes is real time")]
pub fn now() -> Instant {
    Instant::now()
}

/// The day, in Coordinated Universal Time: `2026-11-30`.
#[allow(clippy::disallowed_methods, reason = "which day something was accepted on is real time")]
pub fn today() -> String {
    let now = humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string();
    now.chars().take("2026-11-30".len()).collect()
}
