//! What a comparison comes to, and what the whole comes to.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What one metric comes to. The worst stands first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Verdict {
    /// It got worse by more than is tolerated.
    Regression,
    /// It was expected and is no longer measured.
    Vanished,
    /// It got better, and an exact expectation must say so: accept it.
    ImprovedNotAccepted,
    /// The tool that measures it failed.
    ToolFailed,
    /// Two runs of the same thing differed, so that no comparison means anything.
    Nondeterministic,
    /// Runs of the same thing differ too much for this metric to be judged in its tier.
    Unfit,
    /// Noise, or a control that failed: neither a regression nor none.
    Inconclusive,
    /// Its baseline was measured under other conditions.
    Stale,
    /// It is measured and nothing is expected of it yet.
    New,
    /// The tool that measures it is not there.
    ToolMissing,
    /// It got better by more than noise explains.
    Improved,
    /// It is as expected, within what is tolerated.
    Pass,
}

impl Verdict {
    /// All of them, the worst first.
    pub const ALL: [Self; 12] = [
        Self::Regression,
        Self::Vanished,
        Self::ImprovedNotAccepted,
        Self::ToolFailed,
        Self::Nondeterministic,
        Self::Unfit,
        Self::Inconclusive,
        Self::Stale,
        Self::New,
        Self::ToolMissing,
        Self::Improved,
        Self::Pass,
    ];

    /// Its words in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Regression => "REGRESSION",
            Self::Vanished => "VANISHED",
            Self::ImprovedNotAccepted => "NOT ACCEPTED",
            Self::ToolFailed => "TOOL FAILED",
            Self::Nondeterministic => "NONDETERMINISTIC",
            Self::Unfit => "UNFIT",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::Stale => "STALE",
            Self::New => "new",
            Self::ToolMissing => "skipped",
            Self::Improved => "improved",
            Self::Pass => "pass",
        }
    }

    /// What the command ends with if this is the worst that happened.
    pub fn outcome(self, mode: Mode) -> Outcome {
        match (self, mode) {
            (Self::Regression | Self::Vanished | Self::ImprovedNotAccepted, _) => Outcome::Regressed,
            (Self::ToolFailed, _) | (Self::ToolMissing, Mode::Release) => Outcome::ToolFailed,
            (Self::Nondeterministic | Self::Unfit | Self::Inconclusive, _) => Outcome::Inconclusive,
            (Self::Stale, _) | (Self::New, Mode::Release) => Outcome::NothingCompared,
            (Self::New | Self::ToolMissing, Mode::Change) | (Self::Improved | Self::Pass, _) => {
                Outcome::Passed
            }
        }
    }

    /// Whether it says something about the metric: an expectation met a measurement, or missed it.
    pub(crate) fn is_comparison(self) -> bool {
        !matches!(self, Self::ToolFailed | Self::Stale | Self::New | Self::ToolMissing)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How strict the gate is about what it cannot judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// A change on its way: new metrics are named, missing tools skipped.
    Change,
    /// A release: every metric must be judged.
    Release,
}

/// What the whole comes to. Its number is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Outcome {
    /// All compared, all pass.
    Passed = 0,
    /// A tool failed, or one that a release needs is missing.
    ToolFailed = 1,
    /// Something regressed, vanished, or improved without being accepted.
    Regressed = 3,
    /// Noise, non-determinism or a failed control.
    Inconclusive = 4,
    /// Nothing was compared, or a baseline is missing or stale.
    NothingCompared = 5,
}

impl Outcome {
    /// The exit code.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// What verdicts come to: a regression outweighs a failed tool, that one noise, that one a missing
    /// baseline. Without a single comparison, nothing passed.
    pub fn of(verdicts: impl IntoIterator<Item = Verdict>, mode: Mode) -> Self {
        let mut outcome = Self::Passed;
        let mut compared = false;
        for verdict in verdicts {
            compared |= verdict.is_comparison();
            let this = verdict.outcome(mode);
            if this.weight() > outcome.weight() {
                outcome = this;
            }
        }
        if outcome == Self::Passed && !compared { Self::NothingCompared } else { outcome }
    }

    fn weight(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::NothingCompared => 1,
            Self::Inconclusive => 2,
            Self::ToolFailed => 3,
            Self::Regressed => 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(verdicts: &[Verdict], change: u8, release: u8) {
        let code = |mode| Outcome::of(verdicts.iter().copied(), mode).code();
        assert_eq!((code(Mode::Change), code(Mode::Release)), (change, release), "{verdicts:?}");
    }

    #[test]
    fn each_verdict_beside_a_pass_has_its_exit_code() {
        use Verdict::{
            Improved, ImprovedNotAccepted, Inconclusive, New, Nondeterministic, Pass, Regression, Stale,
            ToolFailed, ToolMissing, Unfit, Vanished,
        };
        check(&[Pass], 0, 0);
        check(&[Pass, Improved], 0, 0);
        for failed in [Regression, Vanished, ImprovedNotAccepted] {
            check(&[Pass, failed], 3, 3);
        }
        for unclear in [Nondeterministic, Unfit, Inconclusive] {
            check(&[Pass, unclear], 4, 4);
        }
        check(&[Pass, ToolFailed], 1, 1);
        check(&[Pass, ToolMissing], 0, 1);
        check(&[Pass, New], 0, 5);
        check(&[Pass, Stale], 5, 5);
    }

    #[test]
    fn nothing_compared_never_passes() {
        check(&[], 5, 5);
        check(&[Verdict::New], 5, 5);
        check(&[Verdict::ToolMissing, Verdict::New], 5, 1);
    }

    #[test]
    fn a_regression_outweighs_everything() {
        check(&Verdict::ALL, 3, 3);
        check(&[Verdict::Stale, Verdict::Inconclusive], 4, 4);
        check(&[Verdict::Inconclusive, Verdict::ToolFailed], 1, 1);
    }
}
