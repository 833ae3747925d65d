use std::{fmt, time::Duration};

/// Draws the random part of waits, so that clients which lost one relay together do not come back
/// together. The function gives numbers that are spread evenly over all of `u64`.
pub struct Jitter(Box<dyn FnMut() -> u64 + Send>);

impl Jitter {
    /// Jitter out of `draw`.
    pub fn new(draw: impl FnMut() -> u64 + Send + 'static) -> Self {
        Self(Box::new(draw))
    }

    /// Always the longest wait. For tests: real clients need different numbers.
    pub fn none() -> Self {
        Self::new(|| u64::MAX)
    }

    /// Between half of `wait` and all of it, in whole milliseconds.
    pub(super) fn apply(&mut self, wait: Duration) -> Duration {
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        let sure = wait_ms / 2;
        let drawn = u128::from(wait_ms - sure) * u128::from((self.0)()) / u128::from(u64::MAX);
        Duration::from_millis(sure + u64::try_from(drawn).unwrap_or(u64::MAX))
    }
}

impl fmt::Debug for Jitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Jitter")
    }
}

/// Waits that double from one failed attempt to the next. [`Jitter`] takes up to half of each away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The longest wait after the first failure.
    pub first: Duration,
    /// The longest wait of all.
    pub longest: Duration,
}

impl Backoff {
    /// The wait after `failures` failed attempts in a row, before jitter; 0 counts as 1.
    pub(super) fn after(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        self.first.saturating_mul(1 << doublings).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let backoff = Backoff { first: Duration::from_millis(500), longest: Duration::from_secs(15) };
        let waits = [0, 1, 2, 3, 5, 6, 40].map(|failures| backoff.after(failures).as_millis());
        assert_eq!(waits, [500, 500, 1000, 2000, 8000, 15_000, 15_000]);
    }

    #[test]
    fn jitter_takes_at_most_half() {
        let wait = Duration::from_millis(501);
        for (drawn, expect_ms) in [(0, 250), (u64::MAX / 2, 375), (u64::MAX, 501)] {
            assert_eq!(Jitter::new(move || drawn).apply(wait).as_millis(), expect_ms);
        }
        assert_eq!(Jitter::none().apply(Duration::ZERO), Duration::ZERO);
    }
}
