use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    os::fd::AsRawFd as _,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::FutureExt as _;
use tokio::{task::AbortHandle, time};
use turmoil::net::UdpSocket;
use webrtc::runtime::{AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, Runtime};

use crate::socket::TurmoilUdpSocket;

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// `webrtc`'s runtime on one host of a turmoil simulation: its tasks, its clock, its UDP sockets.
///
/// `webrtc` binds its sockets itself, through the standard library, and announces the addresses that it
/// bound. In [`simulate`](crate::simulate) such a socket never reaches the system, and the runtime opens
/// turmoil's in its place. A wildcard address would announce the interfaces of the machine: give a peer
/// connection [`TurmoilRuntime::udp_address`].
#[derive(Clone, Debug)]
pub struct TurmoilRuntime {
    address: IpAddr,
}

impl TurmoilRuntime {
    /// The runtime of the host `name`, a name of the simulation or an address. It must be the host that
    /// calls, which turmoil does not let anybody ask for: another one's packets would come from here and be
    /// answered there.
    ///
    /// # Errors
    /// `NotFound` where the simulation has no host of that name.
    ///
    /// # Panics
    /// Outside of a host of a simulation.
    pub fn new(name: impl AsRef<str>) -> io::Result<Self> {
        Ok(Self { address: look_up(name.as_ref())? })
    }

    /// The address of the host.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Where a peer connection is to bind (`with_udp_addrs`): the host's address, and a port of the system's
    /// choice.
    pub fn udp_address(&self) -> SocketAddr {
        SocketAddr::new(self.address, 0)
    }
}

/// The address of a host. turmoil's own `lookup` would give a name that it does not know an address.
fn look_up(name: &str) -> io::Result<IpAddr> {
    if let Ok(address) = name.parse() {
        return Ok(address);
    }
    // Nobody can bind another address than a wildcard or loopback, but the name is looked up first.
    match UdpSocket::bind((name, 0)).now_or_never() {
        Some(Err(error)) if error.kind() == io::ErrorKind::NotFound => Err(error),
        _ => Ok(turmoil::lookup(name)),
    }
}

impl Runtime for TurmoilRuntime {
    fn spawn(&self, future: BoxFuture<'static, ()>) -> Box<dyn JoinHandle> {
        Box::new(Task(tokio::spawn(future).abort_handle()))
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let Some(bound) = determinism::take_bound(socket.as_raw_fd()) else {
            let outside = "the socket was bound outside of `webrtc_turmoil::simulate`, on the machine itself";
            return Err(io::Error::new(io::ErrorKind::Unsupported, outside));
        };
        if bound.ip() != self.address {
            let reason = format!("the host's address is {}, not {}", self.address, bound.ip());
            return Err(io::Error::new(io::ErrorKind::AddrNotAvailable, reason));
        }
        Ok(Arc::new(TurmoilUdpSocket::open(bound)?))
    }

    fn wrap_tcp_listener(&self, _: std::net::TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        Err(no_ice_tcp())
    }

    fn connect_tcp<'a>(&'a self, _: SocketAddr) -> BoxFuture<'a, io::Result<Arc<dyn AsyncTcpStream>>> {
        Box::pin(std::future::ready(Err(no_ice_tcp())))
    }

    /// `host` is a name of the simulation or an address, with a port behind a colon.
    fn resolve_host<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        let resolved = resolve(host).map(|address| vec![address]);
        Box::pin(std::future::ready(resolved))
    }

    fn now(&self) -> Instant {
        time::Instant::now().into_std()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(time::sleep(duration))
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        Box::new(Interval(time::interval(period)))
    }

    fn block_on(&self, _: Pin<Box<dyn Future<Output = ()> + '_>>) {
        panic!("turmoil runs its hosts itself: nothing in one may block the thread");
    }

    fn name(&self) -> &'static str {
        "turmoil"
    }
}

fn resolve(host: &str) -> io::Result<SocketAddr> {
    if let Ok(address) = host.parse() {
        return Ok(address);
    }
    let malformed = || io::Error::new(io::ErrorKind::InvalidInput, format!("`{host}` has no port"));
    let (name, port) = host.rsplit_once(':').ok_or_else(malformed)?;
    Ok(SocketAddr::new(look_up(name)?, port.parse().map_err(|_| malformed())?))
}

fn no_ice_tcp() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "there is no ICE-TCP in a turmoil simulation")
}

struct Task(AbortHandle);

impl JoinHandle for Task {
    fn detach(&self) {}

    fn abort(&self) {
        self.0.abort();
    }

    fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

struct Interval(time::Interval);

impl AsyncInterval for Interval {
    fn tick(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.0.tick().await;
        })
    }
}
