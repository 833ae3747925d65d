//! STUN and TURN servers in a world: the sans-I/O server of `turn-service` on sockets of its host.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use netsim::{Host, UdpSocket, UnknownHost, World};
use rtc::peer_connection::configuration::RTCIceServer;
use thiserror::Error;
use timeline::{Event, Name};
use tokio::{
    sync::Notify,
    task::{AbortHandle, JoinHandle},
};
use turn_service::{
    Credentials, Mood, Output, Server, ServiceEvent, Settings, SettingsError, Transport, TurnSettings,
};

use crate::{EPOCH_S, Journal, Names, Reporter};

/// The realm of TURN credentials (RFC 8489 §9.2).
pub const REALM: &str = "callsim";
/// The port of STUN and TURN over UDP (RFC 8489 §8.2, RFC 8656 §4).
pub(crate) const STUN_PORT: u16 = 3478;
/// The longest UDP payload (RFC 768).
const MAX_DATAGRAM: usize = 65_507;

/// What a STUN or TURN server of a world is given when it starts.
#[derive(Clone, Debug)]
pub struct IceServerSettings {
    /// What it does: STUN only, or TURN with which credentials and ports.
    pub service: Settings,
    /// The faults in force from the beginning.
    pub mood: Mood,
    /// The addresses and ports of its host on which it listens, over UDP.
    pub listen: Vec<SocketAddr>,
}

