//! The exit codes of every command.

use std::process::ExitCode;

/// What a command came to. Scripts rely on the numbers.
///
/// | code | meaning |
/// |---|---|
/// | 0 | all good |
/// | 1 | the tool itself failed: a bug, a full disk, a run that could not be played |
/// | 2 | usage, or unreadable input |
/// | 3 | a check failed, a replay diverged, or something got slower |
/// | 4 | inconclusive: noise, or non-determinism |
/// | 5 | nothing ran |
/// | 130 | stopped by Ctrl-C; nothing was written |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// All good.
    Good = 0,
    /// The tool itself failed.
    ToolFailed = 1,
    /// Usage, or unreadable input. `clap` uses the same number.
    BadInput = 2,
    /// A check failed, a replay diverged, or something got slower.
    CheckFailed = 3,
    /// Neither good nor failed: noise, or non-determinism.
    Inconclusive = 4,
    /// Nothing ran.
    NothingRan = 5,
    /// Stopped by Ctrl-C: 128 + SIGINT, as shells have it.
    Interrupted = 130,
}

impl Code {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Good,
        Self::ToolFailed,
        Self::BadInput,
        Self::CheckFailed,
        Self::Inconclusive,
        Self::NothingRan,
        Self::Interrupted,
    ];
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}

/// What a gate ends with.
#[cfg(feature = "gate")]
pub const fn of_gate(outcome: gate::Outcome) -> Code {
    use gate::Outcome;
    match outcome {
        Outcome::Passed => Code::Good,
        Outcome::ToolFailed => Code::ToolFailed,
        Outcome::Regressed => Code::CheckFailed,
        Outcome::Inconclusive => Code::Inconclusive,
        Outcome::NothingCompared => Code::NothingRan,
    }
}

#[cfg(all(test, feature = "gate"))]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_is_the_one_in_the_report() {
        use gate::Outcome::{Inconclusive, NothingCompared, Passed, Regressed, ToolFailed};
        for outcome in [Passed, ToolFailed, Regressed, Inconclusive, NothingCompared] {
            assert_eq!(of_gate(outcome) as u8, outcome.code());
        }
    }
}
