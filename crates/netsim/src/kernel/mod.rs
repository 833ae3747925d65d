//! The TCP stacks of the hosts: handshakes, states, ports, buffers and wakers (RFC 9293).
//!
//! A stack never retransmits, its receive window never closes, and it takes segments in order only: what
//! happens between stacks is the network's business (`network`, `hold`), which loses none and keeps them in
//! order. So a stack keeps nothing that it has sent.
//!
//! A stack is called by its host's programs, through [`Stream`], [`Listener`] and [`Connecting`], and by the
//! network, which takes what it sends ([`Kernel::egress`]) and hands it what arrives ([`Kernel::deliver`]).
//! What a call costs does not depend on how many hosts and connections there are.

mod connection;
mod host;
mod segment;
mod socket;
#[cfg(test)]
mod tests;
mod wakers;

use std::{
    collections::BTreeSet,
    fmt, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::ids::HostIndex;
use host::Host;
pub(crate) use segment::Segment;
pub(crate) use socket::{Close, Connecting, Listener, Stream};
pub(crate) use wakers::Woken;

/// The stacks of all hosts of one world.
#[derive(Clone)]
pub(crate) struct Kernel(Arc<Mutex<Hosts>>);

/// One host's stack.
#[derive(Clone)]
pub(crate) struct Stack {
    kernel: Kernel,
    host: HostIndex,
}

struct Hosts {
    hosts: Vec<Host>,
    /// Those that may have something to send.
    busy: BTreeSet<HostIndex>,
}

impl Kernel {
    /// Sets up the stacks of so many hosts.
    pub(crate) fn new(hosts: usize) -> Self {
        let hosts = (0..hosts).map(|_| Host::new()).collect();
        Self(Arc::new(Mutex::new(Hosts { hosts, busy: BTreeSet::new() })))
    }

    /// The stack of a host.
    pub(crate) fn stack(&self, host: HostIndex) -> Stack {
        Stack { kernel: self.clone(), host }
    }

    /// Takes what the stacks want to send to other hosts, stack by stack, with the sending host. What a host
    /// sends to itself has arrived then: the tasks that wait for it are to be woken.
    pub(crate) fn egress(&self, mut send: impl FnMut(HostIndex, Segment)) -> Woken {
        let mut woken = Woken::default();
        let mut hosts = self.lock();
        let Hosts { hosts: all, busy } = &mut *hosts;
        for host in mem::take(busy) {
            all[host].egress(&mut woken, &mut |segment| send(host, segment));
        }
        woken
    }

    /// Hands a segment to the stack of a host.
    pub(crate) fn deliver(&self, host: HostIndex, segment: Segment) {
        self.with(host, |host, woken| host.deliver(segment, woken));
    }

    /// How many connections there are, at all ends.
    #[cfg(test)]
    fn connections(&self) -> usize {
        self.lock().hosts.iter().map(Host::connections).sum()
    }

    /// Calls a host's stack, and wakes whom that concerns when the stack is free again.
    fn with<R>(&self, host: HostIndex, call: impl FnOnce(&mut Host, &mut Woken) -> R) -> R {
        let mut woken = Woken::default();
        let mut hosts = self.lock();
        hosts.busy.insert(host);
        let result = call(&mut hosts.hosts[host], &mut woken);
        drop(hosts);
        woken.wake();
        result
    }

    /// Nothing panics while it is held.
    fn lock(&self) -> MutexGuard<'_, Hosts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stack {
    fn with<R>(&self, call: impl FnOnce(&mut Host, &mut Woken) -> R) -> R {
        self.kernel.with(self.host, call)
    }
}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stack({})", self.host)
    }
}
