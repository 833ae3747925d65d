//! The script inside the world: starts the signaller and the peers, carries out the steps, waits until
//! all calls have ended, takes everything down, and counts what is left.

use std::{collections::BTreeMap, fmt::Display, net::SocketAddr, sync::Arc, time::Duration};

use call_engine::{Delivery, Enabled, Engine, Hold, MediaKind, Mesh, MeshParts, Parts};
use netsim::{LinkState, World};
use signaller::{Candidate, Message};
use timeline::{Event, Name};
use tokio::{sync::mpsc::unbounded_channel, task::JoinHandle, time::Instant};
use webrtc::runtime::Runtime;

use super::{
    SETTLE,
    application::{Application, Exchange},
    build,
    ice_server::{self, IceServer},
    numbered,
    recorder::{PeerObserver, Recording},
    room::{self, Baseline, RoomObserver, Rooms},
    signalling::{Server, transport},
    user,
};
use crate::{
    plan::{
        Action, DeliveryWord, Handover, IceServerPlan, InCall, MediaKind as MediaWord, PeerPlan, Plan,
        TrackState, Transition,
    },
    record::Leftovers,
    runtime::{Gauges, WorldRuntime},
};

/// Plays the plan; what every host still holds at the end.
pub(super) async fn run(
    plan: Arc<Plan>,
    seed: u64,
    world: World,
    recording: Recording,
) -> BTreeMap<Name, Leftovers> {
    let mut stage = Stage::set(&plan, seed, world, recording);
    stage.carry_out(&plan).await;
    stage.end_applications().await;
    stage.recording.all_idle().await;
    tokio::time::sleep(SETTLE).await;
    stage.take_down().await;
    tokio::time::sleep(SETTLE).await;
    stage.leftovers()
}

/// Everything that takes part in a run.
struct Stage {
    world: World,
    recording: Recording,
    signaller: Server,
    /// Empty once everything is taken down.
    ice_servers: BTreeMap<Name, IceServer>,
    servers: Vec<Name>,
    peers: BTreeMap<Name, PeerOnStage>,
    /// The peers without an engine.
    applications: BTreeMap<Name, Application>,
    calls: u64,
    rooms: Rooms,
}

/// What a peer runs.
#[derive(Clone)]
enum Program {
    /// For calls with one other peer.
    Calls(Engine),
    /// For calls of several.
    Rooms(Mesh),
}

struct PeerOnStage {
    engine: Program,
    user: Option<JoinHandle<()>>,
    /// What it held before it joined a call of several.
    baseline: Baseline,
    gauges: Gauges,
    /// Whether its engine recovers connections.
    recovers: bool,
}

impl Stage {
    fn set(plan: &Plan, seed: u64, world: World, recording: Recording) -> Self {
        let signaller = Server::start(plan, &world, &recording);
        let start = |server: &IceServerPlan| {
            (server.name.clone(), IceServer::start(server, &plan.peers, seed, &world, &recording))
        };
        let ice_servers: BTreeMap<_, _> = plan.ice_servers.iter().map(start).collect();
        let servers = ice_servers.keys().cloned().collect();
        let (mut peers, mut applications) = (BTreeMap::new(), BTreeMap::new());
        let exchange = Exchange::default();
        for (index, peer) in (0..).zip(&plan.peers) {
            match plan.other_driven(&peer.name).filter(|_| plan.is_driven(&peer.name)) {
                Some(other) => {
                    let (who, drawn) = ((peer, other), (index, seed));
                    let started = Application::start(plan, who, drawn, (&world, &recording), &exchange);
                    applications.insert(peer.name.clone(), started);
                }
                None => {
                    let on_stage = PeerOnStage::start(plan, peer, index, seed, &world, &recording);
                    peers.insert(peer.name.clone(), on_stage);
                }
            }
            if let Some(schedule) = &peer.schedule {
                world.schedule_access(&peer.name, schedule).expect("the world was built from this plan");
            }
        }
        let rooms = Rooms::default();
        Self { world, recording, signaller, ice_servers, servers, peers, applications, calls: 0, rooms }
    }

    async fn carry_out(&mut self, plan: &Plan) {
        let start = Instant::now();
        for step in &plan.steps {
            tokio::time::sleep_until(start + step.at).await;
            self.act(&step.action);
        }
    }

    fn act(&mut self, action: &Action) {
        let what = action.to_string().into();
        let (actor, event) = match action {
            Action::LinkDown { .. }
            | Action::LinkUp { .. }
            | Action::SetLink { .. }
            | Action::Handover { .. }
            | Action::SetMood { .. }
            | Action::Reboot { .. } => (&Name::new(Plan::NETWORK), Event::Fault { what }),
            Action::Signaller { host, .. } => (host, Event::Fault { what }),
            other => (other.subject(), Event::Action { what }),
        };
        self.recording.note(self.world.now(), actor, event);
        match action {
            Action::LinkDown { host } => self.network(self.world.set_link_state(host, LinkState::Down)),
            Action::LinkUp { host } => self.network(self.world.set_link_state(host, LinkState::Up)),
            Action::SetLink { host, access } => {
                self.network(self.world.update_access(host, |present| *present = **access));
            }
            Action::Handover { host, handover, .. } => self.hand_over(host, handover),
            Action::SetMood { server, mood } => self.server(server, |server| server.set_mood(*mood)),
            Action::Reboot { server } => self.server(server, IceServer::reboot),
            Action::Signaller { change, .. } => self.signaller.change(change),
            peers_own => self.peer_acts(peers_own),
        }
    }

