//! What peers run: the call engine, a mesh of engines in calls of several, the calls of the API that a script makes, or
//! a program of the user's.

mod call;
mod room;
mod scripted;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use netsim::{UnknownHost, World};
use stage::{Journal, Place, Program, Surroundings};
use timeline::{Name, nearest};

use self::{
    call::Call,
    room::{Room, Rooms},
    scripted::{Exchange, Scripted},
};
use super::{build, ice_servers, outside::Outside, recorder::Recording, script::SceneError};
use crate::plan::{PeerPlan, Plan};

/// Starts a program at a place.
type Start = Arc<dyn Fn(Place) -> Box<dyn Program> + Send + Sync>;

/// Programs for peers, by the name of the peer or the name that a scenario gives in `program = "…"`.
#[derive(Clone, Default)]
pub struct Programs {
    by_name: BTreeMap<Name, Start>,
}

impl Programs {
    /// None: every peer runs the call engine.
    pub const fn new() -> Self {
        Self { by_name: BTreeMap::new() }
    }

    /// Adds a program. `start` is called once for each run, on the run's own thread, for each peer that has it.
    #[must_use]
    pub fn with<P: Program + 'static>(
        mut self,
        name: impl Into<Name>,
        start: impl Fn(Place) -> P + Send + Sync + 'static,
    ) -> Self {
        self.by_name.insert(name.into(), Arc::new(move |place| Box::new(start(place))));
        self
    }

    /// Whether `peer` runs one of them.
    pub(super) fn run_at(&self, peer: &PeerPlan) -> bool {
        let named = peer.program.as_deref().is_some_and(|program| self.by_name.contains_key(program));
        named || self.by_name.contains_key(&peer.name)
    }

    /// The one for `peer`, if it does not run one of callsim's own.
    fn of(&self, peer: &PeerPlan) -> Result<Option<&Start>, SceneError> {
        if let Some(start) = self.by_name.get(&peer.name) {
            return Ok(Some(start));
        }
        let Some(program) = &peer.program else { return Ok(None) };
        let found = self.by_name.get(program.as_str());
        found.map(Some).ok_or_else(|| SceneError::UnknownProgram {
            peer: peer.name.clone(),
            program: program.clone(),
            nearest: nearest(program, self.by_name.keys().map(Name::as_str)).map(str::to_owned),
        })
    }
}

impl fmt::Debug for Programs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.by_name.keys()).finish()
    }
}

/// What the programs of a run have in common.
pub(super) struct Cast<'p> {
    pub(super) plan: &'p Plan,
    pub(super) seed: u64,
    pub(super) world: World,
    pub(super) recording: Recording,
    pub(super) journal: Arc<dyn Journal>,
    pub(super) programs: &'p Programs,
    /// Where engines run, if not on the world's hosts.
    pub(super) outside: Option<&'p Arc<dyn Outside>>,
    shared: Shared,
}

/// What they share while they run.
#[derive(Clone, Default)]
struct Shared {
    calls: Arc<AtomicU64>,
    rooms: Arc<Mutex<Rooms>>,
    exchange: Exchange,
}

impl Shared {
    /// The next call of the script: `call-1`, `call-2`, …
    fn new_call(&self) -> String {
        format!("call-{}", self.calls.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Its newest call.
    fn present_call(&self) -> String {
        format!("call-{}", self.calls.load(Ordering::Relaxed))
    }
}

/// A program at its place.
pub(super) struct Performer {
    pub(super) program: Box<dyn Program>,
    pub(super) place: Place,
}

impl<'p> Cast<'p> {
    pub(super) fn new(
        plan: &'p Plan,
        seed: u64,
        (programs, outside): (&'p Programs, Option<&'p Arc<dyn Outside>>),
        world: &World,
        recording: &Recording,
    ) -> Self {
        let journal: Arc<dyn Journal> = Arc::new(recording.clone());
        let (world, recording) = (world.clone(), recording.clone());
        Self { plan, seed, world, recording, journal, programs, outside, shared: Shared::default() }
    }

    /// Starts what `peer`, the peer number `index` of the plan, runs.
    pub(super) fn start(&self, peer: &PeerPlan, index: u64) -> Result<Performer, SceneError> {
        let place = self.place(peer, index)?;
        let program: Box<dyn Program> = if let Some(start) = self.programs.of(peer)? {
            place.enter(|| start(place.clone()))
        } else if let Some(other) =
            self.plan.other_driven(&peer.name).filter(|_| self.plan.is_driven(&peer.name))
        {
            Box::new(Scripted::start(self, peer, other, &place))
        } else if room::joins(self.plan, &peer.name) {
            Box::new(Room::start(self, peer, &place))
        } else {
            Box::new(Call::start(self, peer, &place))
        };
        Ok(Performer { program, place })
    }

    fn place(&self, peer: &PeerPlan, index: u64) -> Result<Place, UnknownHost> {
        let others = self.plan.peers.iter().map(|other| &other.name).filter(|other| **other != peer.name);
        let surroundings = Surroundings {
            seed: self.seed,
            index,
            peers: others.cloned().collect(),
            names: ice_servers::names(self.plan),
            ice_servers: ice_servers::configuration(self.plan, peer),
            signaller: Some(build::signaller_address(self.plan, peer)),
            // Programs outside take the time that they take.
            stagger: if self.outside.is_some() { Duration::ZERO } else { self.plan.stagger },
        };
        Place::new(&self.world, &peer.name, surroundings, &self.journal)
    }
}
