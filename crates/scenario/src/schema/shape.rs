//! The shape of a scenario file, written down for its schema only: nothing is ever deserialised into
//! these types. Their comments are what an editor shows.

#![allow(dead_code, reason = "the types are read by the schema generator, their fields by nobody")]

mod signalling;

use std::{borrow::Cow, collections::BTreeMap};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use timeline::Machine;

use self::signalling::{Signaling, Signaller, SignallerAction};
use crate::{
    format::states_known,
    plan::{AlwaysOn, Codecs, Crypto, Device, FacingMode, Milestone, Outcome, Permission, WayTaken},
    record::END_REASONS,
};

/// A scripted call: who takes part, over which network, what happens when, and what must hold.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, title = "callsim scenario")]
pub(super) struct Scenario {
    /// The version of this format.
    version: u64,
    /// One sentence for people: who, on which network, what happens.
    summary: Text,
    /// The virtual time at which a run is stopped. Default: 60s.
    deadline: Option<Duration>,
    /// How many events a run may take. Default: 5 000 000.
    #[schemars(range(min = 1, max = 1_000_000_000))]
    event_budget: Option<u64>,
    /// How many seeds are played by default. Default: 20.
    #[schemars(range(min = 1, max = 100_000))]
    seeds: Option<u32>,
    /// The peers by name, at least two. Their order gives their addresses: 10.0.0.1, 10.0.0.2, …
    #[schemars(extend("minProperties" = 2))]
    peers: BTreeMap<String, Peer>,
    /// The signalling server.
    signaller: Option<Signaller>,
    /// What happens when, in time order; at least one step dials.
    #[schemars(length(min = 1))]
    steps: Vec<Step>,
    /// What must hold.
    expect: Expect,
}

/// A text that says something.
#[derive(JsonSchema)]
#[schemars(inline)]
struct Text(#[schemars(length(min = 1))] String);

/// A duration: `250ms`, `2s`, `1s 500ms`, `1m`; at most 24h.
#[derive(JsonSchema)]
struct Duration(#[schemars(regex(pattern = r"^\s*[0-9]"))] String);

/// A probability: `"5%"`, or a number from 0 to 1.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Probability {
    PerCent(#[schemars(regex(pattern = r"^\s*[0-9]+(\.[0-9]+)?\s*%$"))] String),
    Fraction(#[schemars(range(min = 0.0, max = 1.0))] f64),
}

/// One, or a list of several.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
enum OneOrMore<T> {
    One(T),
    More(Vec<T>),
}

/// A peer: its machine, its network, its media and its user.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct Peer {
    /// Its address, IPv4 or IPv6. Default: 10.0.0.N for the N-th peer.
    address: Option<String>,
    /// Its way into the network. Default: 10 ms each way.
    link: Option<Link>,
    /// How fast its machine is. Default: laptop.
    device: Option<Device>,
    /// Which tracks it brings; `voice` has a video track that is disabled. Default: audio-video.
    media: Option<Media>,
    /// What `getUserMedia` answers. Default: granted.
    permission: Option<Permission>,
    /// What its user does when it rings. Default: accept.
    on_ring: Option<OnRing>,
    /// How long a call may ring. Default: 30s.
    ring_timeout: Option<Duration>,
    /// How long an accepted call may take to connect. Default: 30s.
    connect_timeout: Option<Duration>,
    /// Which codecs it offers. Default: opus-vp8.
    codecs: Option<Codecs>,
    /// Where its cryptography comes from. Default: ring.
    crypto: Option<Crypto>,
    /// Video frames per second. Default: 30.
    #[schemars(range(min = 1, max = 120))]
    frame_rate: Option<u32>,
    /// Which camera it asks for. Default: user.
    facing_mode: Option<FacingMode>,
    /// How it reaches the signaller. Default: as `[signaller]` says, with the client's own settings.
    signaling: Option<Signaling>,
}

/// A host's way into the network. A packet meets its sender's `up`, then its receiver's `down`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct Link {
    /// How long every packet takes, each way. Default: 10ms.
    delay: Option<Duration>,
    /// How much longer a packet may take, drawn evenly. Default: 0s.
    jitter: Option<Duration>,
    /// How likely a packet is lost, each way. Default: 0%.
    loss: Option<Probability>,
    /// What differs from the host into the network.
    up: Option<Half>,
    /// What differs from the network to the host.
    down: Option<Half>,
}

/// One direction of a host's way into the network.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct Half {
    /// How long every packet takes.
    delay: Option<Duration>,
    /// How much longer a packet may take, drawn evenly.
    jitter: Option<Duration>,
    /// How likely a packet is lost.
    loss: Option<Probability>,
}