    /// The script is over, and so are their calls.
    async fn end_applications(&self) {
        for application in self.applications.values() {
            application.end().await;
        }
    }

    fn application_acts(&self, application: &Application, action: &Action) {
        match action {
            Action::Api { call, .. } => application.call(call.clone()),
            Action::SetAudio { state, .. } => application.set_enabled(MediaWord::Audio, *state),
            Action::SetVideo { state, .. } => application.set_enabled(MediaWord::Video, *state),
            _ => {}
        }
    }

    fn peer_acts(&mut self, action: &Action) {
        if let Some(application) = self.applications.get(action.subject()) {
            return self.application_acts(application, action);
        }
        if let Action::SendCandidate { peer, to, address } = action {
            let call = format!("call-{}", self.calls);
            return self.recording.sends_foreign(peer, to, call.as_str().into(), foreign_candidate(*address));
        }
        let Some(peer) = self.peers.get_mut(action.subject()) else { return };
        let engine = match &peer.engine {
            Program::Calls(engine) => engine,
            Program::Rooms(mesh) => {
                return acts_in_room(
                    &mesh.clone(),
                    action,
                    peer,
                    &mut self.rooms,
                    &self.world,
                    &self.recording,
                );
            }
        };
        match action {
            Action::Dial { peer, to } => {
                self.calls += 1;
                self.recording.dials(peer, to);
                engine.dial(to.clone(), format!("call-{}", self.calls).as_str());
            }
            Action::Accept { .. } => engine.accept(),
            Action::Reject { .. } => engine.reject(),
            Action::HangUp { .. } => engine.hang_up(),
            Action::SetAudio { state, .. } => engine.set_enabled(MediaKind::Audio, enabled(*state)),
            Action::SetVideo { state, .. } => engine.set_enabled(MediaKind::Video, enabled(*state)),
            Action::InCall { peer: name, change: InCall::SendData { delivery, count, bytes } } => {
                for _ in 0..*count {
                    let number = self.recording.sends_data(name, *delivery);
                    engine.send_data(channel(*delivery), numbered::message(number, *bytes));
                }
            }
            Action::InCall { change, .. } => in_call(engine, change),
            Action::NegotiationNeeded { times, .. } => {
                (0..*times).for_each(|_| engine.negotiation_needed());
            }
            _ => {}
        }
    }

    /// Moves a host. Its platform tells an engine that recovers, as soon as the new network is there.
    fn hand_over(&self, host: &Name, handover: &Handover) {
        self.network(self.world.handover(host, handover));
        let Some(peer) = self.peers.get(host).filter(|peer| peer.recovers) else { return };
        let gap = match handover.transition {
            Transition::Gap(gap) => gap,
            Transition::Overlap(_) => Duration::ZERO,
        };
        let (engine, arrival) = (peer.engine.clone(), self.world.sleep(gap));
        let addresses = build::ice_addresses(&handover.to.addresses);
        tokio::spawn(async move {
            arrival.await;
            match engine {
                Program::Calls(engine) => engine.network_changed(Some(addresses)),
                Program::Rooms(mesh) => mesh.network_changed(Some(addresses)),
            }
        });
    }

    fn server(&self, name: &Name, act: impl FnOnce(&IceServer)) {
        if let Some(server) = self.ice_servers.get(name) {
            act(server);
        }
    }

    fn network<E: Display>(&self, changed: Result<(), E>) {
        if let Err(error) = changed {
            let what = error.to_string().into();
            self.recording.note(self.world.now(), &Name::new(Plan::NETWORK), Event::Problem { what });
        }
    }

    /// Shuts the engines down, then the signaller.
    async fn take_down(&mut self) {
        for peer in self.peers.values() {
            match &peer.engine {
                Program::Calls(engine) => engine.shut_down().await,
                Program::Rooms(mesh) => mesh.shut_down().await,
            }
            if let Some(user) = &peer.user {
                user.abort();
            }
        }
        tokio::time::sleep(SETTLE).await;
        self.signaller.end();
        self.ice_servers.clear();
    }

