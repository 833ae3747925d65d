//! tokio's sockets, on the host whose task is being polled: a program changes its `use tokio::net::…` to
//! `use stage::net::…` and runs in a world as it is.
//!
//! A task is of a host if it was started with [`Place::spawn`](crate::Place::spawn) or by the host's
//! [`WorldRuntime`](crate::WorldRuntime). In any other, every call fails with `Unsupported`.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::host::{Inhabited, current};

/// What the functions of this module accept as addresses, as tokio's do: `SocketAddr`, `(IpAddr, u16)`, `(&str, u16)`,
/// `"10.0.0.1:80"` and `"turn.test:3478"`. Names are looked up in the world's DNS.
pub trait ToSocketAddrs {
    /// The host and the port, in text.
    fn host_and_port(&self) -> String;
}

impl ToSocketAddrs for SocketAddr {
    fn host_and_port(&self) -> String {
        self.to_string()
    }
}

impl ToSocketAddrs for (IpAddr, u16) {
    fn host_and_port(&self) -> String {
        SocketAddr::new(self.0, self.1).to_string()
    }
}

impl ToSocketAddrs for (&str, u16) {
    fn host_and_port(&self) -> String {
        format!("{}:{}", self.0, self.1)
    }
}

impl ToSocketAddrs for str {
    fn host_and_port(&self) -> String {
        self.to_owned()
    }
}

impl ToSocketAddrs for String {
    fn host_and_port(&self) -> String {
        self.clone()
    }
}

impl<T: ToSocketAddrs + ?Sized> ToSocketAddrs for &T {
    fn host_and_port(&self) -> String {
        (**self).host_and_port()
    }
}

/// Looks up the addresses of a host in the world's DNS.
///
/// # Errors
/// `NotFound` for a name that the world does not have, `Unsupported` outside of a host's tasks.
pub async fn lookup_host(host: impl ToSocketAddrs) -> io::Result<std::vec::IntoIter<SocketAddr>> {
    Ok(addresses(&*here()?, &host)?.into_iter())
}

/// A TCP stream: [`netsim::TcpStream`] with tokio's way to open one.
#[derive(Debug)]
pub struct TcpStream(netsim::TcpStream);

impl TcpStream {
    /// Connects to the first of the addresses that answers.
    ///
    /// # Errors
    /// Those of [`netsim::Host::connect`] for the last address, `NotFound` for a name that the world does not have.
    pub async fn connect(to: impl ToSocketAddrs) -> io::Result<Self> {
        let here = here()?;
        let mut failed = io::Error::from(io::ErrorKind::NotFound);
        for address in addresses(&here, &to)? {
            match here.host.connect(address).await {
                Ok(stream) => return Ok(Self(stream)),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    /// The address of this end.
    ///
    /// # Errors
    /// Where the stream's world is over.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// The address of the other end.
    ///
    /// # Errors
    /// Where the stream's world is over.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }

    /// Accepted and without effect: a world's TCP never delays small segments (RFC 9293 §3.7.4).
    ///
    /// # Errors
    /// None; tokio's has one.
    pub const fn set_nodelay(&self, _nodelay: bool) -> io::Result<()> {
        Ok(())
    }

    /// Splits it into halves that can be moved to different tasks.
    pub fn into_split(self) -> (tokio::io::ReadHalf<Self>, tokio::io::WriteHalf<Self>) {
        tokio::io::split(self)
    }
}

impl AsyncRead for TcpStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

/// A TCP listener: [`netsim::TcpListener`] with tokio's way to open one.
#[derive(Debug)]
pub struct TcpListener(Vec<netsim::TcpListener>);

impl TcpListener {
    /// Listens on the first of the addresses that can be bound; on an unspecified one (`0.0.0.0`, `::`) on every
    /// address of the host in that family, with the same port.
    ///
    /// # Errors
    /// Those of [`netsim::Host::listen`].
    pub async fn bind(at: impl ToSocketAddrs) -> io::Result<Self> {
        let here = here()?;
        first_bound(&here, &at, |address| here.host.listen(address), |bound| bound.local_addr()).map(Self)
    }

    /// The next connection, and the address of its other end.
    ///
    /// # Errors
    /// Where the host lost its power or the world is over.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let accept = |context: &mut Context<'_>| {
            let ready = self.0.iter().map(|listener| listener.poll_accept(context)).find(Poll::is_ready);
            ready.unwrap_or(Poll::Pending)
        };
        let (stream, from) = std::future::poll_fn(accept).await?;
        Ok((TcpStream(stream), from))
    }

    /// The address on which it listens; on several, the first.
    ///
    /// # Errors
    /// Where the listener's world is over.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0[0].local_addr()
    }
}

