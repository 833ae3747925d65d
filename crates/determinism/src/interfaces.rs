//! Which network interfaces code on a simulation thread finds: those of the simulated host whose task is
//! being polled.

use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    net::IpAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
};

/// The addresses that a host has at the moment of the call: a handover changes them.
pub type Interfaces = Arc<dyn Fn() -> Vec<IpAddr> + Send + Sync>;

thread_local! {
    static CURRENT: RefCell<Option<Interfaces>> = const { RefCell::new(None) };
}

/// Runs `future` as a task of the host with these interfaces: while it is polled, the C library's
/// `getifaddrs` lists them, on a simulation thread. They are called `eth0`, `eth1`, …, beside `lo`.
///
/// Without effect on ordinary threads.
pub async fn on_host<F: Future>(interfaces: Interfaces, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| with_interfaces(&interfaces, || future.as_mut().poll(context))).await
}

/// The same for what is no future. Calls may be nested; the innermost counts.
pub fn with_interfaces<R>(interfaces: &Interfaces, f: impl FnOnce() -> R) -> R {
    let _entered = Entered { before: CURRENT.replace(Some(Arc::clone(interfaces))) };
    f()
}

/// Restores what was there before.
struct Entered {
    before: Option<Interfaces>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.before.take());
    }
}

/// The addresses of the host on whose behalf this thread runs. `None` where there is no such host, or where
/// its addresses cannot be had.
pub(crate) fn current() -> Option<Vec<IpAddr>> {
    let current = CURRENT.try_with(|current| current.try_borrow().ok().and_then(|current| current.clone()));
    let interfaces = current.ok().flatten()?;
    // The caller is a hook, which must not unwind.
    catch_unwind(AssertUnwindSafe(|| interfaces())).ok()
}
