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
    lateness: Mutex<Lateness>,
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
        let mut lateness = self.lateness.lock().unwrap_or_else(PoisonError::into_inner);
        lateness.releases = lateness.releases.saturating_add(1);
        lateness.total += late;
        lateness.most = lateness.most.max(late);
    }

    pub(crate) fn lateness(&self) -> Lateness {
        *self.lateness.lock().unwrap_or_else(PoisonError::into_inner)
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
