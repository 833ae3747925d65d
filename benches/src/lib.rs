//! What calls cost: [`workload`]s to be timed, and [`latency`] in virtual time.
//!
//! Invariants:
//! - A workload does the same work each time that it is run: what it does is a function of its id and size.
//! - Nothing here reads a clock: whoever measures does.

pub mod bench;
pub mod latency;
pub mod page;
pub mod results;
pub mod virtual_time;
pub mod workload;
