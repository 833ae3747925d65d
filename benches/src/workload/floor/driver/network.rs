//! A network without hosts, links or losses: each datagram arrives after one delay, in the order of sending.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

/// From one peer to the other: what two accesses of a scenario's default network add up to.
const DELAY: Duration = Duration::from_millis(20);

/// The network of one run. All clones are one network.
#[derive(Clone, Debug, Default)]
pub(super) struct Network(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Something is on its way again.
    sent: Notify,
}

#[derive(Debug, Default)]
struct State {
    sockets: BTreeMap<SocketAddr, Inbox>,
    /// As one delay holds for all, the first that was sent is the next to arrive.
    under_way: VecDeque<Datagram>,
}

#[derive(Debug, Default)]
struct Inbox {
    arrived: VecDeque<Datagram>,
    reader: Option<Waker>,
}

#[derive(Debug)]
struct Datagram {
    due: Instant,
    from: SocketAddr,
    to: SocketAddr,
    bytes: Vec<u8>,
}

impl Network {
    /// A socket, until it is dropped.
    ///
    /// # Errors
    ///
    /// `AddrInUse` where there is one.
    pub(super) fn bind(&self, address: SocketAddr) -> io::Result<Socket> {
        let mut state = self.state();
        if state.sockets.contains_key(&address) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        state.sockets.insert(address, Inbox::default());
        Ok(Socket { network: self.clone(), address })
    }

    /// How many sockets there are.
    pub(super) fn open_sockets(&self) -> usize {
        self.state().sockets.len()
    }

    /// Delivers, for ever.
    pub(super) async fn deliver(self) {
        loop {
            let next = self.state().under_way.front().map(|datagram| datagram.due);
            match next {
                Some(due) => {
                    tokio::time::sleep_until(due).await;
                    self.state().deliver_until(Instant::now());
                }
                None => self.0.sent.notified().await,
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn deliver_until(&mut self, now: Instant) {
        while let Some(datagram) = self.under_way.pop_front_if(|datagram| datagram.due <= now) {
            // Who has closed its socket gets nothing.
            let Some(inbox) = self.sockets.get_mut(&datagram.to) else { continue };
            inbox.arrived.push_back(datagram);
            if let Some(reader) = inbox.reader.take() {
                reader.wake();
            }
        }
    }
}

/// One end of the network.
#[derive(Debug)]
pub(super) struct Socket {
    network: Network,
    address: SocketAddr,
}

impl Socket {
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends one datagram.
    pub(super) fn send(&self, bytes: &[u8], to: SocketAddr) {
        let mut state = self.network.state();
        if state.under_way.is_empty() {
            self.network.0.sent.notify_one();
        }
        let due = Instant::now() + DELAY;
        state.under_way.push_back(Datagram { due, from: self.address, to, bytes: bytes.to_vec() });
    }

    /// The next datagram, its length and its sender; what does not fit into `buffer` is lost.
    pub(super) fn poll_receive(&self, cx: &Context<'_>, buffer: &mut [u8]) -> Poll<(usize, SocketAddr)> {
        let mut state = self.network.state();
        let inbox = state.sockets.get_mut(&self.address).expect("it is there as long as its socket");
        let Some(Datagram { from, bytes, .. }) = inbox.arrived.pop_front() else {
            inbox.reader = Some(cx.waker().clone());
            return Poll::Pending;
        };
        let len = bytes.len().min(buffer.len());
        buffer[..len].copy_from_slice(&bytes[..len]);
        Poll::Ready((len, from))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.network.state().sockets.remove(&self.address);
    }
}
