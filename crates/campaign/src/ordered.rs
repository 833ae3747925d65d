//! Work on many threads, whose results come in order and are never kept for long.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    ops::ControlFlow,
    sync::{Condvar, Mutex, PoisonError, mpsc},
    thread,
};

use scenario::suite::Cancel;

/// How far threads may be ahead of the result that is waited for, for each thread.
const AHEAD: u64 = 64;

/// A world is built on a thread's stack.
const STACK_BYTES: usize = 8 << 20;

/// Does `work` for 0, 1, … `count` − 1 on `threads` threads, and hands each result to `each`, in that order, on this thread.
/// Yields how many it handed over: fewer than `count` where `each` broke off or somebody asked to stop.
///
/// The memory that it takes does not depend on `count`.
pub(crate) fn in_order<T: Send>(
    count: u64,
    threads: NonZeroUsize,
    cancel: &Cancel,
    work: impl Fn(u64) -> T + Sync,
    mut each: impl FnMut(T) -> ControlFlow<()>,
) -> u64 {
    let window = AHEAD.saturating_mul(threads.get() as u64);
    let (place, moved) = (Mutex::new(Place { next: 0, done: 0, end: count }), Condvar::new());
    let claim = || {
        let mut place = lock(&place);
        loop {
            if cancel.is_cancelled() || place.next >= place.end {
                return None;
            }
            if place.next < place.done + window {
                place.next += 1;
                return Some(place.next - 1);
            }
            place = moved.wait(place).unwrap_or_else(PoisonError::into_inner);
        }
    };
    let (sender, results) = mpsc::channel();
    thread::scope(|scope| {
        for number in 0..u64::try_from(threads.get()).unwrap_or(u64::MAX).min(count) {
            let (sender, claim, work) = (sender.clone(), &claim, &work);
            let thread = move || {
                while let Some(index) = claim() {
                    if sender.send((index, work(index))).is_err() {
                        break;
                    }
                }
            };
            let spawned = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, thread);
            // Fewer threads do the same work; without any there is nothing to wait for.
            assert!(spawned.is_ok() || number > 0, "no thread can be started");
        }
        drop(sender);
        let (mut early, mut done) = (BTreeMap::new(), 0);
        for (index, result) in results {
            early.insert(index, result);
            while let Some(result) = early.remove(&done) {
                let mut end = None;
                if each(result).is_break() {
                    end = Some(0);
                    early.clear();
                } else {
                    done += 1;
                }
                let mut place = lock(&place);
                place.done = done;
                place.end = end.unwrap_or(place.end);
                moved.notify_all();
                if end.is_some() {
                    return done;
                }
            }
        }
        done
    })
}

struct Place {
    next: u64,
    done: u64,
    end: u64,
}

/// Nothing can go wrong while the lock is held.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threads(count: usize) -> NonZeroUsize {
        NonZeroUsize::new(count).unwrap()
    }

    #[test]
    fn results_come_in_order_whatever_order_they_are_made_in() {
        // The slowest is the first: more than the window is made before it, were it not held back.
        let work = |index: u64| {
            let turns = if index == 0 { 3_000_000 } else { 10 };
            (index, (0..turns).fold(index, |sum, turn| std::hint::black_box(sum ^ turn)))
        };
        let mut seen = Vec::new();
        let done = in_order(1_000, threads(4), &Cancel::new(), work, |(index, _)| {
            seen.push(index);
            ControlFlow::Continue(())
        });
        assert_eq!((done, seen), (1_000, (0..1_000).collect()));
    }

    #[test]
    fn it_ends_where_it_is_broken_off_or_asked_to_stop() {
        let mut handed = 0;
        let done = in_order(
            10_000,
            threads(2),
            &Cancel::new(),
            |index| index,
            |index| {
                handed += 1;
                if index == 20 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        assert_eq!((done, handed), (20, 21));
        let cancel = Cancel::new();
        let done = in_order(
            10_000_000,
            threads(2),
            &cancel,
            |index| index,
            |index| {
                if index == 1_000 {
                    cancel.cancel();
                }
                ControlFlow::Continue(())
            },
        );
        assert!((1_000..2_000).contains(&done), "{done}");
    }

    #[test]
    fn nothing_to_do_is_done() {
        assert_eq!(in_order(0, threads(2), &Cancel::new(), |index| index, |_| ControlFlow::Continue(())), 0);
    }
}
