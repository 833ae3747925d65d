use std::{
    fmt,
    future::poll_fn,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{at_once, no_task, not_here, switched_off};
use crate::{
    ids::{EndKey, HostIndex},
    kernel::{Close, Connecting, Listener, Stream},
    shared::Shared,
};

/// A TCP connection of a host. Dropping it closes it: with a reset where data was left unread, else with
/// a FIN behind what was written.
///
/// Writes never wait for the reader: what it has not read is kept at the receiver.
pub struct TcpStream {
    socket: Owned<Stream>,
    end: EndKey,
}

impl TcpStream {
    fn new(shared: &Arc<Shared>, host: HostIndex, stream: Stream) -> Self {
        let end = EndKey { host, local: stream.local_addr(), peer: stream.peer_addr() };
        Self { socket: Owned::new(shared, host, stream), end }
    }

    /// The address of this end.
    ///
    /// # Errors
    /// None; the signature is that of real sockets.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.end.local)
    }

    /// The address of the other end.
    ///
    /// # Errors
    /// None; the signature is that of real sockets.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.end.peer)
    }

    /// Whether reading would not wait, because there is data, an end or an error; if not, the task of `cx` is
    /// woken when that changes.
    ///
    /// # Errors
    /// Where the host was switched off, or the world is over.
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.call(|stream| stream.poll_read_ready(cx))
    }

    /// The same for writing, which waits only while 256 KiB are under way.
    ///
    /// # Errors
    /// As for [`TcpStream::poll_read_ready`].
    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.call(|stream| stream.poll_write_ready(cx))
    }

    /// Reads what is there: nothing (`Ok(0)`) only where the peer has finished.
    ///
    /// # Errors
    /// `WouldBlock` where there is nothing yet; else as when reading with [`AsyncRead`].
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        let mut buf = ReadBuf::new(buf);
        at_once(Pin::new(&mut &*self).poll_read(&mut no_task(), &mut buf)).map(|()| buf.filled().len())
    }

    /// Writes as much as there is room for.
    ///
    /// # Errors
    /// `WouldBlock` where there is no room; else as when writing with [`AsyncWrite`].
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        at_once(Pin::new(&mut &*self).poll_write(&mut no_task(), buf))
    }

    /// Calls into the stack. A reset that the user timeout made is told as `TimedOut`.
    fn call<R>(&self, f: impl FnOnce(&Stream) -> Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        let result = f(self.socket.get()?);
        match result {
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::ConnectionReset => {
                let timed_out = self.socket.shared.network().tcp_timed_out(self.end);
                Poll::Ready(Err(if timed_out { io::ErrorKind::TimedOut.into() } else { error }))
            }
            other => other,
        }
    }

    /// Like [`TcpStream::call`], for what makes the stack send.
    fn call_to_send<R>(&self, f: impl FnOnce(&Stream) -> Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        let result = self.call(f);
        if result.is_ready() {
            self.socket.shared.stack_was_called();
        }
        result
    }
}

/// Reading and writing need no more than a reference, so that a stream can be divided among tasks.
impl AsyncRead for &TcpStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.call(|stream| stream.poll_read(cx, buf))
    }
}

impl AsyncWrite for &TcpStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.call_to_send(|stream| stream.poll_write(cx, buf))
    }

    /// Always ready: what was written is under way.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.call_to_send(|stream| Poll::Ready(stream.shut_down()))
    }
}

impl AsyncRead for TcpStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_read(cx, buf)
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_shutdown(cx)
    }
}

impl Drop for TcpStream {
    fn drop(&mut self) {
        self.socket.shared.network().tcp_orphan(self.end);
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TcpStream({} to {})", self.end.local, self.end.peer)
    }
}

/// A TCP listener of a host. Dropping it closes it and resets what nobody has accepted.
///
/// Its port can be bound again only when the connections it accepted are gone.
pub struct TcpListener {
    socket: Owned<Listener>,
    local: SocketAddr,
}

