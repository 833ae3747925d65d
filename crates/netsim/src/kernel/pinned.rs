//! The stacks' sockets, each with its host made current at every call.

use std::{
    future::Future,
    io,
    mem::ManuallyDrop,
    net::SocketAddr,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use turmoil_net::shim::tokio::net;

use super::Stack;

/// A socket of one host's stack. Every call needs the stack: see [`Pinned::close`] for the end.
#[derive(Debug)]
pub(crate) struct Pinned<T> {
    stack: Stack,
    socket: ManuallyDrop<T>,
}

pub(crate) type Stream = Pinned<net::TcpStream>;
pub(crate) type Listener = Pinned<net::TcpListener>;
pub(crate) type Connecting = Pinned<Pin<Box<dyn Future<Output = io::Result<net::TcpStream>> + Send>>>;

impl<T> Pinned<T> {
    fn new(stack: Stack, socket: T) -> Self {
        Self { stack, socket: ManuallyDrop::new(socket) }
    }

    /// Closes the socket. Dropping it instead forgets it, which is all that can be done where its stack
    /// is gone.
    pub(crate) fn close(self) {
        turmoil_net::set_current(self.stack.0);
        drop(ManuallyDrop::into_inner(self.socket));
    }

    fn get(&self) -> &T {
        turmoil_net::set_current(self.stack.0);
        &self.socket
    }

    fn get_mut(&mut self) -> &mut T {
        turmoil_net::set_current(self.stack.0);
        &mut self.socket
    }
}

impl Listener {
    pub(crate) fn bind(stack: Stack, address: SocketAddr) -> io::Result<Self> {
        turmoil_net::set_current(stack.0);
        let bound = pin!(net::TcpListener::bind(address));
        match bound.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(listener) => Ok(Self::new(stack, listener?)),
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.get().local_addr()
    }

    pub(crate) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(Stream, SocketAddr)>> {
        let accepted = self.get().poll_accept(cx);
        accepted.map_ok(|(stream, peer)| (Pinned::new(self.stack, stream), peer))
    }
}

impl Connecting {
    pub(crate) fn start(stack: Stack, to: SocketAddr) -> Self {
        Self::new(stack, Box::pin(net::TcpStream::connect(to)))
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        let stack = self.stack;
        self.get_mut().as_mut().poll(cx).map_ok(|stream| Pinned::new(stack, stream))
    }
}

impl Stream {
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.get().local_addr()
    }

    pub(crate) fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.get().peer_addr()
    }

    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.get_mut()).poll_read(cx, buf)
    }

    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(self.get_mut()).poll_write(cx, buf)
    }

    pub(crate) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.get_mut()).poll_shutdown(cx)
    }
}
