//! When something of the other side was received last.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The moment of the newest packet of media, of any track. All clones are one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard(Arc<Mutex<Option<Instant>>>);

impl Heard {
    /// A packet arrived.
    pub(crate) fn at(&self, now: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// Whether one has arrived within the last `time`.
    pub(crate) fn within(&self, time: Duration, now: Instant) -> bool {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| now.saturating_duration_since(last) <= time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_heard_counts_for_so_long_and_no_longer() {
        #[expect(
            clippy::disallowed_methods,
            reason = "instants cannot be made; only distances from this one count"
        )]
        let now = Instant::now();
        let heard = Heard::default();
        let half = Duration::from_millis(500);
        assert!(!heard.within(half, now));
        heard.clone().at(now);
        assert!(heard.within(half, now + half));
        assert!(!heard.within(half, now + half + Duration::from_millis(1)));
    }
}