impl TcpListener {
    pub(crate) fn bind(shared: &Arc<Shared>, host: HostIndex, address: SocketAddr) -> io::Result<Self> {
        if !shared.is_running_here() {
            return Err(not_here());
        }
        let network = shared.network();
        if !network.is_alive(host, network.boots(host)) {
            return Err(switched_off());
        }
        if !network.can_bind(host, address.ip()) {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        drop(network);
        let listener = Listener::bind(shared.stack(host), unscoped(address))?;
        Ok(Self { local: listener.local_addr(), socket: Owned::new(shared, host, listener) })
    }

    /// The address it is bound to, with the port it was given.
    ///
    /// # Errors
    /// None; the signature is that of real sockets.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }

    /// Takes the next connection, with its peer's address.
    ///
    /// # Errors
    /// Where the world is over.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let Owned { shared, host, .. } = &self.socket;
        self.socket.get()?.poll_accept(cx).map(|accepted| {
            let stream = accepted?;
            let peer = stream.peer_addr();
            Ok((TcpStream::new(shared, *host, stream), peer))
        })
    }

    /// Waits for the next connection, with its peer's address.
    ///
    /// # Errors
    /// Where the world is over.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        poll_fn(|cx| self.poll_accept(cx)).await
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TcpListener({})", self.local)
    }
}

/// Connects `host` to `to`. Dropping the future gives the attempt up.
pub(crate) async fn connect(shared: &Arc<Shared>, host: HostIndex, to: SocketAddr) -> io::Result<TcpStream> {
    if !shared.is_running_here() {
        return Err(not_here());
    }
    let began = shared.now();
    let from = source(shared, host, to.ip())?;
    let connecting = Connecting::start(shared.stack(host), from, unscoped(to))?;
    let mut attempt = Owned::new(shared, host, connecting);
    let connected = poll_fn(|cx| {
        let connected = attempt.get_mut()?.poll(cx);
        shared.stack_was_called();
        connected
    });
    match connected.await {
        Ok(stream) => Ok(TcpStream::new(shared, host, stream)),
        // The network ends an attempt that got nowhere with a reset, which the stack takes for a refusal.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            let timed_out = shared.now() - began >= shared.user_timeout;
            Err(if timed_out { io::ErrorKind::TimedOut.into() } else { error })
        }
        Err(error) => Err(error),
    }
}

/// The address from which a host connects to `to`, if it can do that now.
fn source(shared: &Shared, host: HostIndex, to: IpAddr) -> io::Result<IpAddr> {
    let network = shared.network();
    if !network.is_alive(host, network.boots(host)) {
        return Err(switched_off());
    }
    network.tcp_source(host, to).ok_or_else(|| io::ErrorKind::NetworkUnreachable.into())
}

/// An address without flow label and scope, which do not tell sockets apart.
const fn unscoped(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip(), address.port())
}

/// A socket of a stack, counted among its host's open ones, closed when dropped.
struct Owned<S: Close> {
    shared: Arc<Shared>,
    host: HostIndex,
    boots: u64,
    /// `None` only while it is dropped.
    socket: Option<S>,
}

impl<S: Close> Owned<S> {
    fn new(shared: &Arc<Shared>, host: HostIndex, socket: S) -> Self {
        let mut network = shared.network();
        network.socket_opened(host);
        let boots = network.boots(host);
        drop(network);
        Self { shared: Arc::clone(shared), host, boots, socket: Some(socket) }
    }

    fn get(&self) -> io::Result<&S> {
        self.check()?;
        self.socket.as_ref().ok_or_else(not_here)
    }

    fn get_mut(&mut self) -> io::Result<&mut S> {
        self.check()?;
        self.socket.as_mut().ok_or_else(not_here)
    }

    /// Whether the socket may be used at all.
    fn check(&self) -> io::Result<()> {
        if !self.shared.is_running_here() {
            return Err(not_here());
        }
        let is_alive = self.shared.network().is_alive(self.host, self.boots);
        if is_alive { Ok(()) } else { Err(switched_off()) }
    }
}

impl<S: Close> Drop for Owned<S> {
    fn drop(&mut self) {
        self.shared.network().socket_closed(self.host);
        if let Some(socket) = self.socket.take()
            && self.shared.is_running_here()
        {
            socket.close();
            self.shared.stack_was_called();
        }
    }
}
