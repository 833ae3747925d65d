//! Which host the running task belongs to.

use std::{
    cell::RefCell,
    fmt,
    future::{Future, poll_fn},
    io,
    net::SocketAddr,
    pin::pin,
    sync::Arc,
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
}

impl Inhabited {
    pub(crate) fn new(host: Host, names: Names) -> Arc<Self> {
        let asked = host.clone();
        Arc::new(Self { host, names, interfaces: Arc::new(move || asked.addresses()) })
    }

    /// Runs `future` as a task of this host: while it is polled, the C library's list of interfaces has this host's
    /// addresses, and the sockets of [`net`](crate::net) are opened here.
    pub(crate) async fn run<F: Future>(self: Arc<Self>, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|context| self.enter(|| future.as_mut().poll(context))).await
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
