//! The signalling server on a host of a world, and how programs reach it: the server and the clients of `signaller`,
//! unchanged, on sockets of the world.
//!
//! Invariant: a server that loses power says nothing more to anybody, its observer included.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use netsim::{Host, Power, TcpListener, TcpStream, UnknownHost, World};
use signaller::{
    client::Connector,
    http::{self, Clock, HttpLimits, HttpSettings, Listener},
    relay::{RelayEvent, RelaySettings, SharedRelay, Store},
    tcp::serve_connection,
};
use timeline::Name;
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use crate::EPOCH_S;

/// How soon a server retries a port that connections of its previous instance still hold.
const PORT_RETRY: Duration = Duration::from_millis(100);

/// What a signalling server of a world is given when it starts.
#[derive(Clone, Debug, Default)]
pub struct SignallingSettings {
    /// What the relay keeps, refuses and gets wrong.
    pub relay: RelaySettings,
    /// What its WebSocket and REST endpoints allow.
    pub http: HttpLimits,
    /// Where it accepts framed streams.
    pub stream: Vec<SocketAddr>,
    /// Where it accepts WebSockets and REST requests. A world has no TLS.
    pub web: Vec<SocketAddr>,
}

/// A signalling server on its host.
pub struct SignallingServer {
    name: Name,
    world: World,
    relay: SharedRelay,
    endpoints: Endpoints,
    /// `None` while it has no power.
    running: Option<Running>,
}

struct Running {
    task: JoinHandle<()>,
    /// Counts how often it is asked to restart.
    restarts: watch::Sender<u32>,
}

#[derive(Clone)]
struct Endpoints {
    world: World,
    host: Host,
    stream: Vec<SocketAddr>,
    http: Vec<SocketAddr>,
    settings: HttpSettings,
}

impl SignallingServer {
    /// Starts a server on `host`. `observer` is called with everything that its relay does.
    ///
    /// # Errors
    /// Where there is no such host.
    pub fn start(
        world: &World,
        host: &Name,
        settings: SignallingSettings,
        observer: Arc<dyn Fn(RelayEvent) + Send + Sync>,
    ) -> Result<Self, UnknownHost> {
        let clock = world.clone();
        let endpoints = Endpoints {
            world: world.clone(),
            host: world.host(host)?,
            stream: settings.stream,
            http: settings.web,
            settings: HttpSettings {
                limits: settings.http,
                ..HttpSettings::new(Clock::new(move || time_of_day(&clock)))
            },
        };
        let relay = SharedRelay::new(settings.relay, observer);
        let mut server = Self { name: host.clone(), world: world.clone(), relay, endpoints, running: None };
        server.run();
        Ok(server)
    }

    /// Its relay: what it keeps, and which faults are in force.
    pub fn relay(&self) -> &SharedRelay {
        &self.relay
    }

    /// Its machine loses power: from now on it is silent. When it is back it keeps `store`.
    pub fn power_off(&mut self, store: Store) {
        // Before anything else: what its connections leave behind is not reported to anybody.
        self.relay.restart(store);
        self.power(Power::Off);
        self.stop();
    }

    /// Its machine has power again, and it starts.
    pub fn power_on(&mut self) {
        self.power(Power::On);
        self.run();
    }

    /// It is stopped in good order, as for a new version, and started again with its store.
    pub fn restart(&self) {
        if let Some(Running { restarts, .. }) = &self.running {
            self.relay.end_connections_silently();
            restarts.send_modify(|count| *count += 1);
        }
    }

    /// Ends it; its sockets are closed when its tasks are gone, at the world's next rest.
    pub fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.task.abort();
        }
    }

    fn run(&mut self) {
        let (restarts, asked) = watch::channel(0);
        let task = tokio::spawn(self.endpoints.clone().serve(self.relay.clone(), asked));
        self.running = Some(Running { task, restarts });
    }

    fn power(&self, power: Power) {
        // Its host was there when it started, and hosts do not go.
        let _ = self.world.set_power(&self.name, power);
    }
}

/// What the clock on every wall of `world` shows: time since 1970.
pub(crate) fn time_of_day(world: &World) -> Duration {
    Duration::from_secs(EPOCH_S) + world.now().elapsed()
}

/// How a program on `host` opens connections to the server at `to`.
pub fn connector(host: Host, to: SocketAddr) -> impl Connector {
    move || {
        let host = host.clone();
        async move { host.connect(to).await }
    }
}

impl Endpoints {
    /// One instance after the other, until it is dropped, which ends everything without a word. The ports stay open
    /// from one instance to the next, as with sockets that an init system holds: clients that connect meanwhile wait.
    async fn serve(self, relay: SharedRelay, mut restarts: watch::Receiver<u32>) {
        let stream = self.listen(&self.stream).await;
        let http = self.listen(&self.http).await;
        loop {
            let mut endpoints = JoinSet::new();
            for listener in &stream {
                endpoints.spawn(serve_streams(listener.clone(), relay.clone(), restarts.clone()));
            }
            for listener in &http {
                let (listener, relay, settings) = (listener.clone(), relay.clone(), self.settings.clone());
                let stop = asked(restarts.clone());
                endpoints.spawn(async move { http::serve(listener, relay, settings, stop).await });
            }
            while endpoints.join_next().await.is_some() {}
            restarts.mark_unchanged();
            relay.restart(relay.store());
        }
    }

    async fn listen(&self, addresses: &[SocketAddr]) -> Vec<WorldListener> {
        let mut listeners = Vec::new();
        for &address in addresses {
            listeners.push(self.listen_at(address).await);
        }
        listeners
    }

    async fn listen_at(&self, address: SocketAddr) -> WorldListener {
        loop {
            match self.host.listen(address) {
                Ok(listener) => return WorldListener(Arc::new(listener)),
                // The previous instance has not released the port yet.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                    self.world.sleep(PORT_RETRY).await;
                }
                // Without power or world there is nothing to wait for.
                Err(_) => std::future::pending().await,
            }
        }
    }
}

async fn serve_streams(mut listener: WorldListener, relay: SharedRelay, restarts: watch::Receiver<u32>) {
    let mut connections = JoinSet::new();
    let accepting = async {
        loop {
            let (stream, _) = listener.accept().await;
            connections.spawn(serve_connection(relay.clone(), stream));
        }
    };
    tokio::select! {
        biased;
        () = asked(restarts) => {}
        () = accepting => {}
    }
}

/// Resolves when the server is asked to restart.
async fn asked(mut restarts: watch::Receiver<u32>) {
    if restarts.changed().await.is_err() {
        std::future::pending().await
    }
}

/// A listener of a world in the form that [`signaller::http::serve`] takes. Cheap to clone.
#[derive(Clone)]
struct WorldListener(Arc<TcpListener>);

impl Listener for WorldListener {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        match self.0.accept().await {
            Ok(accepted) => accepted,
            // The host has no power: whoever switched it off ends this server.
            Err(_) => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}
