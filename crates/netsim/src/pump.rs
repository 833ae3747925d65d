//! The pump: what makes a world go on.
//!
//! It lets the runtime rest, that is, until no task can run; then it takes what the TCP stacks send,
//! releases one thing that reaches a host, and lets the runtime rest again. So what happens at one
//! instant happens in one order: timers first, then packets one by one in the order in which they were
//! planned. Between events it sleeps on tokio's paused clock, which then jumps: nothing ticks, and an
//! idle minute costs nothing. In real time (`pace`) it waits for the machine's clock instead.
//!
//! Rest is observed, not guessed: the runtime says when it has nothing left to run, by its hook that
//! comes before parking its thread. A task that spins on `yield_now` therefore hangs its world, as it
//! would hang a real thread.

use std::{
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use timeline::VirtualTime;
use tokio::{sync::Notify, time::Sleep};

use crate::{End, network::Effects, shared::Shared};

/// How a world and its pump call each other.
pub(crate) struct Signals {
    /// There is something earlier than what the pump sleeps for.
    work: Notify,
    /// Until when the pump sleeps, in nanoseconds; zero while it does not.
    asleep_until: AtomicU64,
    /// Nothing can run.
    rest: Notify,
    wants_rest: AtomicBool,
    end: Notify,
    end_reason: Mutex<Option<End>>,
}

impl Signals {
    pub(crate) const fn new() -> Self {
        Self {
            work: Notify::const_new(),
            asleep_until: AtomicU64::new(0),
            rest: Notify::const_new(),
            wants_rest: AtomicBool::new(false),
            end: Notify::const_new(),
            end_reason: Mutex::new(None),
        }
    }

    /// Something is planned for `at`; wakes the pump if it would sleep past that.
    pub(crate) fn planned(&self, at: Option<VirtualTime>) {
        let asleep_until = self.asleep_until.load(Ordering::Relaxed);
        if at.is_some_and(|at| at.as_nanos() < asleep_until) {
            self.work.notify_one();
        }
    }

    /// The runtime has nothing to run.
    pub(crate) fn at_rest(&self) {
        if self.wants_rest.swap(false, Ordering::Relaxed) {
            self.rest.notify_one();
        }
    }

    /// Ends the world; the first reason counts.
    pub(crate) fn end(&self, reason: End) {
        self.end_reason.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(reason);
        self.end.notify_one();
    }

    /// Resolves when the world is ended from within.
    pub(crate) async fn ended(&self) -> End {
        loop {
            if let Some(reason) = *self.end_reason.lock().unwrap_or_else(PoisonError::into_inner) {
                return reason;
            }
            self.end.notified().await;
        }
    }

    async fn rested(&self) {
        self.wants_rest.store(true, Ordering::Relaxed);
        self.rest.notified().await;
    }
}

/// Runs until the runtime drops it.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut effects = Effects::default();
    let mut sleep = pin!(tokio::time::sleep(std::time::Duration::ZERO));
    loop {
        wait_for_work(&shared, sleep.as_mut()).await;
        shared.signals.rested().await;
        let now = shared.now();
        shared.collect(now);
        shared.release(now, &mut effects);
    }
}

async fn wait_for_work(shared: &Shared, mut sleep: Pin<&mut Sleep>) {
    let signals = &shared.signals;
    while let Err(next) = shared.work(shared.now()) {
        let until = next.map_or(u64::MAX, VirtualTime::as_nanos);
        signals.asleep_until.store(until, Ordering::Relaxed);
        match next {
            None => signals.work.notified().await,
            Some(at) => {
                tokio::select! {
                    biased;
                    () = signals.work.notified() => {}
                    () = sleep_until(shared, at, sleep.as_mut()) => {}
                }
            }
        }
        signals.asleep_until.store(0, Ordering::Relaxed);
    }
}

async fn sleep_until(shared: &Shared, at: VirtualTime, mut sleep: Pin<&mut Sleep>) {
    let at = shared.instant_at(at);
    match &shared.real_time {
        Some(real_time) => real_time.sleep_until(at).await,
        None => {
            sleep.as_mut().reset(at);
            sleep.await;
        }
    }
}
