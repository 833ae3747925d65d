use std::{
    fmt,
    future::Future,
    io::{self, IoSliceMut},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use futures::FutureExt as _;
use turmoil::net::UdpSocket;
use webrtc::runtime::{AsyncUdpSocket, RecvMeta, Transmit};

type Wait = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;

/// A UDP socket of the host that is running.
pub(crate) struct TurmoilUdpSocket {
    socket: Arc<UdpSocket>,
    /// Its address as others see it: turmoil binds wildcards and loopback only.
    address: SocketAddr,
    /// The wait for a datagram that is under way: turmoil's socket has no poll functions.
    wait: Mutex<Option<Wait>>,
}

impl TurmoilUdpSocket {
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let wildcard: IpAddr = match address {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let bound = UdpSocket::bind((wildcard, address.port())).now_or_never();
        let socket = Arc::new(bound.unwrap_or_else(|| Err(io::ErrorKind::WouldBlock.into()))?);
        Ok(Self { socket, address, wait: Mutex::default() })
    }

    /// Resolves once there may be something to receive. One task at a time.
    fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut wait = self.wait.lock().unwrap_or_else(PoisonError::into_inner);
        let socket = &self.socket;
        let under_way = wait.get_or_insert_with(|| {
            let socket = Arc::clone(socket);
            Box::pin(async move { socket.readable().await })
        });
        let readable = ready!(under_way.as_mut().poll(cx));
        *wait = None;
        Poll::Ready(readable)
    }

    fn try_receive(&self, buffer: &mut [u8], meta: &mut RecvMeta) -> io::Result<()> {
        let (len, from) = self.socket.try_recv_from(buffer)?;
        // `RecvMeta` cannot be built outside its crate; its other fields keep their defaults.
        *meta = RecvMeta::default();
        meta.addr = from;
        meta.len = len;
        meta.stride = len.max(1);
        meta.dst_ip = Some(self.address.ip());
        Ok(())
    }
}

impl AsyncUdpSocket for TurmoilUdpSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }

    /// Never waits. turmoil refuses at once what is sent to an address that no host has; a network does not.
    fn poll_send(&self, _: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        match self.socket.try_send_to(transmit.contents, transmit.destination) {
            Err(error) if error.kind() != io::ErrorKind::ConnectionRefused => Poll::Ready(Err(error)),
            _ => Poll::Ready(Ok(transmit.contents.len())),
        }
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let capacity = buffers.len().min(meta.len());
        let mut received = 0;
        while received < capacity {
            match self.try_receive(&mut buffers[received], &mut meta[received]) {
                Ok(()) => received += 1,
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Poll::Ready(Err(error)),
                Err(_) if received > 0 => break,
                Err(_) => ready!(self.poll_readable(cx))?,
            }
        }
        Poll::Ready(Ok(received))
    }
}

impl fmt::Debug for TurmoilUdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TurmoilUdpSocket({})", self.address)
    }
}