/// The tracks of a peer.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum Media {
    AudioVideo,
    Voice,
    AudioOnly,
}

/// What a user does when it rings.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum OnRing {
    AtOnce(Reaction),
    Later(Later),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum Reaction {
    Accept,
    Reject,
    Ignore,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", rename_all_fields = "kebab-case", inline)]
enum Later {
    AcceptAfter(Duration),
    RejectAfter(Duration),
}

/// A moment, and what each peer or the network does then: `caller = { dial = "callee" }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
struct Step {
    /// When, counted from the beginning of the run.
    at: Duration,
    /// What happens to the network.
    network: Option<NetworkAction>,
    /// What happens to the signalling server.
    signaller: Option<SignallerAction>,
    #[schemars(flatten)]
    peers: BTreeMap<String, PeerAction>,
}

/// What a peer does.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum PeerAction {
    Word(PeerWord),
    Table(PeerTable),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum PeerWord {
    /// Takes the call that rings.
    Accept,
    /// Declines the call that rings.
    Reject,
    /// Leaves its call; while it rings at the other end this cancels it.
    HangUp,
    /// Turns its audio track on.
    EnableAudio,
    /// Turns its audio track off.
    DisableAudio,
    /// Turns its video track on.
    EnableVideo,
    /// Turns its video track off.
    DisableVideo,
    /// Fires `negotiationneeded` though nothing needs it.
    NegotiationNeeded,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum PeerTable {
    /// Calls this peer.
    Dial(String),
    /// Fires `negotiationneeded` this many times though nothing needs it.
    NegotiationNeeded(#[schemars(range(min = 1, max = 1000))] u32),
}

/// What happens to the network. A host is a peer, or `signaller`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum NetworkAction {
    /// Nothing passes this host's link any more, either way.
    LinkDown(String),
    /// This host's link works again.
    LinkUp(String),
    /// A host's link becomes another one.
    SetLink(Box<SetLink>),
}

/// Whose link becomes which.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct SetLink {
    /// Whose.
    host: String,
    /// How long every packet takes, each way. Default: 10ms.
    delay: Option<Duration>,
    /// How much longer a packet may take, drawn evenly. Default: 0s.
    jitter: Option<Duration>,
    /// How likely a packet is lost, each way. Default: 0%.
    loss: Option<Probability>,
    /// What differs from the host into the network.
    up: Option<Half>,
    /// What differs from the network to the host.
    down: Option<Half>,
}

/// What must hold in every run, and over all of them.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct Expect {
    /// How the first call may come out.
    outcome: Option<OneOrMore<Outcome>>,
    /// What must hold for single peers.
    peers: Option<BTreeMap<String, PeerExpect>>,
    /// When the call reaches its milestones, measured from the first dial.
    milestones: Option<Milestones>,
    /// Which media flows, and when.
    media: Option<Vec<MediaExpect>>,
    /// How many offers all peers together send.
    offers: Option<Count>,
    /// How many candidates all peers together hold back until the remote description is there.
    held_candidates: Option<Count>,
    /// States that must not be entered before the run ends.
    never: Option<Vec<States>>,
    /// States that a machine must enter in this order; others may lie between them.
    sequence: Option<Vec<States>>,
    /// Checks of every scenario that this one does without, each with the reason.
    waive: Option<Waive>,
    /// How often outcomes occur. Judged where at least 20 seeds are played.
    rates: Option<Rates>,
}

