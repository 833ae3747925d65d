//! Decides whether something got slower, and says how sure it is.
//!
//! Three tiers with three rules: [`exact`] for numbers that are a pure function of the commit,
//! [`instructions`] for counts that nearly are, [`wall`] for time on a real machine. [`compare`] makes
//! [`Case`]s out of a [`baseline`] and what [`worker`]s measured, [`judge`] comes to [`Finding`]s, and
//! [`report`] tells them to people, build servers and GitHub. [`selftest`] measures how often all that is
//! wrong.
//!
//! Invariants:
//! - A verdict is a pure function of the evidence in the report: `recompute` comes to the same
//!   (`tests/it/recompute.rs`).
//! - Identical programs are called a regression at most as often as α says, whatever the noise
//!   (`tests/it/calibration.rs`).
//! - Two runs of the same thing that differ are never a regression, and nothing compared is never a pass
//!   (`tests/it/exact.rs`, `src/verdict.rs`).
//! - A baseline changes only by what its history accepts (`tests/it/baseline.rs`).
//! - Text from outside never panics, hangs or allocates beyond its size (`tests/it/mangled.rs`).
//!
//! Deliberately absent: files, git, clocks, processes, valgrind itself, and anything about calls. Callers
//! hand in texts and numbers.

pub mod baseline;
mod case;
pub mod compare;
pub mod exact;
mod finding;
pub mod instructions;
mod json;
pub mod metric;
mod nearest;
pub mod report;
pub mod selftest;
pub mod statistics;
pub mod value;
mod verdict;
pub mod wall;
pub mod worker;

pub use case::{Case, Evidence, Settings, judge};
pub use finding::Finding;
pub use report::{Report, recompute};
pub use timeline::nearest;
pub use verdict::{Mode, Outcome, Verdict};
