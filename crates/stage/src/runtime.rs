//! A [`webrtc::runtime::Runtime`] over a world: tasks on its thread, timers on its clock, sockets on
//! its hosts. Everything handed out is counted until it is given back, so that a run can prove that
//! nothing was left.

use std::{
    collections::BTreeMap,
    future::Future,
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr},
    os::fd::AsRawFd as _,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use netsim::{Host, UdpSocket, World};
use timeline::VirtualTime;
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, RecvMeta, Runtime, Transmit,
};

use crate::host::Inhabited;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The runtime of one host.
#[derive(Clone, Debug)]
pub struct WorldRuntime {
    world: World,
    inhabited: Arc<Inhabited>,
    gauges: Gauges,
}

/// The names that hosts look up: what a world has for DNS. It answers at once and never fails.
pub type Names = Arc<BTreeMap<String, Vec<IpAddr>>>;

/// What a runtime has handed out and not got back.
#[derive(Clone, Debug, Default)]
pub struct Gauges {
    tasks: Arc<AtomicUsize>,
    timers: Arc<AtomicUsize>,
}

/// What a host still holds. After a run that released everything, all zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// Tasks that have not ended.
    pub tasks: usize,
    /// Timers that are set.
    pub timers: usize,
    /// UDP sockets, TCP streams and listeners that are open.
    pub sockets: usize,
}

impl Leftovers {
    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl WorldRuntime {
    /// The runtime of `host` in `world`.
    pub fn new(world: World, host: Host, names: Names) -> Self {
        Self { world, inhabited: Inhabited::new(host, names), gauges: Gauges::default() }
    }

    pub(crate) fn inhabited(&self) -> &Arc<Inhabited> {
        &self.inhabited
    }

    /// What it has handed out.
    pub fn gauges(&self) -> Gauges {
        self.gauges.clone()
    }
}

impl Gauges {
    /// Tasks that have not ended.
    pub fn tasks(&self) -> usize {
        self.tasks.load(Ordering::Relaxed)
    }

    /// Timers that are set.
    pub fn timers(&self) -> usize {
        self.timers.load(Ordering::Relaxed)
    }
}

/// Counts one thing while it lives.
struct Held(Arc<AtomicUsize>);

impl Held {
    fn one_of(gauge: &Arc<AtomicUsize>) -> Self {
        gauge.fetch_add(1, Ordering::Relaxed);
        Self(gauge.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Runtime for WorldRuntime {
    fn spawn(&self, future: BoxFuture<'static, ()>) -> Box<dyn JoinHandle> {
        let held = Held::one_of(&self.gauges.tasks);
        let task = self.inhabited.clone().run(async move {
            let _held = held;
            future.await;
        });
        Box::new(Task(tokio::spawn(task).abort_handle()))
    }

    /// `socket` is a file descriptor that this thread's hooks bound without the operating system: only
    /// its address is used.
    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let address = socket.local_addr()?;
        // Its number will name another socket once this one is closed.
        determinism::take_bound(socket.as_raw_fd());
        let socket = self.inhabited.host.bind_udp(address)?;
        Ok(Arc::new(WorldUdpSocket(socket)))
    }

    fn wrap_tcp_listener(&self, _: std::net::TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "worlds have no ICE-TCP"))
    }

    fn connect_tcp<'a>(&'a self, _: SocketAddr) -> BoxFuture<'a, io::Result<Arc<dyn AsyncTcpStream>>> {
        Box::pin(async { Err(io::Error::new(io::ErrorKind::Unsupported, "worlds have no ICE-TCP")) })
    }

    /// `host` is a name or an address, with a port behind a colon.
    fn resolve_host<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        let found = self.inhabited.look_up(host);
        Box::pin(async move { found })
    }

    fn now(&self) -> Instant {
        self.world.instant()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let held = Held::one_of(&self.gauges.timers);
        let sleep = self.world.sleep(duration);
        Box::pin(async move {
            sleep.await;
            drop(held);
        })
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        let held = Held::one_of(&self.gauges.timers);
        Box::new(Interval { world: self.world.clone(), next: self.world.now(), period, _held: held })
    }

    fn block_on(&self, _: Pin<Box<dyn Future<Output = ()> + '_>>) {
        panic!("a world runs its futures itself: nothing in it may block its one thread");
    }

    fn name(&self) -> &'static str {
        "world"
    }
}

struct Task(tokio::task::AbortHandle);

impl JoinHandle for Task {
    fn detach(&self) {}

    fn abort(&self) {
        self.0.abort();
    }

    fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

/// Ticks at once, then every period; ticks that were missed are made up for.
struct Interval {
    world: World,
    next: VirtualTime,
    period: Duration,
    _held: Held,
}

impl AsyncInterval for Interval {
    fn tick(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.world.sleep_until(self.next).await;
            self.next = self.next + self.period;
        })
    }
}

#[derive(Debug)]
struct WorldUdpSocket(UdpSocket);

impl AsyncUdpSocket for WorldUdpSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        self.0.poll_send_to(cx, transmit.contents, transmit.destination)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let capacity = buffers.len().min(meta.len());
        for index in 0..capacity {
            let (len, from) = match self.0.poll_recv_from(cx, &mut buffers[index]) {
                Poll::Ready(received) => received?,
                Poll::Pending if index == 0 => return Poll::Pending,
                Poll::Pending => return Poll::Ready(Ok(index)),
            };
            // `RecvMeta` cannot be built outside its crate; its other fields keep their defaults.
            meta[index] = RecvMeta::default();
            meta[index].addr = from;
            meta[index].len = len;
            meta[index].stride = len.max(1);
            meta[index].dst_ip = self.0.local_addr().ok().map(|address| address.ip());
        }
        Poll::Ready(Ok(capacity))
    }
}
