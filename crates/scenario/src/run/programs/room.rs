//! A mesh of engines at one peer: for calls of several.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::{Arc, PoisonError},
};

use call_engine::{Enabled, EngineEvent, Mesh, MeshEvent, MeshObserver, MeshParts, Observer, ReceivedPacket};
use netsim::World;
use stage::{BoxFuture, Command, Leftovers, Place, Program, Unsupported};
use timeline::{Event, Name};

use super::{Cast, Shared};
use crate::{
    plan::{Action, PeerPlan, Plan},
    run::{SETTLE, build, recorder::Recording, signalling::transport},
};

/// For calls of several.
pub(super) struct Room {
    mesh: Mesh,
    observer: RoomObserver,
    place: Place,
    /// What it held before it joined.
    baseline: Leftovers,
    shared: Shared,
    recovers: bool,
}

impl Room {
    pub(super) fn start(cast: &Cast<'_>, peer: &PeerPlan, place: &Place) -> Self {
        let observer = RoomObserver {
            name: peer.name.clone(),
            world: cast.world.clone(),
            recording: cast.recording.clone(),
        };
        let parts = MeshParts {
            runtime: place.runtime(),
            transport: transport(cast.plan, peer, place, None, &cast.recording),
            devices: Arc::new(build::devices(peer, place.runtime())),
            observer: Arc::new(observer.clone()),
        };
        Self {
            mesh: Mesh::start(build::engine_settings(cast.plan, peer, place), parts),
            observer,
            place: place.clone(),
            baseline: Leftovers::default(),
            shared: cast.shared.clone(),
            recovers: peer.engine.recovery.is_some(),
        }
    }

    fn rooms<T>(&self, change: impl FnOnce(&mut Rooms) -> T) -> T {
        change(&mut self.shared.rooms.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Leaves, and looks a little later at what is left.
    fn leave(&self) {
        self.rooms(|rooms| rooms.leave(self.place.name()));
        self.mesh.leave();
        let (place, before, observer) = (self.place.clone(), self.baseline, self.observer.clone());
        tokio::spawn(async move {
            tokio::time::sleep(SETTLE).await;
            let now = place.leftovers().unwrap_or_default();
            let left = Leftovers {
                tasks: now.tasks.saturating_sub(before.tasks),
                timers: 0,
                sockets: now.sockets.saturating_sub(before.sockets),
            };
            observer.recording.left_behind(place.name(), left);
        });
    }
}

impl Program for Room {
    fn act(&mut self, command: &Command) -> Result<(), Unsupported> {
        match command {
            Command::Join { room } => {
                self.baseline = self.place.leftovers().unwrap_or_default();
                let present = self.rooms(|rooms| rooms.join(room, self.place.name()));
                self.mesh.join(room.as_str(), present);
            }
            Command::Leave => self.leave(),
            Command::Enable(kind) => self.mesh.set_enabled(*kind, Enabled::Yes),
            Command::Disable(kind) => self.mesh.set_enabled(*kind, Enabled::No),
            other => return Err(Unsupported::by("a peer in a call of several", other)),
        }
        Ok(())
    }

    fn network_changed(&mut self, addresses: &[IpAddr]) {
        if self.recovers {
            self.mesh.network_changed(Some(build::ice_addresses(addresses)));
        }
    }

    fn stop(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(self.mesh.shut_down())
    }
}

/// Who is in which call of several: what an application's own server would know.
#[derive(Default)]
pub(super) struct Rooms {
    members: BTreeMap<String, BTreeSet<Name>>,
}

impl Rooms {
    /// `peer` joins `room`: who is in it already.
    pub(super) fn join(&mut self, room: &str, peer: &Name) -> Vec<Name> {
        let members = self.members.entry(room.to_owned()).or_default();
        let present = members.iter().cloned().collect();
        members.insert(peer.clone());
        present
    }

    /// `peer` leaves.
    pub(super) fn leave(&mut self, peer: &Name) {
        for members in self.members.values_mut() {
            members.remove(peer);
        }
    }
}

/// Whether `peer` takes part in calls of several.
pub(super) fn joins(plan: &Plan, peer: &Name) -> bool {
    plan.steps.iter().any(|step| {
        matches!(&step.action, Action::Command { peer: joins, command: Command::Join { .. } } if joins == peer)
    })
}

/// One participant's observer.
#[derive(Clone)]
struct RoomObserver {
    name: Name,
    world: World,
    recording: Recording,
}

impl MeshObserver for RoomObserver {
    fn pair(&self, remote: &Name) -> Arc<dyn Observer> {
        let pair = Name::from(format!("{}/{remote}", self.name).as_str());
        Arc::new(PairObserver { room: self.clone(), remote: remote.clone(), pair })
    }

    fn on_event(&self, event: MeshEvent) {
        let what = match event {
            MeshEvent::Joined { room } => {
                self.recording.in_room(&self.name, true);
                format!("is in {room}")
            }
            MeshEvent::Left { room } => {
                self.recording.in_room(&self.name, false);
                format!("has left {room}")
            }
            MeshEvent::PairStarted { remote } => format!("a pair with {remote}"),
            MeshEvent::PairEnded { remote } => format!("no pair with {remote} any more"),
            MeshEvent::Problem { what } => {
                return self.recording.note(
                    self.world.now(),
                    &self.name,
                    Event::Problem { what: what.into() },
                );
            }
            _ => return,
        };
        self.recording.note(self.world.now(), &self.name, Event::Note { what: what.into() });
    }
}

/// The observer of one pair.
struct PairObserver {
    room: RoomObserver,
    remote: Name,
    /// `PEER/REMOTE`.
    pair: Name,
}

impl Observer for PairObserver {
    fn on_event(&self, event: EngineEvent) {
        let RoomObserver { name, world, recording } = &self.room;
        recording.pair_event(world.now(), name, &self.pair, event);
    }

    fn on_packet_received(&self, packet: ReceivedPacket) {
        let RoomObserver { name, world, recording } = &self.room;
        recording.packet(world.now(), name, &self.remote, packet);
    }
}