/// A UDP socket: [`netsim::UdpSocket`] with tokio's way to open one.
#[derive(Debug)]
pub struct UdpSocket(Vec<netsim::UdpSocket>);

impl UdpSocket {
    /// Opens a socket on the first of the addresses that can be bound; on an unspecified one on every address of the
    /// host in that family, with the same port.
    ///
    /// # Errors
    /// Those of [`netsim::Host::bind_udp`].
    pub async fn bind(at: impl ToSocketAddrs) -> io::Result<Self> {
        let here = here()?;
        first_bound(&here, &at, |address| here.host.bind_udp(address), |bound| bound.local_addr()).map(Self)
    }

    /// Sends a datagram, from the first of its addresses that is of the family of `to`.
    ///
    /// # Errors
    /// Those of [`netsim::UdpSocket::send_to`].
    pub async fn send_to(&self, bytes: &[u8], to: impl ToSocketAddrs) -> io::Result<usize> {
        let to = addresses(&*here()?, &to)?.into_iter().next().ok_or(io::ErrorKind::NotFound)?;
        let same_family =
            |socket: &&netsim::UdpSocket| socket.local_addr().is_ok_and(|own| own.is_ipv4() == to.is_ipv4());
        let socket = self.0.iter().find(same_family).unwrap_or(&self.0[0]);
        socket.send_to(bytes, to).await
    }

    /// The next datagram: its length, and who sent it.
    ///
    /// # Errors
    /// Where the host lost its power or the world is over.
    pub async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        std::future::poll_fn(|context| {
            for socket in &self.0 {
                if let Poll::Ready(received) = socket.poll_recv_from(context, buffer) {
                    return Poll::Ready(received);
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Its address; with several, the first.
    ///
    /// # Errors
    /// Where the socket's world is over.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0[0].local_addr()
    }
}

/// The host of the running task.
fn here() -> io::Result<Arc<Inhabited>> {
    let outside = "no task of a host is running: start it with `Place::spawn`";
    current().ok_or_else(|| io::Error::new(io::ErrorKind::Unsupported, outside))
}

fn addresses(here: &Inhabited, to: &impl ToSocketAddrs) -> io::Result<Vec<SocketAddr>> {
    here.look_up(&to.host_and_port())
}

/// Sockets at the first of the addresses that can be bound, never none.
fn first_bound<S>(
    here: &Inhabited,
    at: &impl ToSocketAddrs,
    bind: impl Fn(SocketAddr) -> io::Result<S>,
    address_of: impl Fn(&S) -> io::Result<SocketAddr>,
) -> io::Result<Vec<S>> {
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    for address in addresses(here, at)? {
        let bound = match address.ip().is_unspecified() {
            false => bind(address).map(|socket| vec![socket]),
            true => bind_all(here, address, &bind, &address_of),
        };
        match bound {
            Ok(sockets) => return Ok(sockets),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// One socket for each address of the host in the family of `wildcard`, all with one port.
fn bind_all<S>(
    here: &Inhabited,
    wildcard: SocketAddr,
    bind: impl Fn(SocketAddr) -> io::Result<S>,
    address_of: impl Fn(&S) -> io::Result<SocketAddr>,
) -> io::Result<Vec<S>> {
    let mut port = wildcard.port();
    let mut sockets = Vec::new();
    for ip in here.host.addresses().into_iter().filter(|ip| ip.is_ipv4() == wildcard.is_ipv4()) {
        let socket = bind(SocketAddr::new(ip, port))?;
        port = address_of(&socket)?.port();
        sockets.push(socket);
    }
    match sockets.is_empty() {
        true => Err(io::ErrorKind::AddrNotAvailable.into()),
        false => Ok(sockets),
    }
}
