//! The progress bar, for people who look at a terminal.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use scenario::suite::Progress;

use super::output;

/// A bar on standard error; nothing at all where that is no terminal.
pub struct Bar(ProgressBar);

impl Default for Bar {
    fn default() -> Self {
        Self::new()
    }
}

impl Bar {
    /// Before it is known how many runs there are.
    pub fn new() -> Self {
        Self::of("runs")
    }

    /// The same for calls.
    pub fn of_calls() -> Self {
        Self::of("calls")
    }

    fn of(what: &str) -> Self {
        let target = match std::io::stderr().is_terminal() {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        if let Ok(style) =
            ProgressStyle::with_template(&format!("{{bar:40}} {{pos}}/{{len}} {what}{{msg}}  {{elapsed}}"))
        {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Shows how far a suite is.
    pub fn show(&self, progress: Progress) {
        self.0.set_length(progress.total as u64);
        if progress.failed > 0 {
            self.0.set_message(format!(", {} failed", progress.failed));
        }
        // Threads report in any order: never backwards.
        self.0.set_position((progress.done as u64).max(self.0.position()));
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        self.0.finish_and_clear();
    }
}

/// A bar for stages that differ: it names the one under way. Where there is no terminal, a line for each.
pub struct Stages {
    bar: ProgressBar,
    is_terminal: bool,
}

impl Stages {
    /// Before it is known how many there are.
    pub fn new(first: &str) -> Self {
        let stages = Self { bar: Bar::new().0, is_terminal: std::io::stderr().is_terminal() };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}  {elapsed}") {
            stages.bar.set_style(style);
        }
        stages.bar.enable_steady_tick(std::time::Duration::from_millis(200));
        stages.show(first, "");
        stages
    }

    /// There are so many.
    pub fn begin(&self, count: usize) {
        self.bar.set_length(count as u64);
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}  {elapsed}") {
            self.bar.set_style(style);
        }
    }

    /// The next one begins.
    pub fn next(&self, name: &str) {
        self.bar.inc(1);
        self.show(name, &format!("{}/{} ", self.bar.position(), self.bar.length().unwrap_or_default()));
    }

    fn show(&self, name: &str, place: &str) {
        self.bar.set_message(timeline::escaped(name).into_owned());
        if !self.is_terminal {
            output::complain(&format!("{place}{name} …"));
        }
    }
}

impl Drop for Stages {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
