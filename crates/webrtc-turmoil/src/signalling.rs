use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use signaller::{
    client::Connector,
    http::{Clock, Listener},
};
use turmoil::net::{TcpListener, TcpStream};

/// turmoil's TCP listener as `axum::serve` and [`signaller::http::serve`] take one.
///
/// A host whose clients come back in a crowd needs a larger `tcp_capacity` (turmoil's builder; 64): one more
/// connection that waits to be accepted is a panic of turmoil.
pub struct TurmoilListener(TcpListener);

impl TurmoilListener {
    /// Listens at `port` of the host that is running, which has IPv4 addresses (turmoil's default).
    ///
    /// # Errors
    /// `AddrInUse`.
    ///
    /// # Panics
    /// Outside of a host of a simulation, and on a host with an IPv6 address.
    pub async fn bind(port: u16) -> io::Result<Self> {
        Ok(Self(TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await?))
    }
}

impl From<TcpListener> for TurmoilListener {
    /// A listener that turmoil has bound, on a host of either family.
    fn from(listener: TcpListener) -> Self {
        Self(listener)
    }
}

impl Listener for TurmoilListener {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        match self.0.accept().await {
            Ok(accepted) => accepted,
            // A listener of turmoil has no way to fail; one that had would have nothing more to give.
            Err(_) => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Connections to `port` of `host`, a name or an address, for a client of the signaller
/// ([`signaller::client::FallbackTransport`], [`signaller::tcp::TcpTransport`]). The name is looked up for
/// each.
pub fn connector(host: impl Into<String>, port: u16) -> impl Connector {
    let host = host.into();
    move || {
        let to = (host.clone(), port);
        async move { TcpStream::connect(to).await }
    }
}

/// The simulation's time of day, for the settings of [`signaller::http`]. It goes on where a host starts
/// again.
///
/// A relay that starts without its store is another one to its clients: make `epoch` of its settings
/// ([`signaller::relay::RelaySettings`]) of this.
pub fn clock() -> Clock {
    Clock::new(|| turmoil::since_epoch().unwrap_or_else(thread_time))
}

/// What the thread shows, for who is on no host: while a host's software is made, and between steps.
#[expect(clippy::disallowed_methods, reason = "a simulation's thread has the simulation's clocks")]
fn thread_time() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
