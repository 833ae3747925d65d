//! What is to be played: a scenario file after it was read, checked and completed with its defaults.
//!
//! A plan says who takes part, over which network, what happens when, and what must hold; it does not say how
//! a world is built from it (`run` does). Its parts are plain data; a [`Plan`] itself is made by its builder
//! alone, which checks that they go together.

mod builder;
mod check;
mod expect;
mod guard;
mod network;
mod peer;
mod problem;
mod signaller;
mod step;
mod vocabulary;

use std::{
    net::IpAddr,
    path::{Path as FilePath, PathBuf},
    time::Duration,
};

use call_engine::Guards;
pub use call_engine::{Codecs, Enabled, FacingMode, IceTransportPolicy, Permission};
pub use nat_oracle::Path;
pub use netsim::Escapes;
pub use stage::{ApiCall, Command, LocalWord};
use timeline::{Digest, Name};

pub(crate) use self::network::DEFAULT_ACCESS;
pub use self::{
    builder::PlanBuilder,
    expect::{
        AlwaysOn, CountRange, DataExpect, DurationRange, Expect, FlowExpect, MediaExpect, Milestone,
        MilestoneBound, Outcome, PeerExpect, RateBand, Reached, Sequence, StateRef, StatisticsExpect,
        WayTaken,
    },
    guard::GuardPlan,
    network::{
        Access, Attachment, Connections, Correlation, CredentialKind, CredentialPolicy, Dependence, Ending,
        Firewall, Gateway, GilbertElliott, Hairpinning, Half, Handover, IceServerKind, IceServerPlan,
        LinkModel, Liveness, Mood, NatConfig, PortAllocation, PortRange, PortSupply, Probability, QueueLimit,
        Rate, Refresh, Reordering, Schedule, Spread, TailIndex, Transition, TurnCredentials,
    },
    peer::{Crypto, Device, EnginePlan, MediaPlan, OnRing, PeerPlan, VideoPlan},
    problem::{Flaw, Place, Problem},
    signaller::{
        Admission, DelayPlan, FaultsPlan, SignalingPlan, SignallerPlan, StoreFate, TokenHeld, TransportPlan,
    },
    step::{Action, SignallerChange, Step},
    vocabulary::{FirewallKind, NatKind},
};
pub use timeline::{Delivery, MediaKind};

/// One scenario, ready to be played with any seed.
///
/// Invariants, which [`PlanBuilder::build`] checks:
/// - There are at least two peers. No two hosts or gateways have one name, and no two hosts one address
///   where both can be seen; every host has an address.
/// - Every name in a step, a fault or an expectation belongs to a peer, or to a host where one is meant.
/// - Steps are in time order, and the last is before the deadline. At least one of them dials, joins a call
///   of several or sets a local description, unless all peers run programs.
/// - Either no peer makes calls of the API by itself, or two do, and those do nothing else. A peer that joins
///   calls of several has no others. Only a peer that runs a program is asked to `do` something.
/// - The signaller loses power only while it has some, and wants tokens only for one call and of transports
///   that carry them.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub(crate) name: String,
    pub(crate) file: Option<PathBuf>,
    pub(crate) summary: String,
    pub(crate) deadline: Duration,
    pub(crate) event_budget: u64,
    pub(crate) seeds: u32,
    pub(crate) escapes: Escapes,
    pub(crate) stagger: Duration,
    pub(crate) peers: Vec<PeerPlan>,
    pub(crate) signaller: SignallerPlan,
    pub(crate) gateways: Vec<Gateway>,
    pub(crate) ice_servers: Vec<IceServerPlan>,
    pub(crate) guards: Guards,
    pub(crate) guard: Option<GuardPlan>,
    pub(crate) steps: Vec<Step>,
    pub(crate) expect: Expect,
}

/// A host of a plan's world.
#[derive(Clone, Debug)]
pub struct HostPlan<'a> {
    /// Its name.
    pub name: Name,
    /// Its addresses, at least one.
    pub addresses: &'a [IpAddr],
    /// Its way into the network.
    pub access: Access,
    /// How long it takes over a message.
    pub device: Device,
}

impl Plan {
    /// The name of the signalling server's host.
    pub const SIGNALLER: &'static str = "signaller";
    /// Who a change of the network belongs to in timelines, and the key of such steps.
    pub(crate) const NETWORK: &'static str = "network";
    /// The virtual deadline where a file gives none.
    pub(crate) const DEFAULT_DEADLINE: Duration = Duration::from_secs(60);
    /// The event budget where a file gives none: some ten times what a minute of audio and video takes.
    pub(crate) const DEFAULT_EVENT_BUDGET: u64 = 5_000_000;
    /// How long a program takes at most over a signalling message where a file says nothing of it. Chosen
    /// so that the seeds of
    /// `happy/host-candidates` visit the three groups of set-ups that real calls fall into as often as those do
    /// (`docs/truth.md`).
    pub const DEFAULT_STAGGER: Duration = Duration::from_micros(750);
    /// The number of seeds where neither file nor command line gives one.
    pub(crate) const DEFAULT_SEEDS: u32 = 20;

    /// Path under `scenarios/` without `.toml`, with `/` between its parts: `happy/host-candidates`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file it was read from, `None` for a plan made in memory.
    pub fn file(&self) -> Option<&FilePath> {
        self.file.as_deref()
    }

    /// One sentence for people: who, on which network, what happens.
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// The virtual time at which the world is stopped if it has not come to its end.
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// How many events the world may release before it is stopped.
    pub fn event_budget(&self) -> u64 {
        self.event_budget
    }

