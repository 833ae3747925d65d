//! What is going on, for people who look at a terminal.

use std::{borrow::Cow, io::IsTerminal as _, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output;

/// A line on standard error that says what takes so long, and goes when it is done. Where there is no terminal, the
/// line is written once.
pub(super) struct Wait(ProgressBar);

impl Wait {
    pub(super) fn new(what: &str) -> Self {
        Self::with_length(what, None)
    }

    /// With a bar of `steps`.
    pub(super) fn steps(what: &str, steps: usize) -> Self {
        Self::with_length(what, Some(steps as u64))
    }

    fn with_length(what: &str, length: Option<u64>) -> Self {
        let terminal = std::io::stderr().is_terminal();
        if !terminal {
            output::complain(&format!("{what} …"));
        }
        let target = if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(length, target);
        let template = match length {
            Some(_) => "{prefix} {bar:30} {pos}/{len} {wide_msg}  {elapsed}",
            None => "{spinner} {prefix} {msg}  {elapsed}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(250));
        Self(bar)
    }

    /// One step is done, and `what` is next.
    pub(super) fn step(&self, what: impl Into<Cow<'static, str>>) {
        self.0.set_message(what);
        self.0.inc(1);
    }

    /// There are more steps than was thought.
    pub(super) fn set_steps(&self, steps: usize) {
        self.0.set_length(steps as u64);
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
