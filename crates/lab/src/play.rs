//! Plays a plan with programs in namespaces.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::Duration,
};

use netsim::World;
use scenario::{
    plan::Plan,
    record::RunRecord,
    run::{Outside, OutsideFuture, Player, Site},
};
use stage::{BoxFuture, Command, Place, Program, Unsupported};
use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
    thread_native_id,
};
use timeline::Name;

use crate::{
    Ended, LabError, Task,
    border::{Accepted, Border, Dropped, listen, pass_on},
    commands::Commands,
    enclosure, engine,
    namespace::Namespace,
};

/// Where signalling servers of scenarios listen: WebSocket and REST, and framed streams.
const SIGNALLING_PORTS: [u16; 2] = [443, 80];
/// What a device takes where a link's model has no MTU: Ethernet's (RFC 894).
const MTU_BYTES: u16 = 1500;

/// The network of a plan, with programs.
pub struct Lab<'p> {
    plan: &'p Plan,
    namespaces: BTreeMap<Name, Namespace>,
    borders: Vec<Border>,
    accepted: Option<Accepted>,
    dropped: Arc<Dropped>,
    engines: Vec<Name>,
    tasks: Vec<Task>,
    at_most: Duration,
}

/// How the threads of the network are scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// Before all normal ones (`SCHED_FIFO`).
    RealTime,
    /// As any others: the system did not allow more.
    Normal,
}

/// What came of it.
#[derive(Debug)]
pub struct Played {
    /// As of a simulated run.
    pub record: RunRecord,
    /// How each program ended.
    pub ended: Vec<Ended>,
    /// IP fragments that were dropped: a world has none.
    pub fragments: u64,
    /// Other packets that the world could not take or no kernel took.
    pub dropped: u64,
    /// How the network's threads were scheduled.
    pub priority: Priority,
}

impl<'p> Lab<'p> {
    /// Makes the namespaces of all peers, of the signalling server and of each host that is to run a program. Within
    /// [`enclose`](crate::enclose). `engines` are played by callsim's own engine.
    ///
    /// # Errors
    /// [`LabError`], where the system does not allow it or an engine cannot play its peer.
    pub fn open(
        plan: &'p Plan,
        engines: Vec<Name>,
        tasks: Vec<Task>,
        at_most: Duration,
    ) -> Result<Self, LabError> {
        if let Some(peer) = engines.iter().find(|peer| plan.is_driven(peer) || plan.joins(peer)) {
            return Err(LabError::NotForEngines { peer: peer.clone() });
        }
        enclosure::set_hosts(&hosts_file(plan))?;
        let signaller = Name::new(Plan::SIGNALLER);
        let (mut namespaces, mut borders, mut accepted) = (BTreeMap::new(), Vec::new(), None);
        let dropped = Arc::new(Dropped::default());
        for host in plan.hosts() {
            let runs = plan.peer(&host.name).is_some() || tasks.iter().any(|task| task.host == host.name);
            if !runs && host.name != signaller {
                continue;
            }
            let up =
                host.access.up.mtu_bytes.map_or(MTU_BYTES, |mtu| u16::try_from(mtu).unwrap_or(MTU_BYTES));
            let namespace = Namespace::open(&host.name, host.addresses, up.min(MTU_BYTES))?;
            let failed = |doing| {
                let host = host.name.clone();
                move |error: std::io::Error| LabError::Namespace { host, doing, reason: error.to_string() }
            };
            borders.push(
                Border::open(&host.name, &namespace, &dropped).map_err(failed("read from its device"))?,
            );
            if host.name == signaller && !tasks.iter().any(|task| task.host == signaller) {
                let at = |port| host.addresses.iter().map(move |&ip| SocketAddr::new(ip, port));
                let endpoints = SIGNALLING_PORTS.into_iter().flat_map(at).collect();
                accepted = Some(listen(&namespace, endpoints).map_err(failed("listen for signalling"))?);
            }
            namespaces.insert(host.name, namespace);
        }
        Ok(Self { plan, namespaces, borders, accepted, dropped, engines, tasks, at_most })
    }

