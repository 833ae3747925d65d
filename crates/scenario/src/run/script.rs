//! The script inside the world: starts the servers and the peers' programs, carries out the steps, waits until all calls
//! have ended, takes everything down, and counts what is left.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use netsim::{ConfigError, LinkState, UnknownHost, World};
use stage::{Command, IceServer, IceServerError, Leftovers, Place, Program};
use thiserror::Error;
use timeline::{Event, Name};
use tokio::time::Instant;

use super::{
    SETTLE, ice_servers,
    outside::Outside,
    programs::{Cast, Performer, Programs},
    recorder::Recording,
    signalling::Server,
};
use crate::plan::{Action, Handover, IceServerPlan, Plan, Transition};

/// Why a plan could not be set up in its world.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SceneError {
    /// The plan describes a world that cannot be.
    #[error(transparent)]
    World(#[from] ConfigError),
    /// A name of the plan is not a host of its world.
    #[error(transparent)]
    UnknownHost(#[from] UnknownHost),
    /// A STUN or TURN server cannot start.
    #[error(transparent)]
    IceServer(#[from] IceServerError),
    /// A peer runs a program that the player was not given.
    #[error(
        "`{peer}` runs the program `{program}`, which this player does not have{}; \
         play it from Rust with `Player::program(\"{program}\", …)`",
        .nearest.as_ref().map(|nearest| format!(" (did you mean `{nearest}`?)")).unwrap_or_default()
    )]
    UnknownProgram {
        /// Which peer.
        peer: Name,
        /// The program that its plan names.
        program: String,
        /// The nearest name of a program that there is.
        nearest: Option<String>,
    },
}

/// Plays the plan; what every host still holds at the end.
pub(super) async fn run(
    plan: &Plan,
    seed: u64,
    programs: (&Programs, Option<&Arc<dyn Outside>>),
    world: World,
    recording: Recording,
) -> Result<BTreeMap<Name, Leftovers>, SceneError> {
    let mut scene = Scene::set(plan, seed, programs, world, recording)?;
    let over = match programs.1 {
        Some(outside) => outside.over(),
        None => Box::pin(std::future::pending()),
    };
    tokio::select! {
        biased;
        () = async {
            scene.carry_out(plan).await;
            scene.finish().await;
        } => {}
        () = over => {}
    }
    tokio::time::sleep(SETTLE).await;
    scene.take_down().await;
    tokio::time::sleep(SETTLE).await;
    Ok(scene.leftovers()?)
}

/// The resolution of a world's clock.
const MOMENT: Duration = Duration::from_millis(1);

/// Everything that takes part in a run.
struct Scene {
    world: World,
    recording: Recording,
    signaller: Server,
    /// Empty once everything is taken down.
    ice_servers: BTreeMap<Name, IceServer>,
    servers: Vec<Name>,
    programs: Running,
    places: BTreeMap<Name, Place>,
    /// Who runs a program of the user's.
    users_own: BTreeSet<Name>,
    outside: Option<Arc<dyn Outside>>,
}

/// The programs of a run. Shared with the tasks that notify one of another network; empty once they are being stopped.
#[derive(Clone, Default)]
struct Running(Arc<Mutex<BTreeMap<Name, Box<dyn Program>>>>);

impl Running {
    fn all(&self) -> MutexGuard<'_, BTreeMap<Name, Box<dyn Program>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes all of them out, to end them.
    fn take(&self) -> BTreeMap<Name, Box<dyn Program>> {
        std::mem::take(&mut self.all())
    }
}