    /// How many seeds are played if nobody asks for another number: 1, 2, … `seeds`.
    pub fn seeds(&self) -> u32 {
        self.seeds
    }

    /// What becomes of a run in which something looked past the simulated world.
    pub fn escapes(&self) -> Escapes {
        self.escapes
    }

    /// How long each peer's program takes at most to handle a signalling message: the time is drawn for
    /// each, from zero to this, and messages that come together are handled one after the other. Zero: all
    /// at once.
    pub fn stagger(&self) -> Duration {
        self.stagger
    }

    /// The peers in the order of the file; at least two.
    pub fn peers(&self) -> &[PeerPlan] {
        &self.peers
    }

    /// The signalling server.
    pub fn signaller(&self) -> &SignallerPlan {
        &self.signaller
    }

    /// NATs and firewalls. Those of one peer alone are called `PEER/gateway`.
    pub fn gateways(&self) -> &[Gateway] {
        &self.gateways
    }

    /// STUN and TURN servers.
    pub fn ice_servers(&self) -> &[IceServerPlan] {
        &self.ice_servers
    }

    /// The guards of all engines; off only where a test wants to see what one is good for.
    pub fn guards(&self) -> Guards {
        self.guards
    }

    /// The guard that the scenario is about, if it is about one.
    pub fn guard(&self) -> Option<&GuardPlan> {
        self.guard.as_ref()
    }

    /// What happens when, in time order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What must hold.
    pub fn expect(&self) -> &Expect {
        &self.expect
    }

    /// All hosts: the peers, the signaller, then the ICE servers, each in the order of the file.
    pub fn hosts(&self) -> impl Iterator<Item = HostPlan<'_>> {
        let peers = self.peers.iter().map(|peer| HostPlan {
            name: peer.name.clone(),
            addresses: &peer.addresses,
            access: peer.access,
            device: peer.device,
        });
        let SignallerPlan { addresses, access, device, .. } = &self.signaller;
        let name = Name::new(Self::SIGNALLER);
        let signaller = HostPlan { name, addresses, access: *access, device: *device };
        let servers = self.ice_servers.iter().map(|server| HostPlan {
            name: server.name.clone(),
            addresses: &server.addresses,
            access: server.access,
            device: server.device,
        });
        peers.chain([signaller]).chain(servers)
    }

    /// The same plan with every host's way into the network changed.
    #[must_use]
    pub fn map_access(mut self, mut change: impl FnMut(&mut Access)) -> Self {
        self.peers.iter_mut().for_each(|peer| change(&mut peer.access));
        self.ice_servers.iter_mut().for_each(|server| change(&mut server.access));
        change(&mut self.signaller.access);
        self
    }

    /// The digest of what it means, wherever its file is. Another version of callsim may have another for the same file.
    pub fn digest(&self) -> Digest {
        let meaning = Self { file: None, ..self.clone() };
        let mut digest = Digest::new();
        digest.update(format!("{meaning:?}").as_bytes());
        digest
    }

    /// The peer of this name.
    pub fn peer(&self, name: &Name) -> Option<&PeerPlan> {
        self.peers.iter().find(|peer| peer.name == *name)
    }

    /// How this peer reaches the signaller.
    pub fn transport(&self, peer: &PeerPlan) -> TransportPlan {
        peer.signaling.transport.unwrap_or(self.signaller.transport)
    }

    /// Whether this peer takes part in calls of several.
    pub fn joins(&self, peer: &Name) -> bool {
        self.commands().any(|(_, joins, command)| joins == peer && matches!(command, Command::Join { .. }))
    }

    /// The nearest NAT that this host is behind: what is inside of one shares its inside addresses.
    fn nearest_nat<'a>(&'a self, host: &'a Name) -> Option<&'a Name> {
        let mut place = host;
        // No more turns than there are gateways, should they be in a circle.
        for _ in &self.gateways {
            let gateway = self.gateways.iter().find(|gateway| gateway.inside.contains(place))?;
            if gateway.nat.is_some() {
                return Some(&gateway.name);
            }
            place = &gateway.name;
        }
        None
    }

    /// The first call that the script makes: when, who dials, who is called.
    ///
    /// Milestones are measured from its moment, and the outcome of a run is the outcome of this call.
    pub fn first_dial(&self) -> Option<(Duration, &Name, &Name)> {
        self.commands().find_map(|(at, peer, command)| match command {
            Command::Dial { to } => Some((at, peer, to)),
            Command::Api(ApiCall::SetLocalDescription(_)) => Some((at, peer, self.other_driven(peer)?)),
            _ => None,
        })
    }

    /// Whether this peer has no engine: its application makes each call of the API by itself.
    pub fn is_driven(&self, peer: &Name) -> bool {
        self.driven().any(|name| name == peer)
    }

    /// The other one of the two peers whose applications make each call of the API by themselves.
    pub(crate) fn other_driven(&self, peer: &Name) -> Option<&Name> {
        self.driven().find(|name| *name != peer)
    }

    fn driven(&self) -> impl Iterator<Item = &Name> {
        let calls = self.commands().filter(|(.., command)| matches!(command, Command::Api(_)));
        calls.map(|(_, peer, _)| peer)
    }

    /// What peers are asked to do: when, who, what.
    fn commands(&self) -> impl Iterator<Item = (Duration, &Name, &Command)> {
        self.steps.iter().filter_map(|step| match &step.action {
            Action::Command { peer, command } => Some((step.at, peer, command)),
            _ => None,
        })
    }
}
