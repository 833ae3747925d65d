//! The pump: what makes a world go on.
//!
//! It is called whenever the runtime is at rest, that is, when no task can run. Then it takes what the TCP stacks send
//! and releases one thing that reaches a host; what that sets going runs until the runtime is at rest again. So what
//! happens at one instant happens in one order: timers first, then packets one by one in the order in which they were
//! planned. Where nothing is due, it sets a timer on tokio's paused clock for what comes next, and the clock jumps
//! there: nothing ticks, and an idle minute costs next to nothing. In real time (`pace`) it waits for the machine's
//! clock instead.
//!
//! Rest is observed, not guessed: the runtime calls before it parks its thread, which it does when it has nothing left
//! to run. A task that spins on `yield_now` therefore hangs its world, as it would hang a real thread.

use std::{
    future::Future as _,
    pin::{Pin, pin},
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Waker},
    time::Duration,
};

use timeline::VirtualTime;
use tokio::{sync::Notify, time::Sleep};

use crate::{
    End,
    effects::{Effects, Stirred},
    shared::Shared,
};

/// Releases what happens in a world, one thing after the other.
#[derive(Default)]
pub(crate) struct Pump(Mutex<State>);

#[derive(Default)]
struct State {
    effects: Effects,
    /// Where the clock jumps to next. Nobody waits for it: that it fires ends the park.
    next: Option<Pin<Box<Sleep>>>,
    /// The clock may move before the runtime goes on.
    may_jump: bool,
}

impl Pump {
    /// Makes ready to set timers. Within the runtime.
    pub(crate) fn start(&self) {
        self.state().next = Some(Box::pin(tokio::time::sleep(Duration::ZERO)));
    }

    /// Lets go of the runtime, which has the pump.
    pub(crate) fn stop(&self) {
        self.state().next = None;
    }

    /// The runtime, which is the caller, has nothing to run.
    pub(crate) fn at_rest(&self, shared: &Shared) {
        let state = &mut *self.state();
        loop {
            let now = shared.now();
            match shared.work(now) {
                Ok(()) if shared.advance(now, &mut state.effects) == Stirred::Yes => {
                    state.may_jump = false;
                    return come_back();
                }
                Ok(()) => {}
                Err(next) => {
                    state.may_jump = true;
                    return state.wait_until(shared, next);
                }
            }
        }
    }

    /// The runtime goes on.
    pub(crate) fn at_work(&self, shared: &Shared) {
        if self.state().may_jump {
            shared.read_clock();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wait_until(&mut self, shared: &Shared, next: Option<VirtualTime>) {
        let Some(at) = next.map(|at| shared.instant_at(at)) else { return };
        match (&shared.real_time, &mut self.next) {
            (Some(real_time), _) => real_time.ring_at(at),
            (None, Some(sleep)) if sleep.deadline() != at || sleep.is_elapsed() => sleep.as_mut().reset(at),
            (None, _) => {}
        }
    }
}

/// Lets the runtime look once more for something to run, and come back if there is nothing, before its clock moves:
/// whoever was woken may be gone.
fn come_back() {
    let _ = pin!(tokio::task::yield_now()).poll(&mut Context::from_waker(Waker::noop()));
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