/// What must hold for one peer.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct PeerExpect {
    /// The reasons for which its call may end.
    ends: Option<OneOrMore<EndReason>>,
    /// The state its call must be in at the end of the run.
    state: Option<CallState>,
    /// Whether its call is connected at some time.
    connected: Option<bool>,
    /// When it reaches its milestones, measured from the first dial.
    milestones: Option<Milestones>,
    /// The ways by which it reaches the signaller, in order; `[]` if it never does.
    ways: Option<Vec<WayTaken>>,
    /// How often it reaches the signaller again, by whatever way.
    reconnects: Option<Count>,
}

/// Bounds by milestone.
#[derive(JsonSchema)]
#[schemars(transparent)]
struct Milestones(BTreeMap<Milestone, DurationRange>);

/// Bands by outcome.
#[derive(JsonSchema)]
#[schemars(transparent)]
struct Rates(BTreeMap<Outcome, RateBand>);

/// Reasons by check.
#[derive(JsonSchema)]
#[schemars(transparent)]
struct Waive(BTreeMap<AlwaysOn, Text>);

/// Not earlier than this, not later than that. The milestone must be reached.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, extend("minProperties" = 1))]
struct DurationRange {
    /// Not earlier than this.
    at_least: Option<Duration>,
    /// Not later than this.
    at_most: Option<Duration>,
}

/// Fractions of the runs.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, extend("minProperties" = 1))]
struct RateBand {
    /// Not less than this. Default: 0%.
    at_least: Option<Probability>,
    /// Not more than this. Default: 100%.
    at_most: Option<Probability>,
}

/// A number, or bounds for it.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Count {
    Exactly(u64),
    Range(CountRange),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, inline, extend("minProperties" = 1))]
struct CountRange {
    /// The least.
    at_least: Option<u64>,
    /// The most.
    at_most: Option<u64>,
}

/// Which way media of one kind flows: `{ video = "none", before = "3s" }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct MediaExpect {
    /// `both-ways`, `none`, or pairs such as `caller to callee` and no others.
    audio: Option<OneOrMore<Flow>>,
    /// `both-ways`, `none`, or pairs such as `caller to callee` and no others.
    video: Option<OneOrMore<Flow>>,
    /// Only packets that arrive at this moment of the run or later count; a multiple of 100 ms.
    after: Option<Duration>,
    /// Only packets that arrive before this moment of the run count; a multiple of 100 ms.
    before: Option<Duration>,
}

/// `both-ways`, `none`, or a pair such as `caller to callee`.
#[derive(JsonSchema)]
struct Flow(#[schemars(regex(pattern = r"^(both-ways|none|\S+ to \S+)$"))] String);

/// States of machines, of one peer or of any: `{ peer = "caller", connection = "failed" }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct States {
    /// Whose.
    peer: Option<String>,
    /// States of the call as its user sees it.
    call: Option<OneOrMore<CallState>>,
    /// `RTCSignalingState`.
    signaling: Option<OneOrMore<SignalingState>>,
    /// `RTCIceGatheringState`.
    gathering: Option<OneOrMore<GatheringState>>,
    /// `RTCIceConnectionState`.
    ice: Option<OneOrMore<IceState>>,
    /// `RTCPeerConnectionState`.
    connection: Option<OneOrMore<ConnectionState>>,
}

/// A type whose schema is one of some words.
macro_rules! one_of {
    ($name:ident, $words:expr) => {
        struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "enum": $words })
            }
        }
    };
}

one_of!(EndReason, END_REASONS);
one_of!(CallState, states_known(Machine::Call));
one_of!(SignalingState, states_known(Machine::Signaling));
one_of!(GatheringState, states_known(Machine::Gathering));
one_of!(IceState, states_known(Machine::Ice));
one_of!(ConnectionState, states_known(Machine::Connection));
