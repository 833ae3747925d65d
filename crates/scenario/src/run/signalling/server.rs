use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use netsim::{Host, Power, TcpListener, TcpStream, World};
use signaller::{
    http::{self, Clock, HttpSettings, Listener},
    relay::{RelaySettings, SharedRelay, Store},
    tcp::serve_connection,
};
use timeline::Name;
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use super::{HTTP_PORT, STREAM_PORT, secret, time_of_day, transport_of, words};
use crate::{
    plan::{Admission, FaultsPlan, Plan, SignallerChange, StoreFate, TransportPlan},
    run::{build, recorder::Recording},
};

/// How soon a server tries again to listen on a port that connections of its former life still hold.
const PORT_RETRY: Duration = Duration::from_millis(100);

/// The signalling server on its host.
pub(in crate::run) struct Server {
    name: Name,
    world: World,
    recording: Recording,
    relay: SharedRelay,
    endpoints: Endpoints,
    /// `None` while it has no power.
    running: Option<Running>,
}

struct Running {
    task: JoinHandle<()>,
    /// Counts how often it is told to restart.
    restarts: watch::Sender<u32>,
}

/// Where it listens: only where some peer comes.
#[derive(Clone)]
struct Endpoints {
    world: World,
    host: Host,
    stream: Vec<SocketAddr>,
    http: Vec<SocketAddr>,
    settings: HttpSettings,
}

impl Server {
    /// Starts it.
    pub(in crate::run) fn start(plan: &Plan, world: &World, recording: &Recording) -> Self {
        let name = Name::new(Plan::SIGNALLER);
        let (clock, noted) = (world.clone(), recording.clone());
        let observer = Arc::new(move |event| words::relay_event(&noted, clock.now(), &event));
        let mut server = Self {
            world: world.clone(),
            recording: recording.clone(),
            relay: SharedRelay::new(settings(plan), observer),
            endpoints: Endpoints::of(plan, world, &name),
            running: None,
            name,
        };
        server.run();
        server
    }

    /// Lets something happen to it.
    pub(in crate::run) fn change(&mut self, change: &SignallerChange) {
        match change {
            SignallerChange::PowerOff { store } => self.lose_power(*store),
            SignallerChange::PowerOn => {
                self.power(Power::On);
                self.run();
            }
            SignallerChange::Restart => {
                if let Some(Running { restarts, .. }) = &self.running {
                    restarts.send_modify(|count| *count += 1);
                }
            }
            SignallerChange::SetFaults(FaultsPlan { messages, endpoints }) => {
                self.relay.set_faults(messages.clone());
                self.relay.set_endpoint_faults(endpoints.clone());
            }
        }
    }

    /// The end of the run: what waits in its store is written down.
    pub(in crate::run) fn end(&mut self) {
        let store = self.relay.store();
        self.recording.signalling(|record| {
            store.passages().for_each(|passage| record.waits(&passage.from, passage.id));
        });
        if let Some(running) = self.running.take() {
            running.task.abort();
        }
    }

    fn run(&mut self) {
        let (restarts, told) = watch::channel(0);
        let task = tokio::spawn(self.endpoints.clone().serve(self.relay.clone(), told));
        self.running = Some(Running { task, restarts });
    }

    fn lose_power(&mut self, store: StoreFate) {
        let kept = match store {
            StoreFate::Kept => self.relay.store(),
            StoreFate::Lost => {
                let at = self.world.now();
                self.recording.signalling(|record| record.store_lost(at));
                Store::default()
            }
        };
        // First of all: what its connections leave behind is not told to anybody.
        self.relay.restart(kept);
        self.power(Power::Off);
        if let Some(running) = self.running.take() {
            running.task.abort();
        }
    }

    fn power(&self, power: Power) {
        self.world.set_power(&self.name, power).expect("every world has a signaller");
    }
}

impl Endpoints {
    fn of(plan: &Plan, world: &World, name: &Name) -> Self {
        let host = world.host(name).expect("every world has a signaller");
        let at = |port| -> Vec<SocketAddr> {
            plan.signaller.addresses.iter().map(|&address| SocketAddr::new(address, port)).collect()
        };
        let is_stream = |peer| transport_of(plan, peer) == TransportPlan::Stream;
        let clock = world.clone();
        let settings =
            HttpSettings { clock: Clock::new(move || time_of_day(&clock)), limits: plan.signaller.http };
        Self {
            world: world.clone(),
            host,
            stream: if plan.peers.iter().any(is_stream) { at(STREAM_PORT) } else { Vec::new() },
            http: if plan.peers.iter().all(is_stream) { Vec::new() } else { at(HTTP_PORT) },
            settings,
        }
    }

    /// One life after the other, until it is dropped, which ends everything without a word. The ports stay
    /// open from one life to the next, as with sockets that an init system holds: who comes in between waits.
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
                let told = told(restarts.clone());
                endpoints.spawn(async move { http::serve(listener, relay, settings, told).await });
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
                // Its former life is not over yet.
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
        () = told(restarts) => {}
        () = accepting => {}
    }
}

/// Resolves when the server is told to restart.
async fn told(mut restarts: watch::Receiver<u32>) {
    if restarts.changed().await.is_err() {
        std::future::pending().await
    }
}

/// A listener of a world as [`signaller::http::serve`] wants it. Cheap to clone.
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

fn settings(plan: &Plan) -> RelaySettings {
    let FaultsPlan { messages, endpoints } = plan.signaller.faults.clone();
    RelaySettings {
        limits: plan.signaller.limits,
        delays: plan.signaller.delays.iter().map(build::delay_rule).collect(),
        faults: messages,
        endpoint: endpoints,
        secret: (plan.signaller.admission != Admission::Open).then(secret),
        ..RelaySettings::default()
    }
}
