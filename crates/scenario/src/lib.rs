//! Scripted calls: the scenario format, the checks, the report, and the runner that plays one in a world.

pub mod checks;
pub mod format;
pub mod metrics;
mod nearest;
pub mod plan;
pub mod record;
pub mod report;
pub mod run;
pub mod runtime;
pub mod schema;
pub mod select;
pub mod suite;
#[cfg(test)]
mod testing;
mod words;

pub use nearest::nearest;