impl Scene {
    fn set(
        plan: &Plan,
        seed: u64,
        (programs, outside): (&Programs, Option<&Arc<dyn Outside>>),
        world: World,
        recording: Recording,
    ) -> Result<Self, SceneError> {
        if let Some(outside) = outside {
            outside.begin(&world);
        }
        let signaller = Server::start(plan, &world, &recording)?;
        let cast = Cast::new(plan, seed, (programs, outside), &world, &recording);
        let start = |server: &IceServerPlan| {
            let settings = ice_servers::settings(server, &plan.peers, seed);
            Ok((server.name.clone(), IceServer::start(&world, &server.name, settings, &cast.journal)?))
        };
        let ice_servers: BTreeMap<_, _> =
            plan.ice_servers.iter().map(start).collect::<Result<_, SceneError>>()?;
        let servers = ice_servers.keys().cloned().collect();
        let (running, mut places) = (Running::default(), BTreeMap::new());
        for (index, peer) in (0..).zip(&plan.peers) {
            let Performer { program, place } = cast.start(peer, index)?;
            running.all().insert(peer.name.clone(), program);
            places.insert(peer.name.clone(), place);
            if let Some(schedule) = &peer.schedule {
                world.schedule_access(&peer.name, schedule)?;
            }
        }
        let users_own = plan.peers.iter().filter(|peer| programs.run_at(peer));
        let users_own = users_own.map(|peer| peer.name.clone()).collect();
        Ok(Self {
            world,
            recording,
            signaller,
            ice_servers,
            servers,
            programs: running,
            places,
            users_own,
            outside: outside.cloned(),
        })
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
            Action::Command { peer, .. } => (peer, Event::Action { what }),
            Action::Signaller { host, .. } => (host, Event::Fault { what }),
            Action::LinkDown { .. }
            | Action::LinkUp { .. }
            | Action::SetLink { .. }
            | Action::Handover { .. }
            | Action::SetMood { .. }
            | Action::Reboot { .. } => (&Name::new(Plan::NETWORK), Event::Fault { what }),
        };
        self.recording.note(self.world.now(), actor, event);
        match action {
            Action::Command { peer, command } => self.command(peer, command),
            Action::LinkDown { host } => self.network(self.world.set_link_state(host, LinkState::Down)),
            Action::LinkUp { host } => self.network(self.world.set_link_state(host, LinkState::Up)),
            Action::SetLink { host, access } => {
                self.network(self.world.update_access(host, |present| *present = **access));
            }
            Action::Handover { host, handover, .. } => self.hand_over(host, handover),
            Action::SetMood { server, mood } => self.server(server, |server| server.set_mood(*mood)),
            Action::Reboot { server } => self.server(server, IceServer::reboot),
            Action::Signaller { change, .. } => self.signaller.change(change),
        }
    }

    fn command(&self, peer: &Name, command: &Command) {
        let mut programs = self.programs.all();
        let Some((program, place)) = programs.get_mut(peer).zip(self.places.get(peer)) else { return };
        if let Command::Dial { to } = command {
            self.recording.told_to_dial(peer, to);
        }
        if let Err(unsupported) = place.enter(|| program.act(command)) {
            self.recording.not_understood(self.world.now(), peer, &unsupported);
        }
    }

    /// Moves a host. Its platform notifies its program as soon as the new network is there.
    fn hand_over(&self, host: &Name, handover: &Handover) {
        self.network(self.world.handover(host, handover));
        let gap = match handover.transition {
            // At one instant timers come first: the new addresses are there right after it. The engine is given them.
            Transition::Gap(gap) if self.users_own.contains(host) => gap + MOMENT,
            Transition::Gap(gap) => gap,
            Transition::Overlap(_) => Duration::ZERO,
        };
        let (programs, arrival) = (self.programs.clone(), self.world.sleep(gap));
        let (host, addresses) = (host.clone(), handover.to.addresses.clone());
        let moved = self.outside.as_ref().map(|outside| self.move_outside(outside, &host, handover));
        tokio::spawn(async move {
            arrival.await;
            if let Some(moved) = moved {
                moved.await;
            }
            if let Some(program) = programs.all().get_mut(&host) {
                program.network_changed(&addresses);
            }
        });
    }

    /// The same outside of the world: at once what the host has left, and in the end what it has then.
    fn move_outside(
        &self,
        outside: &Arc<dyn Outside>,
        host: &Name,
        handover: &Handover,
    ) -> impl Future<Output = ()> + Send + use<> {
        let new = handover.to.addresses.clone();
        let (meanwhile, after) = match handover.transition {
            Transition::Gap(_) => (Vec::new(), Duration::ZERO),
            Transition::Overlap(overlap) => {
                let old = self.world.host(host).map(|host| host.addresses()).unwrap_or_default();
                (
                    new.iter().copied().chain(old.into_iter().filter(|old| !new.contains(old))).collect(),
                    overlap,
                )
            }
        };
        let (first, last) = (outside.moves(host, meanwhile), outside.moves(host, new));
        let (world, recording) = (self.world.clone(), self.recording.clone());
        let report = move |moved: Result<(), String>| {
            if let Err(what) = moved {
                recording.note(world.now(), &Name::new(Plan::NETWORK), Event::Problem { what: what.into() });
            }
        };
        let leaving = self.world.sleep(after);
        let left = tokio::spawn(first);
        async move {
            report(left.await.unwrap_or(Ok(())));
            if after.is_zero() {
                report(last.await);
            } else {
                tokio::spawn(async move {
                    leaving.await;
                    report(last.await);
                });
            }
        }
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

    /// The script is over: waits until no program has a call any more.
    async fn finish(&self) {
        let finished: Vec<_> = self.programs.all().values_mut().map(|program| program.finished()).collect();
        for finished in finished {
            finished.await;
        }
        self.recording.all_idle().await;
    }

    /// Stops the programs, then the servers.
    async fn take_down(&mut self) {
        for program in self.programs.take().values_mut() {
            program.stop().await;
        }
        tokio::time::sleep(SETTLE).await;
        self.signaller.end();
        self.ice_servers.clear();
    }

    fn leftovers(&self) -> Result<BTreeMap<Name, Leftovers>, UnknownHost> {
        let mut left = BTreeMap::new();
        for (name, place) in &self.places {
            left.insert(name.clone(), place.leftovers()?);
        }
        for name in self.servers.iter().chain([&Name::new(Plan::SIGNALLER)]) {
            let sockets = self.world.open_sockets(name)?;
            left.insert(name.clone(), Leftovers { sockets, ..Leftovers::default() });
        }
        Ok(left)
    }
}
