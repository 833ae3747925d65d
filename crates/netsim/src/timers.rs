//! Timers that the pump releases, one at a time like everything else.
//!
//! Two of tokio's own timers that are due in one millisecond wake their tasks together. Where one task
//! then finds two of its branches ready, third-party code chooses between them with randomness that
//! is seeded from a counter of the process (`futures::select!`), and the same seed gives another run. A
//! program under test therefore gets its timers from here. In real time, where nothing is the same twice,
//! they are tokio's.

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
pub struct Sleep(Timer);

enum Timer {
    Pumped(Pumped),
    /// In a world in real time.
    Tokio(Pin<Box<tokio::time::Sleep>>),
}

struct Pumped {
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
        if shared.real_time.is_some() {
            return Self(Timer::Tokio(Box::pin(tokio::time::sleep_until(shared.instant_at(at)))));
        }
        let key = shared.timers().set(at);
        Self(Timer::Pumped(Pumped { shared: Arc::clone(shared), key }))
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.0 {
            Timer::Pumped(timer) => timer.poll(cx),
            Timer::Tokio(timer) => timer.as_mut().poll(cx),
        }
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Timer::Pumped(timer) => {
                f.debug_struct("Sleep").field("until", &timer.key.0).finish_non_exhaustive()
            }
            Timer::Tokio(timer) => timer.fmt(f),
        }
    }
}

impl Pumped {
    fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
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

impl Drop for Pumped {
    fn drop(&mut self) {
        // The waker is dropped with the lock released: its task's end may drop other timers.
        let waker = self.shared.timers().set.remove(&self.key);
        drop(waker);
    }
}
