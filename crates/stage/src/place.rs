//! Where a program runs, and what it is given there.

use std::{
    fmt,
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use netsim::{Handling, Host, Sleep, TcpListener, TcpStream, UdpSocket, UnknownHost, World};
use rtc::{
    ice::mdns::MulticastDnsMode,
    peer_connection::configuration::{RTCIceServer, setting_engine::SettingEngineBuilder},
};
use signaller::Transport;
use timeline::Name;
use webrtc::{
    peer_connection::PeerConnectionEventHandler,
    runtime::{JoinHandle, Runtime},
};

use crate::{Gauges, Journal, Leftovers, Names, Observed, Reporter, Staggered, WorldRuntime};

/// A host of a world, for the program that runs on it. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Place {
    host: Host,
    world: World,
    runtime: Arc<WorldRuntime>,
    reporter: Reporter,
    surroundings: Arc<Surroundings>,
}

/// What a program knows of the world around its host, besides what it finds out itself.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The seed of the world.
    pub seed: u64,
    /// Which of the world's peers this is, from 0.
    pub index: u64,
    /// The other peers.
    pub peers: Vec<Name>,
    /// The world's DNS. In a scenario it has its STUN and TURN servers and its peers, each as `NAME.test`.
    pub names: Names,
    /// The STUN and TURN servers that this peer uses, with its credentials (W3C webrtc-pc §4.2.4).
    pub ice_servers: Vec<RTCIceServer>,
    /// The address of the signalling host, in a family that this host has. Which ports are open there depends on the
    /// scenario; a host without callsim's own server has the ports that programs open on it.
    pub signaller: Option<IpAddr>,
    /// How long the program takes at most to handle a signalling message ([`Handling`]).
    pub stagger: Duration,
}

impl Place {
    /// A place on the host called `name`. What the program reports goes to `journal`.
    ///
    /// # Errors
    /// Where there is no such host.
    pub fn new(
        world: &World,
        name: &Name,
        surroundings: Surroundings,
        journal: &Arc<dyn Journal>,
    ) -> Result<Self, UnknownHost> {
        let host = world.host(name)?;
        let runtime = WorldRuntime::new(world.clone(), host.clone(), surroundings.names.clone());
        Ok(Self {
            host,
            world: world.clone(),
            runtime: Arc::new(runtime),
            reporter: Reporter::new(world, name, journal),
            surroundings: Arc::new(surroundings),
        })
    }

    /// The name of the peer and of its host.
    pub fn name(&self) -> &Name {
        self.reporter.actor()
    }

    /// The names of the other peers.
    pub fn peers(&self) -> &[Name] {
        &self.surroundings.peers
    }

    /// The seed of the world.
    pub fn seed(&self) -> u64 {
        self.surroundings.seed
    }

    /// Which of the world's peers this is, from 0.
    pub fn index(&self) -> u64 {
        self.surroundings.index
    }

    /// The world.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The host, where sockets are opened.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The runtime for `PeerConnectionBuilder::with_runtime`.
    pub fn runtime(&self) -> Arc<dyn Runtime> {
        self.runtime.clone()
    }

    /// The present addresses of the host with this port, for `PeerConnectionBuilder::with_udp_addrs`; port 0 stands for
    /// a free one.
    pub fn socket_addresses(&self, port: u16) -> Vec<SocketAddr> {
        self.host.addresses().into_iter().map(|address| SocketAddr::new(address, port)).collect()
    }

    /// The STUN and TURN servers that this peer uses, with its credentials, for `RTCConfiguration`.
    pub fn ice_servers(&self) -> Vec<RTCIceServer> {
        self.surroundings.ice_servers.clone()
    }

    /// The signalling host with this port; `None` in a world without one.
    pub fn signaller(&self, port: u16) -> Option<SocketAddr> {
        self.surroundings.signaller.map(|address| SocketAddr::new(address, port))
    }

    /// A signalling transport whose messages the program handles one after the other, each in a time drawn
    /// by the seed, so that what was sent together is not always handled together. Without it they are, in
    /// every seed.
    pub fn staggered<T: Transport>(&self, transport: T) -> Staggered<T> {
        let handling = Handling::new(self.seed(), self.name(), self.surroundings.stagger);
        Staggered::new(transport, self.world.clone(), handling)
    }

    /// Where the program writes down what it does.
    pub fn reporter(&self) -> &Reporter {
        &self.reporter
    }

    /// Settings for `PeerConnectionBuilder::with_setting_engine`, to which a program adds its own: the world's
    /// cryptography, whose keys a capture of the run has, so that it is legible; and no mDNS, which needs multicast.
    pub fn setting_engine(&self) -> SettingEngineBuilder {
        let builder = SettingEngineBuilder::new().with_multicast_dns_mode(MulticastDnsMode::Disabled);
        match crate::provider() {
            Some(provider) => builder.with_crypto_provider(provider),
            None => builder,
        }
    }

    /// Notes the secrets of a connection whose cryptography is not the world's, so that a capture of the run has them:
    /// a line of the NSS key log format, `CLIENT_RANDOM <client random> <master secret>`, both in hexadecimal. Nothing
    /// happens where no capture is made.
    pub fn key_log(&self, line: &str) {
        determinism::crypto::key_log::note(line);
    }

    /// A handler for `PeerConnectionBuilder::with_handler` that reports the states, candidates, tracks, media and data
    /// channels of a peer connection and hands everything on to `handler`.
    pub fn observed(&self, handler: Arc<dyn PeerConnectionEventHandler>) -> Arc<Observed> {
        Arc::new(Observed::new(handler, self.reporter.clone(), self.runtime()))
    }

    /// Opens a TCP connection.
    ///
    /// # Errors
    /// As for [`Host::connect`].
    pub async fn connect(&self, to: SocketAddr) -> io::Result<TcpStream> {
        self.host.connect(to).await
    }

    /// Listens for TCP connections.
    ///
    /// # Errors
    /// As for [`Host::listen`].
    pub fn listen(&self, at: SocketAddr) -> io::Result<TcpListener> {
        self.host.listen(at)
    }

    /// Opens a UDP socket.
    ///
    /// # Errors
    /// As for [`Host::bind_udp`].
    pub fn bind_udp(&self, at: SocketAddr) -> io::Result<UdpSocket> {
        self.host.bind_udp(at)
    }

    /// Looks up a name, or an address, with a port behind a colon.
    ///
    /// # Errors
    /// `NotFound` where the world's DNS does not have it.
    pub async fn look_up(&self, host_and_port: &str) -> io::Result<Vec<SocketAddr>> {
        self.runtime.resolve_host(host_and_port).await
    }

    /// Starts a task on this host. It is counted: one that has not ended when the program has stopped is a leak.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> Box<dyn JoinHandle> {
        self.runtime.spawn(Box::pin(task))
    }

    /// Calls `f` as a task of this host would be polled.
    pub fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        self.runtime.inhabited().enter(f)
    }

    /// Waits, in virtual time.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        self.world.sleep(duration)
    }

    /// What the program holds now: tasks and timers of its runtime, and sockets of its host.
    ///
    /// # Errors
    /// Where the world is over and has no such host any more.
    pub fn leftovers(&self) -> Result<Leftovers, UnknownHost> {
        let (gauges, sockets) = (self.gauges(), self.world.open_sockets(self.name())?);
        Ok(Leftovers { tasks: gauges.tasks(), timers: gauges.timers(), sockets })
    }

    fn gauges(&self) -> Gauges {
        self.runtime.gauges()
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({})", self.name())
    }
}
