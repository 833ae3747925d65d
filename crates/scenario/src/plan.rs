//! What is to be played: a scenario file after it was read, checked and completed with its defaults.
//!
//! Plain data. A plan says who takes part, over which network, what happens when, and what must hold;
//! it does not say how a world is built from it (`run` does).
//!
//! Invariants (held by [`crate::format`], assumed everywhere else):
//! - at least two peers, with different names and addresses; the signaller's address is another one;
//! - every name in a step or an expectation belongs to a peer, or is [`Plan::SIGNALLER`] where a host
//!   is meant;
//! - steps are in time order, at least one of them dials or sets a local description, and the last lies before the
//!   deadline;
//! - either no peer makes calls of the API by itself, or two do, and those do nothing else.

mod api;
mod expect;
mod guard;
mod network;
mod peer;
mod signaller;
mod step;
mod vocabulary;

use std::{path::PathBuf, time::Duration};

use call_engine::Guards;
use timeline::Name;

pub use self::{
    api::{ApiCall, LocalWord},
    expect::{
        AlwaysOn, CountRange, DataExpect, DurationRange, Expect, FlowExpect, MediaExpect, Milestone,
        MilestoneBound, Outcome, PeerExpect, RateBand, Reached, Sequence, StateRef, StatisticsExpect,
        WayTaken,
    },
    guard::GuardPlan,
    network::{
        Access, Attachment, Connections, Correlation, CredentialKind, CredentialPolicy, DEFAULT_ACCESS,
        Dependence, Ending, Firewall, Gateway, GilbertElliott, Hairpinning, Half, Handover, IceServerKind,
        IceServerPlan, IceTransportPolicy, LinkModel, Liveness, Mood, NatConfig, PortAllocation, PortRange,
        PortSupply, Probability, QueueLimit, Rate, Refresh, Reordering, Schedule, Spread, TailIndex,
        Transition, TurnCredentials,
    },
    peer::{
        Codecs, Crypto, Device, EnginePlan, FacingMode, MediaPlan, OnRing, PeerPlan, Permission, VideoPlan,
    },
    signaller::{
        Admission, DelayPlan, FaultsPlan, FaultyMessage, MessageKind, SignalingPlan, SignallerPlan,
        StoreFate, TokenHeld, TransportPlan,
    },
    step::{Action, InCall, SignallerChange, Step, TrackState},
    vocabulary::{
        CredentialsWord, DependenceWord, FirewallKind, LivenessWord, NatKind, PathWord, PortSupplyWord,
        PortsWord, RefreshWord, TcpWord,
    },
};
pub use timeline::{Delivery as DeliveryWord, MediaKind};

/// One scenario, ready to be played with any seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Path under `scenarios/` without `.toml`, with `/` between its parts: `happy/host-candidates`.
    pub name: String,
    /// The file it was read from, `None` for a plan made in memory.
    pub file: Option<PathBuf>,
    /// One sentence for people: who, on which network, what happens.
    pub summary: String,
    /// The virtual time at which the world is stopped if it has not come to its end.
    pub deadline: Duration,
    /// How many events the world may release before it is stopped.
    pub event_budget: u64,
    /// How many seeds are played if nobody asks for another number: 1, 2, … `seeds`.
    pub seeds: u32,
    /// The peers in the order of the file; at least two.
    pub peers: Vec<PeerPlan>,
    /// The signalling server.
    pub signaller: SignallerPlan,
    /// NATs and firewalls. Those of one peer alone are called `PEER/gateway`.
    pub gateways: Vec<Gateway>,
    /// STUN and TURN servers.
    pub ice_servers: Vec<IceServerPlan>,
    /// The guards of all engines; off only where a test wants to see what one is good for.
    pub guards: Guards,
    /// The guard that the scenario is about, if it is about one.
    pub guard: Option<GuardPlan>,
    /// What happens when, in time order.
    pub steps: Vec<Step>,
    /// What must hold.
    pub expect: Expect,
}

impl Plan {
    /// The name of the signalling server's host.
    pub const SIGNALLER: &'static str = "signaller";
    /// Who a change of the network belongs to in timelines, and the key of such steps.
    pub const NETWORK: &'static str = "network";
    /// The virtual deadline where a file gives none.
    pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(60);
    /// The event budget where a file gives none: some ten times what a minute of audio and video takes.
    pub const DEFAULT_EVENT_BUDGET: u64 = 5_000_000;
    /// The number of seeds where neither file nor command line gives one.
    pub const DEFAULT_SEEDS: u32 = 20;

    /// The peer of this name.
    pub fn peer(&self, name: &Name) -> Option<&PeerPlan> {
        self.peers.iter().find(|peer| peer.name == *name)
    }

    /// The first call that the script makes: when, who dials, who is called.
    ///
    /// Milestones are measured from its moment, and the outcome of a run is the outcome of this call.
    pub fn first_dial(&self) -> Option<(Duration, &Name, &Name)> {
        self.steps.iter().find_map(|step| match &step.action {
            Action::Dial { peer, to } => Some((step.at, peer, to)),
            Action::Api { peer, call: ApiCall::SetLocalDescription(_) } => {
                Some((step.at, peer, self.other_driven(peer)?))
            }
            _ => None,
        })
    }

    /// Whether this peer has no engine: its application makes each call of the API by itself.
    pub fn is_driven(&self, peer: &Name) -> bool {
        self.driven().any(|name| name == peer)
    }

    /// The other one of the two peers whose applications make each call of the API by themselves.
    pub fn other_driven(&self, peer: &Name) -> Option<&Name> {
        self.driven().find(|name| *name != peer)
    }

    fn driven(&self) -> impl Iterator<Item = &Name> {
        self.steps.iter().filter_map(|step| match &step.action {
            Action::Api { peer, .. } => Some(peer),
            _ => None,
        })
    }
}
