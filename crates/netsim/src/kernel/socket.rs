//! What programs hold of a stack's sockets.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    task::{Context, Poll},
};

use tokio::io::ReadBuf;

use super::{Stack, host::SocketId};

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct Stream {
    socket: Socket,
    local: SocketAddr,
    peer: SocketAddr,
}

/// A listening socket.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: Socket,
    local: SocketAddr,
}

/// A connection that is being opened. Closing it gives the attempt up.
#[derive(Debug)]
pub(crate) struct Connecting {
    /// `None` once it is a stream.
    socket: Option<Socket>,
}

/// A socket that a program may close; otherwise it stays.
pub(crate) trait Close {
    /// Closes the socket.
    fn close(self);
}

#[derive(Debug)]
struct Socket {
    stack: Stack,
    id: SocketId,
}

impl Socket {
    fn close(self) {
        self.stack.with(|host, _| host.close(self.id));
    }
}

impl Listener {
    pub(crate) fn bind(stack: Stack, address: SocketAddr) -> io::Result<Self> {
        let (id, local) = stack.with(|host, _| host.listen(address))?;
        Ok(Self { socket: Socket { stack, id }, local })
    }

    pub(crate) const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    pub(crate) fn poll_accept(&self, cx: &Context<'_>) -> Poll<io::Result<Stream>> {
        let Socket { stack, id } = &self.socket;
        stack.with(|host, _| host.poll_accept(*id, cx)).map_ok(|(id, local, peer)| Stream {
            socket: Socket { stack: stack.clone(), id },
            local,
            peer,
        })
    }
}

impl Connecting {
    pub(crate) fn start(stack: Stack, from: IpAddr, to: SocketAddr) -> io::Result<Self> {
        let id = stack.with(|host, _| host.connect(from, to))?;
        Ok(Self { socket: Some(Socket { stack, id }) })
    }

    /// Resolves once, with the stream.
    pub(crate) fn poll(&mut self, cx: &Context<'_>) -> Poll<io::Result<Stream>> {
        let Some(Socket { stack, id }) = &self.socket else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        let connected = stack.with(|host, _| {
            let connection = host.connection(*id)?;
            let ends = (connection.local, connection.peer);
            connection.poll_connected(cx).map_ok(|()| ends)
        });
        connected.map(|ends| {
            let (local, peer) = ends?;
            let socket = self.socket.take().ok_or(io::ErrorKind::NotConnected)?;
            Ok(Stream { socket, local, peer })
        })
    }
}

impl Stream {
    pub(crate) const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    pub(crate) const fn peer_addr(&self) -> SocketAddr {
        self.peer
    }

    pub(crate) fn poll_read(&self, cx: &Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.socket.stack.with(|host, _| host.connection(self.socket.id)?.poll_read(cx, buf))
    }

    pub(crate) fn poll_write(&self, cx: &Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.socket.stack.with(|host, _| host.connection(self.socket.id)?.poll_write(cx, buf))
    }

    pub(crate) fn poll_read_ready(&self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        self.socket.stack.with(|host, _| host.connection(self.socket.id)?.poll_read_ready(cx).map(Ok))
    }

    pub(crate) fn poll_write_ready(&self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        self.socket.stack.with(|host, _| host.connection(self.socket.id)?.poll_write_ready(cx).map(Ok))
    }

    pub(crate) fn shut_down(&self) -> io::Result<()> {
        self.socket.stack.with(|host, _| host.connection(self.socket.id)?.shut_down())
    }
}

impl Close for Stream {
    fn close(self) {
        self.socket.close();
    }
}

impl Close for Listener {
    fn close(self) {
        self.socket.close();
    }
}

impl Close for Connecting {
    fn close(self) {
        self.socket.into_iter().for_each(Socket::close);
    }
}
