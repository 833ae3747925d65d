//! Peers in calls of several: each of them is a mesh of pairs.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use call_engine::{EngineEvent, Mesh, MeshEvent, MeshObserver, Observer, ReceivedPacket};
use netsim::World;
use stage::{Gauges, Leftovers};
use timeline::{Event, Name};

use super::{SETTLE, recorder::Recording};
use crate::plan::{Action, Plan};

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
    plan.steps.iter().any(|step| matches!(&step.action, Action::Join { peer: joins, .. } if joins == peer))
}

/// One participant's observer.
#[derive(Clone)]
pub(super) struct RoomObserver {
    pub(super) name: Name,
    pub(super) world: World,
    pub(super) recording: Recording,
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

/// What a participant holds besides its pairs, to be compared with once it has left.
#[derive(Clone, Copy, Default)]
pub(super) struct Baseline {
    tasks: usize,
    sockets: usize,
}

impl Baseline {
    pub(super) fn of(world: &World, peer: &Name, gauges: &Gauges) -> Self {
        let sockets = world.open_sockets(peer).unwrap_or_default();
        Self { tasks: gauges.tasks(), sockets }
    }
}

/// Leaves, and looks a little later at what is left.
pub(super) fn leave(mesh: &Mesh, baseline: Baseline, observer: RoomObserver, gauges: Gauges) {
    mesh.leave();
    tokio::spawn(async move {
        tokio::time::sleep(SETTLE).await;
        let RoomObserver { name, world, recording } = &observer;
        let now = Baseline::of(world, name, &gauges);
        let left = Leftovers {
            tasks: now.tasks.saturating_sub(baseline.tasks),
            timers: 0,
            sockets: now.sockets.saturating_sub(baseline.sockets),
        };
        recording.left_behind(name, left);
    });
}
