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

/// The allocator of everything that measures, as of the command line: a call makes some ten thousand small
/// allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