/// Why a server cannot start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IceServerError {
    /// The world has no such host.
    #[error(transparent)]
    UnknownHost(#[from] UnknownHost),
    /// The settings contradict themselves.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

/// A running server. Dropping it closes its sockets.
pub struct IceServer {
    shared: Arc<Shared>,
    clock: JoinHandle<()>,
}

struct Shared {
    world: World,
    host: Host,
    reporter: Reporter,
    state: Mutex<State>,
    /// Something may expire earlier than it did.
    changed: Notify,
}

struct State {
    server: Server,
    sockets: BTreeMap<SocketAddr, Listening>,
}

/// A socket, and the task that reads from it.
struct Listening {
    socket: Arc<UdpSocket>,
    reader: AbortHandle,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Drop for IceServer {
    fn drop(&mut self) {
        self.clock.abort();
        // The readers share what holds them.
        self.shared.state().sockets.clear();
    }
}

impl IceServer {
    /// Starts a server on `host`; what it does is reported under the host's name.
    ///
    /// # Errors
    /// Where there is no such host, or the settings contradict themselves. An address that cannot be bound is
    /// reported as a problem, and the server goes on with the others.
    pub fn start(
        world: &World,
        host: &Name,
        settings: IceServerSettings,
        journal: &Arc<dyn Journal>,
    ) -> Result<Self, IceServerError> {
        let mut server = Server::new(settings.service)?;
        server.set_mood(settings.mood);
        let shared = Arc::new(Shared {
            world: world.clone(),
            host: world.host(host)?,
            reporter: Reporter::new(world, host, journal),
            state: Mutex::new(State { server, sockets: BTreeMap::new() }),
            changed: Notify::new(),
        });
        for address in settings.listen {
            Shared::listen(&shared, address);
        }
        let clock = tokio::spawn(Shared::expire(shared.clone()));
        Ok(Self { shared, clock })
    }

    /// Starts a TURN server on `host`, on port 3478 of its addresses, that relays for these users and passwords
    /// (RFC 8656; long-term credentials, RFC 8489 §9.2). `seed` is that of the world.
    ///
    /// [`ice_servers`] and [`names`] have what a client's configuration needs.
    ///
    /// # Errors
    /// As for [`IceServer::start`].
    pub fn turn(
        world: &World,
        host: &Name,
        users: &[(&str, &str)],
        seed: u64,
        journal: &Arc<dyn Journal>,
    ) -> Result<Self, IceServerError> {
        let addresses = world.host(host)?.addresses();
        let add = |known: Credentials, (user, password): &(&str, &str)| known.and_user(*user, *password);
        let turn =
            TurnSettings::new(REALM, users.iter().fold(Credentials::default(), add), addresses.clone());
        let settings = IceServerSettings {
            service: Settings::with_turn(seed, Duration::from_secs(EPOCH_S), turn),
            mood: Mood::default(),
            listen: addresses.into_iter().map(|address| SocketAddr::new(address, STUN_PORT)).collect(),
        };
        Self::start(world, host, settings, journal)
    }

    /// Sets the faults in force.
    pub fn set_mood(&self, mood: Mood) {
        self.shared.state().server.set_mood(mood);
        self.shared.changed.notify_one();
    }

    /// Restarts it: its allocations are lost.
    pub fn reboot(&self) {
        let now = self.shared.now();
        let outputs = self.shared.state().server.reboot(now);
        Shared::carry_out(&self.shared, outputs);
    }
}

/// The `iceServers` of a client of the server on `host` (W3C webrtc-pc §4.2.4): STUN, and TURN with these
/// credentials, under the domain name that [`names`] resolves.
pub fn ice_servers(host: &Name, (username, credential): (&str, &str)) -> Vec<RTCIceServer> {
    let url = |scheme| format!("{scheme}:{}:{STUN_PORT}", domain(host));
    let stun = RTCIceServer { urls: vec![url("stun")], ..RTCIceServer::default() };
    let turn = RTCIceServer {
        urls: vec![url("turn")],
        username: username.to_owned(),
        credential: credential.to_owned(),
    };
    vec![stun, turn]
}

/// The domain name of a server on `host`, in the domain reserved for tests (RFC 6761 §6.2).
pub fn domain(host: &Name) -> String {
    format!("{host}.test")
}

/// The world's DNS for servers on these hosts and addresses.
pub fn names<'a>(servers: impl IntoIterator<Item = (&'a Name, Vec<IpAddr>)>) -> Names {
    Arc::new(servers.into_iter().map(|(host, addresses)| (domain(host), addresses)).collect())
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic in here leaves the run without a record anyway.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.world.now().elapsed()
    }

    fn listen(this: &Arc<Self>, address: SocketAddr) {
        let socket = match this.host.bind_udp(address) {
            Ok(socket) => Arc::new(socket),
            Err(error) => {
                return this
                    .reporter
                    .report(Event::Problem { what: format!("cannot bind {address}: {error}").into() });
            }
        };
        let reader = tokio::spawn(Self::read(this.clone(), socket.clone(), address)).abort_handle();
        this.state().sockets.insert(address, Listening { socket, reader });
    }

    async fn read(this: Arc<Self>, socket: Arc<UdpSocket>, address: SocketAddr) {
        let mut buffer = vec![0; MAX_DATAGRAM];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            let now = this.now();
            let outputs = this.state().server.handle(now, Transport::Udp, from, address, &buffer[..length]);
            Self::carry_out(&this, outputs);
            this.changed.notify_one();
        }
    }

    /// Lets what has a lifetime end with it.
    async fn expire(this: Arc<Self>) {
        loop {
            let deadline = this.state().server.next_deadline();
            let changed = this.changed.notified();
            match deadline {
                None => changed.await,
                Some(deadline) => {
                    let wait = deadline.saturating_sub(this.now());
                    tokio::select! {
                        biased;
                        () = changed => continue,
                        () = this.world.sleep(wait) => {}
                    }
                    let now = this.now();
                    let outputs = this.state().server.tick(now);
                    Self::carry_out(&this, outputs);
                }
            }
        }
    }

    fn carry_out(this: &Arc<Self>, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send { from, to, bytes, after, .. } if after.is_zero() => this.send(from, to, &bytes),
                Output::Send { from, to, bytes, after, .. } => {
                    let (this, sleep) = (this.clone(), this.world.sleep(after));
                    tokio::spawn(async move {
                        sleep.await;
                        this.send(from, to, &bytes);
                    });
                }
                Output::Open { relay } => Self::listen(this, relay),
                Output::Close { relay } => drop(this.state().sockets.remove(&relay)),
                Output::Event(event) if is_worth_a_line(&event) => {
                    this.reporter.report(Event::Note { what: event.to_string().into() });
                }
                _ => {}
            }
        }
    }

    fn send(&self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        let socket = self.state().sockets.get(&from).map(|listening| listening.socket.clone());
        // A relayed address may be gone by the time a slow server gets to it.
        let Some(socket) = socket else { return };
        if let Err(error) = socket.try_send_to(bytes, to) {
            self.reporter.report(Event::Problem { what: format!("cannot send to {to}: {error}").into() });
        }
    }
}

/// Bindings, challenges and permissions belong to every call that goes well.
fn is_worth_a_line(event: &ServiceEvent) -> bool {
    !matches!(
        event,
        ServiceEvent::Bound { .. }
            | ServiceEvent::Challenged { .. }
            | ServiceEvent::Permitted { .. }
            | ServiceEvent::ChannelBound { .. }
            | ServiceEvent::Repeated { .. }
            | ServiceEvent::Refreshed { .. }
            | ServiceEvent::PermissionExpired { .. }
            | ServiceEvent::ChannelExpired { .. }
            | ServiceEvent::Dropped { .. }
    )
}
