//! `[expect]`: what must hold.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::{
    CallState, ConnectionState, Duration, EndReason, GatheringState, IceState, OneOrMore, Probability,
    SignalingState, Text,
};
use crate::plan::{AlwaysOn, Milestone, Outcome, PathWord, WayTaken};

/// What must hold in every run, and over all of them.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Expect {
    /// How the first call may come out.
    outcome: Option<OneOrMore<Outcome>>,
    /// Over which candidates the first call may go, by what each side knows the other: `relay` where one of
    /// them is relayed, else `prflx`, `srflx` or `host`; `none` where it is not connected.
    path: Option<OneOrMore<PathWord>>,
    /// What must hold for single peers.
    peers: Option<BTreeMap<String, PeerExpect>>,
    /// When the call reaches its milestones, measured from the first dial.
    milestones: Option<Milestones>,
    /// Which media flows, and when.
    media: Option<Vec<MediaExpect>>,
    /// Which messages arrive on data channels.
    data: Option<Vec<DataExpect>>,
    /// How many offers all peers together send.
    offers: Option<Count>,
    /// How often connections are recovered, counted at all peers together.
    recoveries: Option<Count>,
    /// How long each recovery takes, from the loss of a connection, or the fault of the network up to 10 s
    /// before it, until the connection stands again. There must be one.
    recovery_time: Option<DurationRange>,
    /// How many candidates all peers together hold back until the remote description is there.
    held_candidates: Option<Count>,
    /// How often all peers together say that they have no more candidates.
    candidate_ends: Option<Count>,
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
pub(super) struct PeerExpect {
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
    /// What the samples of its statistics say.
    statistics: Option<StatisticsExpect>,
}

/// What samples of statistics say.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct StatisticsExpect {
    /// How many there are.
    samples: Option<Count>,
    /// Each that was measured lies in this range.
    round_trip_time: Option<DurationRange>,
    /// What arrives in the median of the samples, in thousands of bits a second.
    received_kbps: Option<Count>,
    /// How many RTP packets the last sample says were lost.
    lost: Option<Count>,
}

/// Which messages of one data channel arrive: `{ ordered = "caller to callee", messages = 20 }`. Those of the
/// ordered one arrive in order, and none arrives twice.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct DataExpect {
    /// From whom to whom on the ordered channel.
    ordered: Option<Pair>,
    /// From whom to whom on the unordered channel.
    unordered: Option<Pair>,
    /// How many arrive. Default: at least one.
    messages: Option<Count>,
    /// How many the sender's engine refuses because too many wait, or they are too long.
    refused: Option<Count>,
    /// The most bytes that the sender has handed to the channel and not seen acknowledged.
    buffered: Option<Count>,
    /// The last one arrives before this moment of the run.
    before: Option<Duration>,
}

/// A pair such as `caller to callee`.
#[derive(JsonSchema)]
pub(super) struct Pair(#[schemars(regex(pattern = r"^\S+ to \S+$"))] String);

/// Bounds by milestone.
#[derive(JsonSchema)]
#[schemars(transparent)]
pub(super) struct Milestones(BTreeMap<Milestone, DurationRange>);

/// Bands by outcome.
#[derive(JsonSchema)]
#[schemars(transparent)]
pub(super) struct Rates(BTreeMap<Outcome, RateBand>);

/// Reasons by check.
#[derive(JsonSchema)]
#[schemars(transparent)]
pub(super) struct Waive(BTreeMap<AlwaysOn, Text>);

/// Not earlier or shorter than this, not later or longer than that. What is measured must come to pass.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, extend("minProperties" = 1))]
pub(super) struct DurationRange {
    /// Not earlier or shorter than this.
    at_least: Option<Duration>,
    /// Not later or longer than this.
    at_most: Option<Duration>,
}

/// Fractions of the runs.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, extend("minProperties" = 1))]
pub(super) struct RateBand {
    /// Not less than this. Default: 0%.
    at_least: Option<Probability>,
    /// Not more than this. Default: 100%.
    at_most: Option<Probability>,
}

/// A number, or bounds for it.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum Count {
    Exactly(u64),
    Range(CountRange),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, inline, extend("minProperties" = 1))]
pub(super) struct CountRange {
    /// The least.
    at_least: Option<u64>,
    /// The most.
    at_most: Option<u64>,
}

/// Which way media of one kind flows: `{ video = "none", before = "3s" }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct MediaExpect {
    /// `both-ways`, `none`, or pairs such as `caller to callee` and no others.
    audio: Option<OneOrMore<Flow>>,
    /// `both-ways`, `none`, or pairs such as `caller to callee` and no others.
    video: Option<OneOrMore<Flow>>,
    /// Only packets that arrive at this moment of the run or later count; a multiple of 100 ms.
    after: Option<Duration>,
    /// Only packets that arrive before this moment of the run count; a multiple of 100 ms.
    before: Option<Duration>,
}

/// `both-ways`, `none`, a pair such as `caller to callee`, or all pairs `among alice, bob, carol`.
#[derive(JsonSchema)]
pub(super) struct Flow(#[schemars(regex(pattern = r"^(both-ways|none|\S+ to \S+|among \S.*)$"))] String);

/// States of machines, of one peer or of any: `{ peer = "caller", connection = "failed" }`.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct States {
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
