//! The least [`webrtc::runtime::Runtime`]: tokio's tasks and timers, and the sockets of a [`Network`].

use std::{
    future::Future,
    io::{self, IoSliceMut},
    net::SocketAddr,
    os::fd::AsRawFd as _,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, RecvMeta, Runtime, Transmit,
};

use super::network::{Network, Socket};

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// To be used within a tokio runtime whose clock is paused, on a simulation thread.
#[derive(Debug)]
pub(super) struct InMemory(pub(super) Network);

impl Runtime for InMemory {
    fn spawn(&self, future: BoxFuture<'static, ()>) -> Box<dyn JoinHandle> {
        Box::new(Task(tokio::spawn(future).abort_handle()))
    }

    /// Of `socket`, which the thread's hooks bound without the operating system, only the address is used.
    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let address = socket.local_addr()?;
        // Its number will name another socket once this one is closed.
        determinism::take_bound(socket.as_raw_fd());
        Ok(Arc::new(InMemorySocket(self.0.bind(address)?)))
    }

    fn wrap_tcp_listener(&self, _: std::net::TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn connect_tcp<'a>(&'a self, _: SocketAddr) -> BoxFuture<'a, io::Result<Arc<dyn AsyncTcpStream>>> {
        Box::pin(async { Err(io::ErrorKind::Unsupported.into()) })
    }

    fn resolve_host<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async { Err(io::ErrorKind::Unsupported.into()) })
    }

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        Box::new(Interval(tokio::time::interval(period)))
    }

    fn block_on(&self, _: Pin<Box<dyn Future<Output = ()> + '_>>) {
        panic!("the workload runs its futures itself");
    }

    fn name(&self) -> &'static str {
        "in-memory"
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

struct Interval(tokio::time::Interval);

impl AsyncInterval for Interval {
    fn tick(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            self.0.tick().await;
        })
    }
}

#[derive(Debug)]
struct InMemorySocket(Socket);

impl AsyncUdpSocket for InMemorySocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.0.address())
    }

    fn poll_send(&self, _: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        self.0.send(transmit.contents, transmit.destination);
        Poll::Ready(Ok(transmit.contents.len()))
    }

    /// One datagram at a time, which a minimal implementation may.
    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let (Some(buffer), Some(meta)) = (buffers.first_mut(), meta.first_mut()) else {
            return Poll::Ready(Ok(0));
        };
        let Poll::Ready((len, from)) = self.0.poll_receive(cx, buffer) else { return Poll::Pending };
        // It cannot be built outside its crate; its other fields keep their defaults.
        *meta = RecvMeta::default();
        (meta.addr, meta.len, meta.stride) = (from, len, len.max(1));
        meta.dst_ip = Some(self.0.address().ip());
        Poll::Ready(Ok(1))
    }
}
