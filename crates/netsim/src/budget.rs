//! What keeps a world from going on for ever.

use std::sync::{Mutex, PoisonError};

use timeline::VirtualTime;
use tokio::sync::Notify;

use crate::End;

/// Events and timers at one instant after which a world counts as stalled: more than any real program
/// does in a millisecond, and reached in a fraction of a second by a loop of zero-length sleeps.
const MOST_AT_ONE_INSTANT: u64 = 200_000;

/// Counts what a world does against what it may do.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: u64,
    pub(crate) events: u64,
    pub(crate) timers: u64,
    instant: VirtualTime,
    at_instant: u64,
}

impl Budget {
    pub(crate) const fn new(limit: u64) -> Self {
        Self { limit, events: 0, timers: 0, instant: VirtualTime::ZERO, at_instant: 0 }
    }

    /// The pump passed `count` events at `now`. Says whether that ends the world.
    pub(crate) fn spend_events(&mut self, now: VirtualTime, count: u64) -> Option<End> {
        self.events += count;
        self.spend(now, count)
    }

    /// Somebody made a timer at `now`. Says whether that ends the world.
    pub(crate) fn spend_timer(&mut self, now: VirtualTime) -> Option<End> {
        self.timers += 1;
        self.spend(now, 1)
    }

    fn spend(&mut self, now: VirtualTime, count: u64) -> Option<End> {
        if now != self.instant {
            (self.instant, self.at_instant) = (now, 0);
        }
        self.at_instant += count;
        if self.at_instant > MOST_AT_ONE_INSTANT {
            return Some(End::Stalled);
        }
        (self.events + self.timers > self.limit).then_some(End::EventBudget)
    }
}

/// How a world is ended from within.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    reason: Mutex<Option<End>>,
    told: Notify,
}

impl Ending {
    /// Ends the world; the first reason counts.
    pub(crate) fn end(&self, reason: End) {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
        self.told.notify_one();
    }

    /// Resolves when the world is ended.
    pub(crate) async fn ended(&self) -> End {
        loop {
            if let Some(reason) = *self.reason.lock().unwrap_or_else(PoisonError::into_inner) {
                return reason;
            }
            self.told.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> VirtualTime {
        VirtualTime::from_millis(ms)
    }

    #[test]
    fn the_budget_covers_events_and_timers() {
        let mut budget = Budget::new(10);
        assert_eq!(budget.spend_events(ms(1), 6), None);
        for _ in 0..4 {
            assert_eq!(budget.spend_timer(ms(2)), None);
        }
        assert_eq!(budget.spend_timer(ms(2)), Some(End::EventBudget));
    }

    #[test]
    fn too_much_at_one_instant_is_a_stall() {
        let mut budget = Budget::new(u64::MAX);
        assert_eq!(budget.spend_events(ms(1), MOST_AT_ONE_INSTANT), None);
        assert_eq!(budget.spend_events(ms(2), MOST_AT_ONE_INSTANT), None);
        assert_eq!(budget.spend_timer(ms(2)), Some(End::Stalled));
    }
}
