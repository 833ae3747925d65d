//! Timers that the pump releases, one at a time like everything else.
//!
//! Two of tokio's own timers that are due in one millisecond wake their tasks together. Where one task
//! then finds two of its branches ready, third-party code chooses between them with randomness that
//! is seeded from a counter of the process (`futures::select!`), and the same seed gives another run. A
//! program under test therefore gets its timers from here ([`Sleep`](crate::Sleep)).

use std::{
    collections::BTreeMap,
    task::{Context, Poll, Waker},
};

use timeline::VirtualTime;

/// The timers that are set, by time, and at one instant in the order in which they were set.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    set: BTreeMap<TimerKey, Option<Waker>>,
    next_sequence: u64,
}

/// When a timer is due, and its place among those of the same instant.
pub(crate) type TimerKey = (VirtualTime, u64);

impl Timers {
    /// When the next timer is due.
    pub(crate) fn next_at(&self) -> Option<VirtualTime> {
        self.set.first_key_value().map(|(&(at, _), _)| at)
    }

    /// Takes the next timer if it is due at `now`; the waker of the task that waits for it.
    pub(crate) fn fire(&mut self, now: VirtualTime) -> Option<Waker> {
        let next = self.set.first_entry().filter(|timer| timer.key().0 <= now)?;
        // A timer that nobody has polled yet is found to have fired when it is.
        next.remove()
    }

    pub(crate) fn set(&mut self, at: VirtualTime) -> TimerKey {
        let key = (at, self.next_sequence);
        self.next_sequence += 1;
        self.set.insert(key, None);
        key
    }

    /// Whether a timer has fired; if not, it will wake the task of `cx`.
    pub(crate) fn poll(&mut self, key: TimerKey, cx: &Context<'_>) -> Poll<()> {
        let Some(waker) = self.set.get_mut(&key) else { return Poll::Ready(()) };
        match waker {
            Some(present) => present.clone_from(cx.waker()),
            None => *waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// Takes a timer back, if it has not fired.
    #[must_use = "a waker is dropped with the lock released: its task's end may drop other timers"]
    pub(crate) fn cancel(&mut self, key: TimerKey) -> Option<Waker> {
        self.set.remove(&key).flatten()
    }
}
