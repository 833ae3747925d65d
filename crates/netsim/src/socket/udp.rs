use std::{
    fmt,
    future::poll_fn,
    io,
    net::SocketAddr,
    sync::Arc,
    task::{Context, Poll},
};

use super::not_here;
use crate::{ids::HostIndex, shared::Shared};

/// A UDP socket of a host. Dropping it closes it.
///
/// What it receives waits without limit. Any number of tasks may wait for the same socket; all of them
/// are woken when something arrives.
pub struct UdpSocket {
    shared: Arc<Shared>,
    host: HostIndex,
    address: SocketAddr,
    boots: u64,
}

impl UdpSocket {
    pub(crate) fn bind(shared: &Arc<Shared>, host: HostIndex, address: SocketAddr) -> io::Result<Self> {
        if !shared.is_running_here() {
            return Err(not_here());
        }
        let mut network = shared.network();
        let address = network.udp_bind(host, address)?;
        let boots = network.boots(host);
        drop(network);
        Ok(Self { shared: Arc::clone(shared), host, address, boots })
    }

    /// The address it is bound to, with the port it was given.
    ///
    /// # Errors
    /// None; the signature is that of real sockets.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }

    /// Sends a datagram to `to`; always ready.
    ///
    /// That it was lost, or that nobody has the address, is no error.
    ///
    /// # Errors
    /// Where the datagram is over 65 507 bytes long (`EMSGSIZE`), `to` is of the other address family
    /// (`EAFNOSUPPORT`) or has port 0, the host has no address to send from (`ENETUNREACH`) or has left the
    /// one that the socket is bound to (`EINVAL`), the host was switched off, or the world is over.
    pub fn poll_send_to(&self, cx: &mut Context<'_>, buf: &[u8], to: SocketAddr) -> Poll<io::Result<usize>> {
        let _ = cx;
        Poll::Ready(self.try_send_to(buf, to))
    }

    /// Sends a datagram to `to`, as [`UdpSocket::poll_send_to`].
    ///
    /// # Errors
    /// As for [`UdpSocket::poll_send_to`].
    pub fn try_send_to(&self, buf: &[u8], to: SocketAddr) -> io::Result<usize> {
        if !self.shared.is_running_here() {
            return Err(not_here());
        }
        self.shared.udp_send(self.host, self.address, self.boots, to, buf)?;
        Ok(buf.len())
    }

    /// Sends a datagram to `to`, as [`UdpSocket::poll_send_to`].
    ///
    /// # Errors
    /// As for [`UdpSocket::poll_send_to`].
    pub async fn send_to(&self, buf: &[u8], to: SocketAddr) -> io::Result<usize> {
        self.try_send_to(buf, to)
    }

    /// Reads a datagram into `buf`: its length there, and who sent it. What does not fit is discarded.
    ///
    /// While there is none, the task of `cx` is woken by the next one, also where another task, or one
    /// that cannot be woken, asks later.
    ///
    /// # Errors
    /// Where the host was switched off, or the world is over.
    pub fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        if !self.shared.is_running_here() {
            return Poll::Ready(Err(not_here()));
        }
        self.shared.network().udp_poll_receive(self.host, self.address, self.boots, cx, buf)
    }

    /// Waits for a datagram, as [`UdpSocket::poll_recv_from`].
    ///
    /// # Errors
    /// As for [`UdpSocket::poll_recv_from`].
    pub async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        poll_fn(|cx| self.poll_recv_from(cx, buf)).await
    }
}

impl Drop for UdpSocket {
    fn drop(&mut self) {
        let mut effects = self.shared.network().udp_close(self.host, self.address, self.boots);
        effects.wakers.drain(..).for_each(std::task::Waker::wake);
    }
}

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UdpSocket({})", self.address)
    }
}
