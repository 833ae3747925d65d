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
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Waker},
    time::Duration,
};

use timeline::VirtualTime;
use tokio::time::Sleep;

use crate::{
    End,
    effects::{Effects, Stirred},
    network::Network,
    shared::Shared,
};

/// Releases what happens in a world, one thing after the other.
pub(crate) struct Pump {
    shared: Arc<Shared>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    effects: Effects,
    /// Where the clock jumps to next. Nobody waits for it: that it fires ends the park.
    next: Option<Pin<Box<Sleep>>>,
    /// The clock may move before the runtime goes on.
    may_jump: bool,
}

impl Pump {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared), state: Mutex::default() }
    }

    /// Makes ready to set timers. Within the runtime.
    pub(crate) fn start(&self) {
        self.state().next = Some(Box::pin(tokio::time::sleep(Duration::ZERO)));
    }

    /// Lets go of the runtime, which has the pump.
    pub(crate) fn stop(&self) {
        self.state().next = None;
    }

    /// The runtime, which is the caller, has nothing to run.
    pub(crate) fn at_rest(&self) {
        let (shared, state) = (&*self.shared, &mut *self.state());
        if shared.has_escaped() {
            shared.end(Some(End::Escaped));
            return come_back();
        }
        loop {
            let now = shared.now();
            match work(shared, now) {
                Ok(()) if advance(shared, now, &mut state.effects) == Stirred::Yes => {
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
    pub(crate) fn at_work(&self) {
        if self.state().may_jump {
            self.shared.read_clock();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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

/// Changes the network from outside the loop, and carries out what comes of it.
pub(crate) fn change<R>(
    shared: &Shared,
    change: impl FnOnce(&mut Network, VirtualTime, &mut Effects) -> R,
) -> R {
    let now = shared.now();
    let mut effects = Effects::default();
    let changed = change(&mut shared.network(), now, &mut effects);
    carry_out(shared, &mut effects);
    shared.stack_was_called();
    changed
}

/// Whether there is something to do at `now`; otherwise when, if that is known.
fn work(shared: &Shared, now: VirtualTime) -> Result<(), Option<VirtualTime>> {
    let (packet, timer) = (shared.network().next_at(), shared.timers().next_at());
    let next = packet.into_iter().chain(timer).min();
    let is_due = shared.has_busy_stacks() || next.is_some_and(|at| at <= now);
    if is_due { Ok(()) } else { Err(next) }
}

/// Takes what the TCP stacks want to send, and releases the next thing that is due.
fn advance(shared: &Shared, now: VirtualTime, effects: &mut Effects) -> Stirred {
    let (collected, released) = (collect(shared, now), release(shared, now, effects));
    if collected == Stirred::Yes { collected } else { released }
}

fn collect(shared: &Shared, now: VirtualTime) -> Stirred {
    if !shared.take_busy_stacks() {
        return Stirred::No;
    }
    let mut network = shared.network();
    let woken = shared.kernel.egress(|host, segment| network.tcp_send(now, host, segment));
    drop(network);
    woken.wake()
}

/// Releases a timer, or what reaches a host. At one instant timers come first.
fn release(shared: &Shared, now: VirtualTime, effects: &mut Effects) -> Stirred {
    let (timer, packet) = (shared.timers().next_at(), shared.network().next_at());
    if timer.is_some_and(|timer| timer <= now && packet.is_none_or(|packet| timer <= packet)) {
        return fire(shared, now);
    }
    if let (Some(real_time), Some(due)) = (&shared.real_time, packet.filter(|packet| *packet <= now)) {
        real_time.released(now.since(due));
    }
    let passed = shared.network().release(now, effects);
    let ended = spend(shared, now, passed);
    let stirred = if effects.reaches_a_host() { Stirred::Yes } else { ended };
    carry_out(shared, effects);
    stirred
}

fn fire(shared: &Shared, now: VirtualTime) -> Stirred {
    let waker = shared.timers().fire(now);
    let ended = spend(shared, now, 1);
    match waker {
        Some(waker) => {
            waker.wake();
            Stirred::Yes
        }
        None => ended,
    }
}

fn spend(shared: &Shared, now: VirtualTime, events: u64) -> Stirred {
    let end = shared.budget().spend_events(now, events);
    shared.end(end);
    if end.is_some() { Stirred::Yes } else { Stirred::No }
}

/// Wakes tasks and hands segments to the TCP stacks.
fn carry_out(shared: &Shared, effects: &mut Effects) {
    if !effects.segments.is_empty() {
        shared.stack_was_called();
        effects.segments.drain(..).for_each(|(host, segment)| shared.kernel.deliver(host, segment));
    }
    for waker in effects.wakers.drain(..) {
        waker.wake();
    }
}

/// Lets the runtime look once more for something to run, and come back if there is nothing, before its clock
/// moves: a task that was woken may be gone.
fn come_back() {
    let _ = pin!(tokio::task::yield_now()).poll(&mut Context::from_waker(Waker::noop()));
}
