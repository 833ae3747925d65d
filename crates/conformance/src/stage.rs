//! Where a try takes place: a world with four hosts, the peers in it, and what must hold at its end.

mod expect;
mod log;
mod peer;
mod states;

use std::{cell::RefCell, collections::BTreeMap, net::IpAddr, rc::Rc, sync::Arc, time::Duration};

use ::stage::{Gauges, WorldRuntime};
use call_engine::{Engine, Guards};
use determinism::crypto::SeededProvider;
use netsim::{Access, HostSpec, LinkModel, ProcessingDelay, World, WorldConfig};
use signaller::memory::Hub;
use webrtc::peer_connection::PeerConnection;

pub(crate) use expect::{Deviation, Name, Shown, accepted, expect, expect_that, refused};
pub(crate) use log::Log;
pub(crate) use netsim::LinkState as Link;
pub(crate) use peer::{Kind, Options, Peer, Said, retyped};
pub(crate) use states::{History, OneOf, expect_moves};

/// The seed of every try: a row is about behaviour, not about chance.
pub(crate) const SEED: u64 = 1;
/// How long the run goes on where something must never happen: twice the 30 s after which ICE fails, the
/// longest timer of a peer connection.
const LINGER: Duration = Duration::from_secs(60);
/// How long a try waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it looks.
const POLL: Duration = Duration::from_millis(5);
/// After which everything that one call sets going on one host has come to rest: drivers run, and host
/// candidates are gathered, without any packet.
const REST: Duration = Duration::from_millis(5);
/// How long closing may take.
const CLOSING: Duration = Duration::from_secs(10);
/// One way, from a host to the middle of the network.
const DELAY: Duration = Duration::from_millis(5);

/// The hosts and their addresses.
const HOSTS: [(&str, &str); 4] =
    [("alice", "10.0.0.1"), ("bob", "10.0.0.2"), ("carol", "10.0.0.3"), ("dave", "10.0.0.4")];

/// The world of a try.
pub(crate) fn world() -> WorldConfig {
    let host = |(name, address): (&str, &str)| HostSpec {
        name: name.into(),
        addresses: vec![address_of(address)],
        access: Access::symmetric(LinkModel::with_delay(DELAY)),
        processing: ProcessingDelay::ZERO,
    };
    let config = WorldConfig::builder(SEED).hosts(HOSTS.into_iter().map(host));
    let config = config.deadline(Duration::from_secs(600)).event_budget(1_000_000).build();
    config.expect("hosts with names and addresses of their own")
}

fn address_of(text: &str) -> IpAddr {
    text.parse().expect("the addresses of this file are addresses")
}

/// A handle to the stage; all clones are one.
#[derive(Clone)]
pub(crate) struct Stage(Rc<Inner>);

struct Inner {
    world: World,
    guards: Guards,
    hub: Hub,
    held: RefCell<Held>,
}

/// What is to be closed, counted and judged at the end.
#[derive(Default)]
struct Held {
    gauges: Vec<(String, Gauges)>,
    connections: Vec<Arc<dyn PeerConnection>>,
    engines: Vec<Engine>,
    claims: Vec<Claim>,
    /// How many had keys of their own.
    keyed: u64,
}

type Claim = Box<dyn Fn() -> Shown>;

impl Stage {
    pub(crate) fn new(world: World, guards: Guards) -> Self {
        Self(Rc::new(Inner { world, guards, hub: Hub::default(), held: RefCell::default() }))
    }

    /// With which guards its engines run.
    pub(crate) fn guards(&self) -> Guards {
        self.0.guards
    }

    /// Signalling between engines, in memory.
    pub(crate) fn hub(&self) -> &Hub {
        &self.0.hub
    }

    /// Lets everything come to rest that needs no packet.
    pub(crate) async fn rest(&self) {
        self.pass(REST).await;
    }

    /// Lets time pass.
    pub(crate) async fn pass(&self, time: Duration) {
        self.0.world.sleep(time).await;
    }

