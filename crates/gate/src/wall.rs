//! The wall tier: time on a machine that does other things as well.
//!
//! Base and candidate run in two live processes whose runs alternate in random order. A fresh pair of
//! processes, alternated a number of times, is an *epoch*: the independent unit. Its effect is the
//! logarithm of the ratio of the two fastest runs, because whatever else the machine does only ever adds
//! time. A family of metrics is judged at a few *looks* (20, 40, 80 epochs), each by the exact sign test
//! over epochs:
//!
//! - **Regression** if the median effect lies above the smallest effect of interest. Over all metrics and
//!   looks the chance of a single false one is at most α: α is divided by the number of looks, and at
//!   each look Holm's procedure guards the whole family. Then fresh epochs, at looks of their own, must
//!   say so again.
//! - **Pass** if the median effect lies below the claim ("no slowdown of 5 %"), at α over looks for
//!   each metric; **improved** if it lies below minus the smallest effect of interest.
//! - Otherwise more epochs, and after the last look **inconclusive**.
//!
//! Controls run among the metrics: the base against itself must pass, the base against itself slowed down
//! must be caught. If one fails, nothing in the tier is concluded.
//!
//! The percentile bootstrap over epochs gives the interval that is *shown*. It does not decide, because it
//! is too narrow where it matters: over 20 to 40 epochs at levels of 1 % and 0.33 % it called up to twice
//! as many true nulls a regression as the level says, and its variant on trimmed means four times as many
//! where noise is skewed. The sign test never does, whatever the noise: epochs need only be independent.

mod assess;
mod epoch;
mod power;
mod session;
mod settings;
mod verdict;

use serde::{Deserialize, Serialize};

pub use assess::{Assessment, State, assess};
pub(crate) use epoch::MAX_ALTERNATIONS;
pub use epoch::{Epoch, EpochError};
pub use power::Power;
pub use session::{Phase, Request, Side, measure};
pub use settings::{WallSettings, WallSettingsError};
pub(crate) use verdict::judge;

use crate::metric::{Metric, Percent};

/// What is known about a metric of the wall tier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WallEvidence {
    /// What it is there for.
    pub role: Role,
    /// Which of the two programs know it.
    pub presence: Presence,
    /// The epochs that the looks are taken at.
    pub epochs: Vec<Epoch>,
    /// The fresh epochs that must confirm a regression.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub confirmation: Vec<Epoch>,
}

impl WallEvidence {
    /// Nothing measured yet.
    pub fn new(role: Role, presence: Presence) -> Self {
        Self { role, presence, epochs: Vec::new(), confirmation: Vec::new() }
    }
}

/// A metric of the wall tier with what is known about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The metric.
    pub metric: Metric,
    /// What is known about it.
    pub evidence: WallEvidence,
}

/// What a measurement is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// To be judged.
    Metric,
    /// The base against itself: must pass.
    ControlSame,
    /// The base against itself, slowed down by so much: must be caught.
    ControlSlowed(Percent),
}

/// Which of the two programs know a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// Both: it can be compared.
    Both,
    /// Only the base: it vanished.
    BaseOnly,
    /// Only the candidate: it is new.
    NewOnly,
    /// The program failed while it was measured.
    Failed,
}
