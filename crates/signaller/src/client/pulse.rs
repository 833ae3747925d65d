//! Signs of life on one WebSocket.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// What the reading half tells the writing half.
#[derive(Debug, Default)]
pub(super) struct Pulse(Mutex<Signs>);

#[derive(Debug, Default)]
struct Signs {
    heard: bool,
    /// Whether the reading half waits for the application, so that nothing can be heard.
    waits: bool,
    unacknowledged: u32,
    /// When the first of them was applied.
    since: Option<Instant>,
}

impl Pulse {
    pub(super) fn heard(&self) {
        self.signs().heard = true;
    }

    /// A heartbeat goes out: from here on, something must be heard.
    pub(super) fn listen(&self) {
        self.signs().heard = false;
    }

    /// Whether the other side may be taken to be alive.
    pub(super) fn is_alive(&self) -> bool {
        let signs = self.signs();
        signs.heard || signs.waits
    }

    /// The reading half waits for the application.
    pub(super) fn waits(&self) {
        self.signs().waits = true;
    }

    /// It reads again.
    pub(super) fn goes_on(&self) {
        let mut signs = self.signs();
        signs.waits = false;
        // Nothing could be heard meanwhile: the other side has until the next heartbeat.
        signs.heard = true;
    }

    /// A message was applied.
    pub(super) fn applied(&self, now: Instant) {
        let mut signs = self.signs();
        signs.unacknowledged += 1;
        signs.since.get_or_insert(now);
    }

    /// When to acknowledge, if there is something to acknowledge.
    pub(super) fn acknowledge_at(&self, within: Duration, every: u32) -> Option<Instant> {
        let signs = self.signs();
        let since = signs.since?;
        Some(if signs.unacknowledged >= every { since } else { since + within })
    }

    /// Everything that was applied is acknowledged.
    pub(super) fn acknowledged(&self) {
        let mut signs = self.signs();
        signs.unacknowledged = 0;
        signs.since = None;
    }

    fn signs(&self) -> MutexGuard<'_, Signs> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acknowledged_by_time_or_by_number() {
        let (pulse, now, within) = (Pulse::default(), Instant::now(), Duration::from_millis(200));
        assert_eq!(pulse.acknowledge_at(within, 2), None);
        pulse.applied(now);
        assert_eq!(pulse.acknowledge_at(within, 2), Some(now + within));
        pulse.applied(now + within);
        assert_eq!(pulse.acknowledge_at(within, 2), Some(now));
        pulse.acknowledged();
        assert_eq!(pulse.acknowledge_at(within, 2), None);
    }

    #[test]
    fn who_waits_for_the_application_is_not_dead() {
        let pulse = Pulse::default();
        pulse.heard();
        pulse.listen();
        assert!(!pulse.is_alive());
        pulse.waits();
        assert!(pulse.is_alive());
        pulse.goes_on();
        assert!(pulse.is_alive());
        pulse.listen();
        assert!(!pulse.is_alive());
    }
}
