//! Where callsim's own engine runs: in a peer's namespace, on its thread.

use std::{fmt, future::Future, io, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use scenario::run::{Connection, Site};
use tokio::{net::TcpStream, runtime::Handle};
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, Runtime, TokioRuntime,
};

use crate::namespace::Namespace;

/// The site of an engine in a namespace.
pub(crate) fn site(namespace: &Namespace) -> Site {
    let handle = namespace.handle.clone();
    let there = handle.clone();
    let connect = move |to: SocketAddr| {
        let connecting = there.spawn(TcpStream::connect(to));
        let connecting = async move {
            let stream = connecting.await.map_err(io::Error::other)??;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as Box<dyn Connection>)
        };
        Box::pin(connecting) as _
    };
    Site { runtime: Arc::new(InNamespace(handle.clone())), handle, connect: Arc::new(connect) }
}

/// tokio, on the thread of a namespace, wherever it is called from: peer connections would otherwise share threads that
/// are in no namespace of theirs.
struct InNamespace(Handle);

impl fmt::Debug for InNamespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InNamespace")
    }
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl Runtime for InNamespace {
    fn spawn(&self, future: Boxed<'static, ()>) -> Box<dyn JoinHandle> {
        let _there = self.0.enter();
        TokioRuntime.spawn(future)
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let _there = self.0.enter();
        TokioRuntime.wrap_udp_socket(socket)
    }

    fn wrap_tcp_listener(&self, listener: std::net::TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        let _there = self.0.enter();
        TokioRuntime.wrap_tcp_listener(listener)
    }

    fn connect_tcp<'a>(&'a self, remote_addr: SocketAddr) -> Boxed<'a, io::Result<Arc<dyn AsyncTcpStream>>> {
        let connecting = self.0.spawn(async move { TokioRuntime.connect_tcp(remote_addr).await });
        Box::pin(async { connecting.await.map_err(io::Error::other)? })
    }

    fn resolve_host<'a>(&'a self, host: &'a str) -> Boxed<'a, io::Result<Vec<SocketAddr>>> {
        TokioRuntime.resolve_host(host)
    }

    fn sleep(&self, duration: Duration) -> Boxed<'static, ()> {
        let _there = self.0.enter();
        TokioRuntime.sleep(duration)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        let _there = self.0.enter();
        TokioRuntime.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        TokioRuntime.block_on(future);
    }
}
