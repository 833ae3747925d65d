//! The signalling server of `callsim serve`, on a free port of the loopback interface.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, SystemTime},
};

use signaller::{
    access::Secret,
    http::{self, Clock, HttpSettings, ListenerExt as _},
    relay::{RelaySettings, SharedRelay},
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// A server that runs until it is stopped.
pub struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    /// Starts it. It admits who has a token that was signed with `secret`.
    ///
    /// # Errors
    /// Where the system has no port for it.
    pub async fn start(secret: Secret) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        // Small frames must not wait for each other's acknowledgements (RFC 896).
        let listener = listener.tap_io(|stream| {
            // A connection that is gone already needs no setting.
            let _ = stream.set_nodelay(true);
        });
        let settings =
            RelaySettings { secret: Some(secret), epoch: now().as_secs(), ..RelaySettings::default() };
        let relay = SharedRelay::new(settings, Arc::new(|_| {}));
        let (stop, stopped) = oneshot::channel();
        let until = async {
            // A server whose handle is dropped ends as well.
            let _ = stopped.await;
        };
        let task = tokio::spawn(http::serve(listener, relay, HttpSettings::new(Clock::new(now)), until));
        Ok(Self { address, stop, task })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it in good order.
    pub async fn stop(self) {
        // It may have ended already.
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

/// The time since 1970.
#[allow(clippy::disallowed_methods, reason = "a server on real sockets lives in real time")]
pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
