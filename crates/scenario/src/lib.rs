//! Scripted calls: the scenario format, the checks, the report, and the runner that plays one in a world.
//!
//! From a test of your own:
//!
//! ```
//! use scenario::{checks, plan::Plan, run::Player};
//!
//! let plan = Plan::from_toml(
//!     "mine/short-call",
//!     r#"
//!     version = 1
//!     summary = "Two people talk for a second."
//!     [peers.alice]
//!     [peers.bob]
//!     link = { delay = "40ms", loss = "1%" }
//!     [[steps]]
//!     at = "1s"
//!     alice = { dial = "bob" }
//!     [[steps]]
//!     at = "6s"
//!     bob = "hang-up"
//!     [expect]
//!     outcome = "connected"
//!     media = [{ audio = "both-ways" }]
//!     "#,
//! )
//! .unwrap();
//! let record = Player::new(&plan).seed(7).play().unwrap();
//! let failures = checks::check(&plan, &record);
//! assert!(failures.is_empty(), "{failures:#?}\n{}", scenario::timeline::transcript(&record.timeline));
//! ```
//!
//! Invariants:
//! - [`run::Player`] is a function of plan, seed and programs, processor time aside.
//! - Checks, metrics and reports are functions of plan and record: they play nothing and read no clock.

pub mod cause;
pub mod checks;
pub mod format;
pub mod guards_off;
pub mod metrics;
pub mod nat_grid;
pub mod pins;
pub mod plan;
pub mod profile;
pub mod record;
#[cfg(feature = "replay")]
pub mod replay;
pub mod report;
pub mod run;
pub mod schema;
pub mod select;
pub mod suite;
#[cfg(test)]
mod testing;

/// The words of a run: what [`record::RunRecord::timeline`] is made of.
pub use timeline;
pub use timeline::nearest;