    /// Waits until `is_so`, and says `what` was waited for where it never is.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn() -> bool) -> Shown {
        let deadline = self.0.world.now() + PATIENCE;
        while !is_so() {
            if self.0.world.now() >= deadline {
                return Err(Deviation::new(format!("never: {what}")));
            }
            self.pass(POLL).await;
        }
        Ok(())
    }

    /// From now on to the very end of the run, `log` says a thing for which `is_meant` exactly `times`
    /// times.
    pub(crate) fn exactly<T: Clone + Send + 'static>(
        &self,
        times: usize,
        log: &Log<T>,
        what: &str,
        is_meant: impl Fn(&T) -> bool + 'static,
    ) {
        let (log, from, what) = (log.clone(), log.len(), what.to_owned());
        self.0.held.borrow_mut().claims.push(Box::new(move || {
            let found = log.since(from).iter().filter(|said| is_meant(said)).count();
            expect(&what, found, times)
        }));
    }

    /// From now on to the very end of the run, `log` says nothing for which `is_meant`.
    pub(crate) fn never<T: Clone + Send + 'static>(
        &self,
        log: &Log<T>,
        what: &str,
        is_meant: impl Fn(&T) -> bool + 'static,
    ) {
        self.exactly(0, log, what, is_meant);
    }

    /// Cuts a host off, or connects it again.
    pub(crate) fn link(&self, host: &str, state: Link) {
        self.0.world.set_link_state(&host.into(), state).expect("the hosts of a stage are known");
    }

    /// The runtime of a host.
    pub(crate) fn runtime(&self, host: &str) -> Arc<WorldRuntime> {
        let of_world = self.0.world.host(&host.into()).expect("the hosts of a stage are known");
        let runtime = WorldRuntime::new(self.0.world.clone(), of_world, Arc::new(BTreeMap::new()));
        self.0.held.borrow_mut().gauges.push((host.to_owned(), runtime.gauges()));
        Arc::new(runtime)
    }

    /// Where a host's programs open their sockets.
    pub(crate) fn socket_address(&self, host: &str) -> String {
        let (_, address) = HOSTS.iter().find(|(name, _)| *name == host).expect("a host of the stage");
        format!("{address}:0")
    }

    /// Keys and randomness of the next peer.
    pub(crate) fn crypto(&self) -> Arc<SeededProvider> {
        let mut held = self.0.held.borrow_mut();
        held.keyed += 1;
        Arc::new(SeededProvider::new(SEED, held.keyed))
    }

    /// It is closed at the end.
    pub(crate) fn keep(&self, connection: Arc<dyn PeerConnection>) {
        self.0.held.borrow_mut().connections.push(connection);
    }

    /// It is shut down at the end.
    pub(crate) fn keep_engine(&self, engine: Engine) {
        self.0.held.borrow_mut().engines.push(engine);
    }

    /// Plays the run to its very end: what must never happen has time to, everything is closed, and no task
    /// and no timer is left. Then judges the claims.
    pub(crate) async fn finish(&self) -> Shown {
        let Held { gauges, connections, engines, claims, .. } = self.0.held.take();
        if !claims.is_empty() {
            self.pass(LINGER).await;
        }
        for engine in engines {
            engine.shut_down().await;
        }
        for connection in connections {
            // A try may have closed it.
            let _ = connection.close().await;
        }
        let deadline = self.0.world.now() + CLOSING;
        let left = || gauges.iter().find(|(_, gauges)| gauges.tasks() + gauges.timers() > 0);
        while let Some((host, gauges)) = left() {
            if self.0.world.now() >= deadline {
                let (tasks, timers) = (gauges.tasks(), gauges.timers());
                return Err(Deviation::new(format!(
                    "left at {host} when all is closed: {tasks} tasks, {timers} timers"
                )));
            }
            self.pass(POLL).await;
        }
        claims.iter().try_for_each(|claim| claim())
    }
}
