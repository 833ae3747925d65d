//! The region in which valgrind counts (`gate::worker::REGION`).

use std::{
    hint::black_box,
    sync::atomic::{AtomicU64, Ordering},
};

/// How many rounds of the loop are run in the next region, and in none after it.
static ROUNDS: AtomicU64 = AtomicU64::new(0);

/// Adds `rounds` of the loop to the next region, on whatever thread it is entered.
pub(super) fn slow_down(rounds: u64) {
    ROUNDS.store(rounds, Ordering::Relaxed);
}

/// What is measured, for workloads: it runs on the thread that does the work, which is the one that valgrind counts.
pub(super) fn measured(work: &mut dyn FnMut()) {
    gate_measured_region(work);
}

/// Found by its name.
#[expect(unsafe_code, reason = "the attribute alone: valgrind must find the function by this name")]
#[unsafe(no_mangle)]
#[inline(never)]
fn gate_measured_region(work: &mut dyn FnMut()) {
    work();
    for round in 0..ROUNDS.swap(0, Ordering::Relaxed) {
        black_box(round);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_has_the_name_that_valgrind_is_told_and_does_the_work() {
        let mut done = 0;
        slow_down(3);
        measured(&mut || done += 1);
        assert_eq!((done, ROUNDS.load(Ordering::Relaxed)), (1, 0));
        assert_eq!(stringify!(gate_measured_region), gate::worker::REGION);
    }
}