    /// Plays the scenario: until its steps are over and no engine has a call, or until the programs have ended where
    /// there are any, or for the longest time that it may take.
    ///
    /// # Errors
    /// Where a program cannot be started, or the world cannot be run.
    pub fn play(mut self, seed: u64) -> Result<Played, LabError> {
        let environment: Vec<_> =
            self.namespaces.iter().map(|(name, at)| (variable(name), at.path.clone())).collect();
        let commands = Commands::start(&self.tasks, &environment, |host| self.namespaces.get(host).cloned())?;
        let commands = Arc::new(commands);
        let bound = Bound {
            namespaces: self.namespaces.clone(),
            borders: Mutex::new(std::mem::take(&mut self.borders)),
            accepted: Mutex::new(self.accepted.take()),
            commands: commands.clone(),
            at_most: self.at_most,
        };
        let mut player = Player::new(self.plan).outside(Arc::new(bound));
        let others = self.plan.peers().iter().filter(|peer| !self.engines.contains(&peer.name));
        for peer in others {
            let commands = commands.clone();
            player = player.program(peer.name.clone(), move |_: Place| Stranger(commands.clone()));
        }
        let player = player.seed(seed);
        let played = stage::on_thread(seed, || {
            let priority = run_first();
            player.on_this_thread().map(|record| (record, priority))
        });
        let (record, priority) = match played {
            Ok(played) => played?,
            Err(error) => return Err(LabError::Stage(error)),
        };
        Ok(Played {
            record,
            ended: commands.ended(),
            fragments: self.dropped.fragments.load(Ordering::Relaxed),
            dropped: self.dropped.others.load(Ordering::Relaxed),
            priority,
        })
    }
}

/// In which environment variable programs find the namespace of a host, for `nsenter --net=`: `CALLSIM_NET_CALLER`.
fn variable(host: &Name) -> String {
    let word = host.as_str().to_uppercase();
    format!("CALLSIM_NET_{}", word.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_"))
}

/// `localhost`, and each host as `NAME.test`.
fn hosts_file(plan: &Plan) -> String {
    let mut text = "127.0.0.1 localhost\n::1 localhost\n".to_owned();
    for host in plan.hosts() {
        for address in host.addresses {
            let _ = writeln!(text, "{address} {}", stage::domain(&host.name));
        }
    }
    text
}

/// Lets the calling thread run before all normal ones, if the system allows that.
pub(crate) fn run_first() -> Priority {
    const PRIORITY: u8 = 10;
    let priority = PRIORITY.try_into().map(ThreadPriority::Crossplatform).unwrap_or(ThreadPriority::Min);
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    match set_thread_priority_and_policy(thread_native_id(), priority, policy) {
        Ok(()) => Priority::RealTime,
        Err(_) => Priority::Normal,
    }
}

/// What the world has of the lab.
struct Bound {
    namespaces: BTreeMap<Name, Namespace>,
    borders: Mutex<Vec<Border>>,
    accepted: Mutex<Option<Accepted>>,
    commands: Arc<Commands>,
    at_most: Duration,
}

impl Outside for Bound {
    fn begin(&self, world: &World) {
        let borders = std::mem::take(&mut *self.borders.lock().unwrap_or_else(PoisonError::into_inner));
        for border in borders {
            if let Ok(host) = world.host(&border.host) {
                border.carry(&host);
            }
        }
        let accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let (Some(accepted), Ok(host)) = (accepted, world.host(&Name::new(Plan::SIGNALLER))) {
            pass_on(&host, accepted);
        }
    }

    fn site(&self, peer: &Name) -> Option<Site> {
        self.namespaces.get(peer).map(engine::site)
    }

    fn deadline(&self) -> Duration {
        self.at_most
    }

    fn over(&self) -> OutsideFuture<()> {
        if self.commands.count() == 0 {
            return Box::pin(std::future::pending());
        }
        Box::pin(self.commands.all_ended())
    }

    fn moves(&self, host: &Name, addresses: Vec<IpAddr>) -> OutsideFuture<Result<(), String>> {
        match self.namespaces.get(host).cloned() {
            Some(namespace) => Box::pin(async move { namespace.set_addresses(addresses).await }),
            None => Box::pin(std::future::ready(Ok(()))),
        }
    }
}

/// Stands for programs that callsim knows nothing of: their users do what the scenario's people do.
struct Stranger(Arc<Commands>);

impl Program for Stranger {
    fn act(&mut self, _: &Command) -> Result<(), Unsupported> {
        Ok(())
    }

    fn finished(&mut self) -> BoxFuture<'static, ()> {
        Box::pin(self.0.all_ended())
    }

    fn stop(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}
