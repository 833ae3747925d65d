use std::{
    fmt,
    future::poll_fn,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use super::{at_once, no_task, not_here};
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
    connected: Mutex<Option<Connected>>,
}

/// The addresses of a connected socket.
#[derive(Clone, Copy)]
struct Connected {
    local: SocketAddr,
    peer: SocketAddr,
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
        Ok(Self { shared: Arc::clone(shared), host, address, boots, connected: Mutex::default() })
    }

    /// The address it is bound to, with the port it was given; where it is connected, the one that it sends
    /// from.
    ///
    /// # Errors
    /// None; the signature is that of real sockets.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.connected().map_or(self.address, |connected| connected.local))
    }

    /// The address that it is connected to.
    ///
    /// # Errors
    /// `NotConnected` where it is not.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.connected().map(|connected| connected.peer).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Connects it to `to`, in place of what it was connected to: it takes nothing from anybody else from now
    /// on, and sends from the address that the host has for `to` now, also after the host has moved.
    ///
    /// # Errors
    /// As for [`UdpSocket::poll_send_to`].
    pub fn connect(&self, to: SocketAddr) -> io::Result<()> {
        if !self.shared.is_running_here() {
            return Err(not_here());
        }
        let peer = SocketAddr::new(to.ip(), to.port());
        let local = self.shared.network().udp_connect(self.host, self.address, self.boots, peer)?;
        *self.connected.lock().unwrap_or_else(PoisonError::into_inner) = Some(Connected { local, peer });
        Ok(())
    }

    fn connected(&self) -> Option<Connected> {
        *self.connected.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.shared.udp_send(self.host, self.local_addr()?, self.boots, to, buf)?;
        Ok(buf.len())
    }

    /// Sends a datagram to the address that it is connected to, as [`UdpSocket::poll_send_to`].
    ///
    /// # Errors
    /// `NotConnected` where it is not connected; else as for [`UdpSocket::poll_send_to`].
    pub fn try_send(&self, buf: &[u8]) -> io::Result<usize> {
        self.try_send_to(buf, self.peer_addr()?)
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

    /// Reads a datagram that is there.
    ///
    /// # Errors
    /// `WouldBlock` where there is none; else as for [`UdpSocket::poll_recv_from`].
    pub fn try_recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        at_once(self.poll_recv_from(&mut no_task(), buf))
    }

    /// Whether there is a datagram, or an error; if not, the task of `cx` is woken when there is.
    pub fn poll_recv_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.shared.is_running_here() {
            return Poll::Ready(());
        }
        self.shared.network().udp_poll_ready(self.host, self.address, self.boots, cx)
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
