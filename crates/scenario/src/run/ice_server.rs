//! STUN and TURN servers in the world: the sans-IO server of `turn-service` on sockets of its host, and
//! what peers are told of it.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use call_engine::IceServer as EngineIceServer;
use netsim::{Host, UdpSocket, World};
use timeline::{Event, Name};
use tokio::{
    sync::Notify,
    task::{AbortHandle, JoinHandle},
};
use turn_service::{
    Credentials, Mood, Output, Server, ServiceEvent, Settings, Transport, TurnSettings, mint,
};

use super::{EPOCH_S, recorder::Recording};
use crate::{
    plan::{CredentialKind, IceServerKind, IceServerPlan, PeerPlan, Plan, TurnCredentials},
    runtime::Names,
};

/// The realm of every TURN server's credentials.
const REALM: &str = "callsim";
/// Every peer's password at long-term servers, and what time-limited ones share with the application.
const PASSWORD: &str = "correct horse";
/// How long a time-limited credential is good for: the day that coturn's documentation suggests.
const CREDENTIAL_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest UDP payload (RFC 768).
const MAX_DATAGRAM: usize = 65_507;

/// A server at work. Dropping it closes its sockets.
pub(super) struct IceServer {
    shared: Arc<Shared>,
    clock: JoinHandle<()>,
}

struct Shared {
    world: World,
    host: Host,
    name: Name,
    recording: Recording,
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
    /// Listens on the host of `plan`'s server.
    pub(super) fn start(
        plan: &IceServerPlan,
        peers: &[PeerPlan],
        seed: u64,
        world: &World,
        recording: &Recording,
    ) -> Self {
        let settings = settings(plan, peers, seed);
        let mut server = Server::new(settings).expect("the format accepts only possible servers");
        server.set_mood(plan.mood);
        let shared = Arc::new(Shared {
            world: world.clone(),
            host: world.host(&plan.name).expect("the world was built from this plan"),
            name: plan.name.clone(),
            recording: recording.clone(),
            state: Mutex::new(State { server, sockets: BTreeMap::new() }),
            changed: Notify::new(),
        });
        for &address in &plan.addresses {
            Shared::listen(&shared, SocketAddr::new(address, plan.port));
        }
        let clock = tokio::spawn(Shared::expire(shared.clone()));
        Self { shared, clock }
    }

    /// Sets the faults in force.
    pub(super) fn set_mood(&self, mood: Mood) {
        self.shared.state().server.set_mood(mood);
        self.shared.changed.notify_one();
    }

    /// Restarts it: its allocations are lost.
    pub(super) fn reboot(&self) {
        let now = self.shared.now();
        let outputs = self.shared.state().server.reboot(now);
        Shared::carry_out(&self.shared, outputs);
    }
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
                return this.note(Event::Problem { what: format!("cannot bind {address}: {error}").into() });
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
                    this.note(Event::Note { what: event.to_string().into() });
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
            self.note(Event::Problem { what: format!("cannot send to {to}: {error}").into() });
        }
    }

    fn note(&self, event: Event) {
        self.recording.note(self.world.now(), &self.name, event);
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

fn settings(plan: &IceServerPlan, peers: &[PeerPlan], seed: u64) -> Settings {
    let epoch = Duration::from_secs(EPOCH_S);
    match plan.kind {
        IceServerKind::Stun => Settings::stun_only(seed, epoch),
        IceServerKind::Turn => {
            let credentials = match plan.credentials {
                CredentialKind::LongTerm => peers
                    .iter()
                    .fold(Credentials::default(), |known, peer| known.and_user(peer.name.as_str(), PASSWORD)),
                CredentialKind::TimeLimited => Credentials::time_limited(PASSWORD),
            };
            let turn = TurnSettings {
                relay_ports: plan.relay_ports.clone(),
                default_lifetime: plan.allocation_lifetime,
                nonce_lifetime: plan.nonce_lifetime,
                quota: plan.quota,
                ..TurnSettings::new(REALM, credentials, plan.addresses.clone())
            };
            Settings::with_turn(seed, epoch, turn)
        }
    }
}

/// The server's name in the world's DNS, in the domain for tests (RFC 6761 §6.2).
fn domain(server: &IceServerPlan) -> String {
    format!("{}.test", server.name)
}

/// Where the servers' names lead.
pub(super) fn names(plan: &Plan) -> Names {
    Arc::new(plan.ice_servers.iter().map(|server| (domain(server), server.addresses.clone())).collect())
}

/// What the application of `peer` is told: `iceServers` (W3C webrtc-pc §4.2.4).
pub(super) fn configuration(plan: &Plan, peer: &PeerPlan) -> Vec<EngineIceServer> {
    let used = plan.ice_servers.iter().filter(|server| peer.ice_servers.contains(&server.name));
    used.flat_map(|server| {
        let urls = |scheme: &str| vec![format!("{scheme}:{}:{}", domain(server), server.port)];
        let stun = EngineIceServer { urls: urls("stun"), ..EngineIceServer::default() };
        let turn = (server.kind == IceServerKind::Turn).then(|| {
            let (username, credential) = credentials(server, peer);
            EngineIceServer { urls: urls("turn"), username, credential }
        });
        [stun].into_iter().chain(turn)
    })
    .collect()
}

fn credentials(server: &IceServerPlan, peer: &PeerPlan) -> (String, String) {
    let user = peer.name.to_string();
    match (server.credentials, peer.turn_credentials) {
        (CredentialKind::LongTerm, TurnCredentials::Valid) => (user, PASSWORD.to_owned()),
        (CredentialKind::LongTerm, TurnCredentials::Wrong) => (user, "wrong".to_owned()),
        (CredentialKind::LongTerm, TurnCredentials::Expired) => {
            (format!("former-{user}"), PASSWORD.to_owned())
        }
        (CredentialKind::TimeLimited, shown) => {
            let now = Duration::from_secs(EPOCH_S);
            let expiry = match shown {
                TurnCredentials::Expired => now.saturating_sub(Duration::from_secs(1)),
                _ => now + CREDENTIAL_LIFETIME,
            };
            let secret = if shown == TurnCredentials::Wrong { "another secret" } else { PASSWORD };
            let minted = mint(secret, peer.name.as_str(), expiry).expect("a peer's name makes a user name");
            (minted.username, minted.password)
        }
    }
}
