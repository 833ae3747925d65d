//! Timers that the pump releases, one at a time like everything else.
//!
//! Two of tokio's own timers that are due in one millisecond wake their tasks together. Where one task
//! then finds two of its branches ready, third-party code chooses between them with randomness that
//! is seeded from a counter of the process (`futures::select!`), and the same seed gives another run. A
//! program under test therefore gets its timers from here.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use timeline::VirtualTime;

use crate::shared::Shared;

/// The timers that are set, by time, and at one instant in the order in which they were set.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    set: BTreeMap<TimerKey, Option<Waker>>,
    next_sequence: u64,
}

/// When a timer is due, and its place among those of the same instant.
type TimerKey = (VirtualTime, u64);

/// Resolves when its time has come and the pump releases it.
pub struct Sleep {
    shared: Arc<Shared>,
    key: TimerKey,
}

impl Timers {
    /// When the next timer is due.
    pub(crate) fn next_at(&self) -> Option<VirtualTime> {
        self.set.first_key_value().map(|(&(at, _), _)| at)
    }

    /// Takes the next timer if it is due at `now`; the waker of whoever waits for it.
    pub(crate) fn fire(&mut self, now: VirtualTime) -> Option<Waker> {
        let next = self.set.first_entry().filter(|timer| timer.key().0 <= now)?;
        // A timer that nobody has polled yet is found to have fired when it is.
        next.remove()
    }

    fn set(&mut self, at: VirtualTime) -> TimerKey {
        let key = (at, self.next_sequence);
        self.next_sequence += 1;
        self.set.insert(key, None);
        key
    }
}

impl Sleep {
    pub(crate) fn until(shared: &Arc<Shared>, at: VirtualTime) -> Self {
        let key = shared.timers().set(at);
        shared.signals.planned(Some(at));
        Self { shared: Arc::clone(shared), key }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.shared.timers().set.get_mut(&self.key) {
            None => Poll::Ready(()),
            Some(waker) => {
                match waker {
                    Some(present) => present.clone_from(cx.waker()),
                    None => *waker = Some(cx.waker().clone()),
                }
                Poll::Pending
            }
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        // The waker is dropped with the lock released: its task's end may drop other timers.
        let waker = self.shared.timers().set.remove(&self.key);
        drop(waker);
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("until", &self.key.0).finish_non_exhaustive()
    }
}
