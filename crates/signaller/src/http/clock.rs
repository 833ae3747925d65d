use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::time::Instant;

/// Tells the time of day, as a duration since 1970-01-01 UTC without leap seconds. Cheap to clone.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Duration + Send + Sync>);

impl Clock {
    /// A clock that asks `now`.
    pub fn new(now: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// A clock that does not advance.
    pub fn fixed(at: Duration) -> Self {
        Self::new(move || at)
    }

    /// A clock that shows `at` now and then follows tokio's clock, virtual where that is paused.
    pub fn starting_at(at: Duration) -> Self {
        let begun = Instant::now();
        Self::new(move || at + begun.elapsed())
    }

    /// The time.
    pub fn now(&self) -> Duration {
        (self.0)()
    }

    /// The time as HTTP writes it (RFC 9110 §5.6.7), of a year before 10000.
    pub(super) fn http_date(&self) -> String {
        // 9999-12-31T23:59:59Z, beyond which the format has no form.
        const LAST: Duration = Duration::from_secs(253_402_300_799);
        httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + self.now().min(LAST))
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({:?})", self.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn clocks_stand_still_or_follow_tokio() {
        let day = Duration::from_secs(784_111_777);
        assert_eq!(Clock::fixed(day).http_date(), "Sun, 06 Nov 1994 08:49:37 GMT");
        let clock = Clock::starting_at(day);
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(clock.http_date(), "Sun, 06 Nov 1994 08:49:40 GMT");
        assert_eq!(Clock::fixed(Duration::MAX).http_date(), "Fri, 31 Dec 9999 23:59:59 GMT");
    }
}
