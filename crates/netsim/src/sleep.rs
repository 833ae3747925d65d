use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use timeline::VirtualTime;

use crate::{shared::Shared, timers::TimerKey};

/// Resolves when its time has come and the pump releases it. In real time, where nothing is the same twice,
/// it is one of tokio's.
pub struct Sleep(Timer);

enum Timer {
    Pumped(Pumped),
    /// In a world in real time.
    Tokio(Pin<Box<tokio::time::Sleep>>),
}

struct Pumped {
    shared: Arc<Shared>,
    key: TimerKey,
}

impl Sleep {
    pub(crate) fn until(shared: &Arc<Shared>, at: VirtualTime) -> Self {
        if shared.real_time.is_some() {
            return Self(Timer::Tokio(Box::pin(tokio::time::sleep_until(shared.instant_at(at)))));
        }
        let key = shared.timers().set(at);
        Self(Timer::Pumped(Pumped { shared: Arc::clone(shared), key }))
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.0 {
            Timer::Pumped(Pumped { shared, key }) => shared.timers().poll(*key, cx),
            Timer::Tokio(timer) => timer.as_mut().poll(cx),
        }
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Timer::Pumped(timer) => {
                f.debug_struct("Sleep").field("until", &timer.key.0).finish_non_exhaustive()
            }
            Timer::Tokio(timer) => timer.fmt(f),
        }
    }
}

impl Drop for Pumped {
    fn drop(&mut self) {
        // A statement of its own: the waker is dropped with the lock released.
        let waker = self.shared.timers().cancel(self.key);
        drop(waker);
    }
}
