//! Which host the running task belongs to.

use std::{
    cell::RefCell,
    fmt,
    future::{Future, poll_fn},
    io,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use netsim::Host;

use crate::Names;

thread_local! {
    static CURRENT: RefCell<Option<Arc<Inhabited>>> = const { RefCell::new(None) };
}

/// A host, for the tasks that run on it.
pub(crate) struct Inhabited {
    pub(crate) host: Host,
    /// The world's DNS.
    pub(crate) names: Names,
    /// Its present addresses: a handover changes them.
    interfaces: determinism::Interfaces,
    suspension: Suspension,
}

/// Whether the process of a host is suspended, and the tasks that wait for it to be resumed, in order.
#[derive(Default)]
struct Suspension {
    times: AtomicUsize,
    waiting: Mutex<Vec<Waker>>,
}

impl Inhabited {
    pub(crate) fn new(host: Host, names: Names) -> Arc<Self> {
        let asked = host.clone();
        Arc::new(Self {
            host,
            names,
            interfaces: Arc::new(move || asked.addresses()),
            suspension: Suspension::default(),
        })
    }

    /// Runs `future` as a task of this host: while it is polled, the C library's list of interfaces has this host's
    /// addresses, and the sockets of [`net`](crate::net) are opened here. While the process is suspended it is not polled.
    pub(crate) async fn run<F: Future>(self: Arc<Self>, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|context| match self.suspension.holds(context) {
            true => Poll::Pending,
            false => self.enter(|| future.as_mut().poll(context)),
        })
        .await
    }

    /// Suspends the process: none of its tasks is polled until it was resumed as many times as it was suspended.
    pub(crate) fn suspend(&self) {
        self.suspension.times.fetch_add(1, Ordering::Relaxed);
    }

    /// Resumes the process: its tasks find everything due that fell due meanwhile.
    pub(crate) fn resume(&self) {
        if self.suspension.times.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.suspension.waiting().drain(..).for_each(Waker::wake);
        }
    }

    /// The addresses of `host_and_port`: an address, or a name of the world's DNS, with a port behind a colon.
    pub(crate) fn look_up(&self, host_and_port: &str) -> io::Result<Vec<SocketAddr>> {
        if let Ok(address) = host_and_port.parse() {
            return Ok(vec![address]);
        }
        let named = host_and_port.rsplit_once(':').and_then(|(name, port)| {
            let (addresses, port) = (self.names.get(name)?, port.parse().ok()?);
            Some(addresses.iter().map(|&address| SocketAddr::new(address, port)).collect())
        });
        named.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, host_and_port.to_owned()))
    }

    /// The same for a call.
    pub(crate) fn enter<R>(self: &Arc<Self>, f: impl FnOnce() -> R) -> R {
        let _entered = Entered { before: CURRENT.replace(Some(self.clone())) };
        determinism::with_interfaces(&self.interfaces, f)
    }
}

impl Suspension {
    fn holds(&self, context: &Context<'_>) -> bool {
        if self.times.load(Ordering::Relaxed) == 0 {
            return false;
        }
        let mut waiting = self.waiting();
        if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            waiting.push(context.waker().clone());
        }
        true
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Inhabited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.host.fmt(f)
    }
}

/// The host whose task is being polled.
pub(crate) fn current() -> Option<Arc<Inhabited>> {
    CURRENT.with_borrow(Clone::clone)
}

/// Restores what was there before.
struct Entered {
    before: Option<Arc<Inhabited>>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.before.take());
    }
}
