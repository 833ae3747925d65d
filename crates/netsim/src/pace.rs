//! How time passes in a world: jumping from event to event, or as it does outside.
//!
//! Real time is there to check virtual time against: the same world, the same code under test, with the
//! machine's clock. Packets then leave their links at the instants that the models say, for which
//! tokio's timers with their grain of a millisecond are too coarse: a thread of its own wakes the world's
//! ([`Alarm`]). The timers of programs are tokio's own, as they are in the programs that people ship.
//!
//! Nothing about real time is deterministic but the draws of the network.

use std::{
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

/// How the time of a world passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// It jumps from event to event, in whole milliseconds; computing takes none. Every run with one
    /// seed is the same.
    #[default]
    Virtual,
    /// It is the machine's: events are waited for, and computing takes as long as it takes. No two runs are
    /// the same.
    RealTime,
}

/// How late the packets of a world in real time were: how busy the machine was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lateness {
    /// How often packets were released: at most once for each stage of each packet's way.
    pub releases: u32,
    /// The sum of all their delays against the plan.
    pub total: Duration,
    /// The greatest of them.
    pub most: Duration,
    /// What half of them were at most, up to a sixteenth more.
    pub p50: Duration,
    /// What 99 of 100 were at most, up to a sixteenth more.
    pub p99: Duration,
}

impl Lateness {
    /// The mean delay against the plan; zero where nothing was released.
    pub fn mean(&self) -> Duration {
        self.total.checked_div(self.releases).unwrap_or_default()
    }
}

/// What a world needs to keep real time.
#[derive(Debug, Default)]
pub(crate) struct RealTime {
    alarm: Alarm,
    lateness: Mutex<Delays>,
}

/// The delays of all releases.
#[derive(Debug)]
struct Delays {
    sum: Lateness,
    /// How many were of about one length: exact below 16 µs, then sixteen to each power of two.
    counts: [u32; BUCKETS],
}

/// As many as the microseconds of an hour need.
const BUCKETS: usize = 512;

impl Default for Delays {
    fn default() -> Self {
        Self { sum: Lateness::default(), counts: [0; BUCKETS] }
    }
}

impl Delays {
    fn add(&mut self, late: Duration) {
        self.sum.releases = self.sum.releases.saturating_add(1);
        self.sum.total += late;
        self.sum.most = self.sum.most.max(late);
        let count = &mut self.counts[bucket(u64::try_from(late.as_micros()).unwrap_or(u64::MAX))];
        *count = count.saturating_add(1);
    }

    /// What `percent` of the delays were at most.
    fn at_most(&self, percent: u64) -> Duration {
        let wanted = (u64::from(self.sum.releases) * percent).div_ceil(100);
        let mut seen = 0;
        let within = self.counts.iter().position(|count| {
            seen += u64::from(*count);
            seen >= wanted
        });
        Duration::from_micros(within.map_or(0, longest)).min(self.sum.most)
    }
}

/// The bucket of a delay.
fn bucket(micros: u64) -> usize {
    if micros < 16 {
        return micros as usize;
    }
    let power = 63 - micros.leading_zeros() as usize;
    let sixteenth = (micros >> (power - 4)) as usize & 15;
    ((power - 3) * 16 + sixteenth).min(BUCKETS - 1)
}

/// The longest delay of a bucket, in microseconds.
const fn longest(bucket: usize) -> u64 {
    if bucket < 16 {
        return bucket as u64;
    }
    let (power, sixteenth) = (bucket / 16 + 3, bucket % 16);
    ((17 + sixteenth as u64) << (power - 4)) - 1
}

impl RealTime {
    /// Ends the park of the runtime's thread at `at`, some 0.1 ms later; what is left of an earlier alarm ends it early.
    pub(crate) fn ring_at(&self, at: Instant) {
        self.alarm.set(at);
    }

    /// Wakes its task at each ring, and never resolves.
    pub(crate) async fn ringing(&self) {
        loop {
            self.alarm.bell.notified().await;
        }
    }

    /// Something was released so much later than planned.
    pub(crate) fn released(&self, late: Duration) {
        self.lateness.lock().unwrap_or_else(PoisonError::into_inner).add(late);
    }

    pub(crate) fn lateness(&self) -> Lateness {
        let delays = self.lateness.lock().unwrap_or_else(PoisonError::into_inner);
        Lateness { p50: delays.at_most(50), p99: delays.at_most(99), ..delays.sum }
    }
}

/// A thread that rings at an instant, exact to the operating system's own timers.
#[derive(Debug)]
struct Alarm {
    setter: mpsc::Sender<Instant>,
    bell: Arc<Notify>,
}

impl Default for Alarm {
    /// The thread ends with the alarm. Where none can be started, the world has no way on.
    fn default() -> Self {
        let (setter, set) = mpsc::channel();
        let bell = Arc::new(Notify::new());
        let rings = bell.clone();
        let alarm = thread::Builder::new().name("alarm".to_owned());
        determinism::exempt(|| alarm.spawn(move || wait(&set, &rings)))
            .expect("the machine has room for a thread");
        Self { setter, bell }
    }
}

impl Alarm {
    /// Rings at `at`, and no longer at the instant for which it was set before.
    fn set(&self, at: Instant) {
        self.setter.send(at).expect("the thread waits for as long as there is a sender");
    }
}

/// Rings at each instant that is `set`, unless another one is before that.
fn wait(set: &mpsc::Receiver<Instant>, bell: &Notify) {
    let mut next = set.recv().ok();
    while let Some(at) = next {
        next = match set.recv_timeout(at.saturating_duration_since(Instant::now())) {
            Ok(other) => Some(other),
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                bell.notify_one();
                set.recv().ok()
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_what_is_at_most_a_sixteenth_apart() {
        for micros in (0..5000).chain([1 << 20, (1 << 31) - 1, 3_600_000_000]) {
            let at_most = longest(bucket(micros));
            assert!(micros <= at_most && at_most <= micros + micros / 16, "{micros} is counted as {at_most}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_those_of_the_delays() {
        let real_time = RealTime::default();
        assert_eq!(real_time.lateness(), Lateness::default());
        for micros in 1..=1000 {
            real_time.released(Duration::from_micros(micros));
        }
        let Lateness { releases, most, p50, p99, .. } = real_time.lateness();
        assert_eq!((releases, most), (1000, Duration::from_millis(1)));
        assert!((500..=532).contains(&p50.as_micros()), "{p50:?}");
        assert!((990..=1000).contains(&p99.as_micros()), "{p99:?}");
    }
}