    fn leftovers(&self) -> BTreeMap<Name, Leftovers> {
        let signaller = Name::new(Plan::SIGNALLER);
        let servers = self.servers.iter().map(|name| (name, None));
        let hosts = self.peers.iter().map(|(name, peer)| (name, Some(&peer.gauges)));
        let driven = self.applications.iter().map(|(name, application)| (name, Some(&application.gauges)));
        hosts
            .chain(driven)
            .chain([(&signaller, None)])
            .chain(servers)
            .map(|(name, gauges)| {
                let sockets = self.world.open_sockets(name).expect("the world was built from this plan");
                let left = Leftovers {
                    tasks: gauges.map_or(0, Gauges::tasks),
                    timers: gauges.map_or(0, Gauges::timers),
                    sockets,
                };
                (name.clone(), left)
            })
            .collect()
    }
}

impl PeerOnStage {
    fn start(
        plan: &Plan,
        peer: &PeerPlan,
        index: u64,
        seed: u64,
        world: &World,
        recording: &Recording,
    ) -> Self {
        let host = world.host(&peer.name).expect("the world was built from this plan");
        let runtime = WorldRuntime::new(world.clone(), host, ice_server::names(plan));
        let gauges = runtime.gauges();
        let runtime: Arc<dyn Runtime> = Arc::new(runtime);
        let recovers = peer.engine.recovery.is_some();
        let settings = build::engine_settings(plan, peer, index, seed);
        if room::joins(plan, &peer.name) {
            let observer =
                RoomObserver { name: peer.name.clone(), world: world.clone(), recording: recording.clone() };
            let parts = MeshParts {
                runtime: runtime.clone(),
                transport: transport(plan, peer, (seed, index), world, recording),
                devices: Arc::new(build::devices(peer, runtime)),
                observer: Arc::new(observer),
            };
            let engine = Program::Rooms(Mesh::start(settings, parts));
            return Self { engine, user: None, baseline: Baseline::default(), gauges, recovers };
        }
        let (rings_in, rings) = unbounded_channel();
        let observer = PeerObserver {
            name: peer.name.clone(),
            world: world.clone(),
            recording: recording.clone(),
            rings: rings_in,
        };
        let parts = Parts {
            runtime: runtime.clone(),
            transport: transport(plan, peer, (seed, index), world, recording),
            devices: Arc::new(build::devices(peer, runtime)),
            observer: Arc::new(observer),
        };
        let engine = Engine::start(settings, parts);
        let user = tokio::spawn(user::answer_rings(engine.clone(), peer.on_ring, rings));
        Self {
            engine: Program::Calls(engine),
            user: Some(user),
            baseline: Baseline::default(),
            gauges,
            recovers,
        }
    }
}

/// A candidate as another app would send it: without the generation that ours name.
fn foreign_candidate(address: SocketAddr) -> Message {
    let (ip, port) = (address.ip(), address.port());
    Message::Candidate(Candidate {
        candidate: format!("candidate:1 1 udp 1694498815 {ip} {port} typ srflx raddr 0.0.0.0 rport 0"),
        sdp_mid: Some("0".to_owned()),
        sdp_mline_index: Some(0),
        ..Candidate::default()
    })
}

/// What somebody does who takes part in calls of several.
fn acts_in_room(
    mesh: &Mesh,
    action: &Action,
    peer: &mut PeerOnStage,
    rooms: &mut Rooms,
    world: &World,
    recording: &Recording,
) {
    match action {
        Action::Join { peer: name, room } => {
            peer.baseline = Baseline::of(world, name, &peer.gauges);
            mesh.join(room.as_str(), rooms.join(room, name));
        }
        Action::Leave { peer: name } => {
            rooms.leave(name);
            let observer =
                RoomObserver { name: name.clone(), world: world.clone(), recording: recording.clone() };
            room::leave(mesh, peer.baseline, observer, peer.gauges.clone());
        }
        Action::SetAudio { state, .. } => mesh.set_enabled(MediaKind::Audio, enabled(*state)),
        Action::SetVideo { state, .. } => mesh.set_enabled(MediaKind::Video, enabled(*state)),
        other => {
            let what = format!("a peer in a call of several cannot: {other}").into();
            recording.note(world.now(), other.subject(), Event::Problem { what });
        }
    }
}

fn in_call(engine: &Engine, change: &InCall) {
    match *change {
        InCall::Hold => engine.set_hold(Hold::Held),
        InCall::Resume => engine.set_hold(Hold::Resumed),
        InCall::SwitchCamera(mode) => engine.switch_camera(build::facing(mode)),
        InCall::ShareScreen => engine.share_screen(),
        InCall::StopScreen => engine.stop_screen(),
        InCall::LosePermission => engine.permission_lost(),
        InCall::SendData { .. } => unreachable!("messages are numbered where they are sent"),
    }
}

const fn channel(delivery: DeliveryWord) -> Delivery {
    match delivery {
        DeliveryWord::Ordered => Delivery::Ordered,
        DeliveryWord::Unordered => Delivery::Unordered,
    }
}

pub(super) const fn enabled(state: TrackState) -> Enabled {
    match state {
        TrackState::Enabled => Enabled::Yes,
        TrackState::Disabled => Enabled::No,
    }
}
