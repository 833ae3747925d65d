//! Many cases with many seeds, on many threads.

use std::{
    num::NonZeroUsize,
    ops::RangeInclusive,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use scenario::run::RunError;

use super::{Case, Latency};

/// Plays every case with every seed on `jobs` threads: for each case, in their order, one latency for each seed, in
/// theirs. The result does not depend on the number of threads.
///
/// # Errors
///
/// The first [`RunError`], where a call could not be played.
pub fn play_all(
    cases: &[Case],
    seeds: RangeInclusive<u64>,
    jobs: NonZeroUsize,
) -> Result<Vec<Vec<Latency>>, RunError> {
    let seeds: Vec<u64> = seeds.collect();
    let played: Vec<_> = (0..cases.len() * seeds.len()).map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(place) = played.get(index) else { return };
            let result = cases[index / seeds.len()].play(seeds[index % seeds.len()]);
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        }
    };
    thread::scope(|scope| (0..jobs.get()).for_each(|_| drop(scope.spawn(work))));
    let mut results =
        played.into_iter().filter_map(|place| place.into_inner().unwrap_or_else(PoisonError::into_inner));
    cases.iter().map(|_| results.by_ref().take(seeds.len()).collect()).collect()
}
