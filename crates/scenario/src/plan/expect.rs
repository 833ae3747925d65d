use std::{collections::BTreeMap, fmt, time::Duration};

use timeline::{CallState, EndReason, Machine, Name, State};

use super::{Delivery, MediaKind, Path, Probability};

/// What must hold in every run, and over all runs of a scenario.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expect {
    /// How the first call may come out; any way if empty.
    pub outcomes: Vec<Outcome>,
    /// Over which candidates the first call may go; over any if empty.
    pub paths: Vec<Path>,
    /// What must hold for single peers.
    pub peers: BTreeMap<Name, PeerExpect>,
    /// When milestones are reached.
    pub milestones: Vec<MilestoneBound>,
    /// Which media flows, and when.
    pub media: Vec<MediaExpect>,
    /// Which messages arrive on data channels.
    pub data: Vec<DataExpect>,
    /// How many offers all peers together send.
    pub offers: Option<CountRange>,
    /// How often connections are recovered, counted at all peers together.
    pub recoveries: Option<CountRange>,
    /// How long each recovery takes ([`crate::metrics::recoveries`]), of which there must be one.
    pub recovery_time: Option<DurationRange>,
    /// How many candidates all peers together hold back until the remote description is there.
    pub held_candidates: Option<CountRange>,
    /// How often all peers together say that an ICE generation has no more candidates (RFC 8838 §13).
    pub candidate_ends: Option<CountRange>,
    /// States that must not be entered before the run ends.
    pub never: Vec<StateRef>,
    /// States that must be passed in an order.
    pub sequences: Vec<Sequence>,
    /// Checks of every scenario that this one does without, each with its reason.
    pub waived: BTreeMap<AlwaysOn, String>,
    /// How often outcomes occur, as a fraction of the runs of one command.
    pub rates: BTreeMap<Outcome, RateBand>,
}

/// What must hold for one peer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerExpect {
    /// The reasons for which its call may end; any if empty.
    pub ends: Vec<EndReason>,
    /// The state its call must be in when the run ends; `ended` is any end.
    pub state: Option<CallState>,
    /// Whether its call is connected at some time.
    pub connected: Option<Reached>,
    /// The ways by which it reaches the signaller, in order; any if `None`.
    pub ways: Option<Vec<WayTaken>>,
    /// How often it reaches the signaller again, by whatever way.
    pub reconnects: Option<CountRange>,
    /// What the samples of its statistics say.
    pub statistics: Option<StatisticsExpect>,
}

/// What the samples of a peer's statistics must say, as far as they say it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatisticsExpect {
    /// How many there are.
    pub samples: Option<CountRange>,
    /// Each round-trip time that was measured, and at least one was.
    pub round_trip_time: Option<DurationRange>,
    /// What arrives in the median of the samples, in bits a second.
    pub received_bps: Option<CountRange>,
    /// How many RTP packets the last sample says were lost.
    pub lost: Option<CountRange>,
}

/// Which messages of one data channel arrive. Those of the ordered one arrive in the order of sending, and
/// none of either arrives twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataExpect {
    /// Which channel.
    pub delivery: Delivery,
    /// Who sends.
    pub from: Name,
    /// Who receives.
    pub to: Name,
    /// How many arrive; any number but none if `None`.
    pub messages: Option<CountRange>,
    /// How many the sender's engine refuses because too many wait, or they are too long.
    pub refused: Option<CountRange>,
    /// The most bytes that the sender has handed to the channel and not seen acknowledged (`bufferedAmount`).
    pub buffered: Option<CountRange>,
    /// The last one arrives before this moment of the world.
    pub before: Option<Duration>,
}

/// Whether something came to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// It did.
    Yes,
    /// It did not.
    No,
}

timeline::words! {
    /// How a call came out. A run's outcome is that of its first call, see [`crate::metrics::outcome`].
    pub enum Outcome {
        /// Both sides were connected, media flowed both ways, and it ended because somebody hung up, or not
        /// at all.
        Connected = "connected",
        /// Both sides were connected, but no kind of media arrived at both.
        ConnectedWithoutMedia = "connected-without-media",
        /// Both sides were connected, and the connection broke.
        ConnectionLost = "connection-lost",
        /// The callee declined.
        Rejected = "rejected",
        /// The callee was in another call.
        Busy = "busy",
        /// Nobody took the call in time.
        NoAnswer = "no-answer",
        /// The caller gave up before the call was taken.
        Cancelled = "cancelled",
        /// The call was taken and somebody hung up before both sides were connected.
        HungUpEarly = "hung-up-early",
        /// `NotAllowedError` at either side.
        PermissionDenied = "permission-denied",
        /// `NotFoundError` at either side.
        DeviceMissing = "device-missing",
        /// Taken, but not connected in time.
        ConnectTimeout = "connect-timeout",
        /// Taken, and the connection failed before it stood.
        ConnectionFailed = "connection-failed",
        /// The way to the signaller broke before the call stood.
        SignalingLost = "signaling-lost",
        /// Ended for a reason that has no outcome of its own.
        Failed = "failed",
        /// The script's call never ended and was never connected.
        Unfinished = "unfinished",
        /// The run was stopped at its virtual deadline.
        Deadline = "deadline",
        /// The run was stopped when its event budget was used up.
        EventBudget = "event-budget",
        /// Nothing was left that could happen, yet tasks were waiting.
        Stalled = "stalled",
        /// The run was stopped because a program called the machine instead of the world.
        Escaped = "escaped",
    }
}

timeline::words! {
    /// The moments of a call that are measured, see [`crate::metrics::Milestones`].
    pub enum Milestone {
        /// The callee's bell.
        Ringing = "ringing",
        /// The offer is sent; at the other side, it arrives.
        Offer = "offer",
        /// The answer is sent; at the other side, it arrives.
        Answer = "answer",
        /// The first connectivity check between two peers is answered, and the answer arrives.
        FirstPair = "first-pair",
        /// The ICE connection state is `connected`.
        IceConnected = "ice-connected",
        /// The connection state is `connected`: ICE and DTLS are done.
        DtlsConnected = "dtls-connected",
        /// The first media packet arrives decrypted.
        FirstMedia = "first-media",
        /// The call's own state is `connected`.
        Connected = "connected",
        /// The call's own state is `ended`.
        Ended = "ended",
    }
}

/// When a milestone is reached, measured from the script's first dial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MilestoneBound {
    /// Which one. It must be reached.
    pub milestone: Milestone,
    /// At which peer; if `None`, for the call as a whole.
    pub peer: Option<Name>,
    /// When.
    pub range: DurationRange,
}

/// Which way media of one kind flows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaExpect {
    /// Of which kind.
    pub kind: MediaKind,
    /// Which way.
    pub flow: FlowExpect,
    /// Only packets that arrive at this moment of the world or later count; a multiple of 100 ms.
    pub after: Option<Duration>,
    /// Only packets that arrive before this moment of the world count; a multiple of 100 ms.
    pub before: Option<Duration>,
}

/// Which way media flows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlowExpect {
    /// Between the two sides of the first call, both ways.
    BothWays,
    /// Not at all, between no peers.
    None,
    /// From the first to the second of each pair, and between no others.
    Only(Vec<(Name, Name)>),
}

/// How long something may take; one of the bounds at least is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DurationRange {
    /// Not shorter than this.
    pub at_least: Option<Duration>,
    /// Not longer than this.
    pub at_most: Option<Duration>,
}

impl DurationRange {
    /// The bound that `found` breaks, in words.
    pub(crate) fn broken_by(self, found: Duration) -> Option<String> {
        let short = self.at_least.filter(|least| found < *least).map(|least| format!("at least {least:?}"));
        let long = self.at_most.filter(|most| found > *most).map(|most| format!("at most {most:?}"));
        short.or(long)
    }
}

/// How many there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountRange {
    /// The least.
    pub at_least: u64,
    /// The most; no limit if `None`.
    pub at_most: Option<u64>,
}

impl CountRange {
    /// Whether `count` lies in it.
    pub fn contains(self, count: u64) -> bool {
        count >= self.at_least && self.at_most.is_none_or(|most| count <= most)
    }
}

/// `exactly 1`, `at least 1`, `2 to 5`.
impl fmt::Display for CountRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at_most {
            None => write!(f, "at least {}", self.at_least),
            Some(most) if most == self.at_least => write!(f, "exactly {most}"),
            Some(most) => write!(f, "{} to {most}", self.at_least),
        }
    }
}

/// A state of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateRef {
    /// Of this peer; of any if `None`.
    pub peer: Option<Name>,
    /// The state; `ended` is any end.
    pub state: State,
}

/// States that one machine of one peer must enter in this order; others may lie between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// Whose; every peer's of the first call if `None`.
    pub peer: Option<Name>,
    /// Which machine.
    pub machine: Machine,
    /// Its states, at least one; `ended` is any end.
    pub states: Vec<State>,
}

timeline::words! {
    /// A way to the signaller, as a transport with several takes it.
    pub enum WayTaken {
        /// A WebSocket.
        WebSocket = "websocket",
        /// REST requests.
        Rest = "rest",
    }
}

timeline::words! {
    /// What is checked in every scenario unless it says why not.
    pub enum AlwaysOn {
        /// Every candidate sent while both ends of a call lived was applied, or is accounted for.
        NoCandidateLost = "no-candidate-lost",
        /// No task, timer, socket or live track is left.
        NothingLeaked = "nothing-leaked",
        /// The world came to its end by itself.
        EndedByItself = "ended-by-itself",
        /// No signalling message that an application handed over was lost, and none reached one twice or out
        /// of order, but for what the scenario itself does to it.
        SignallingExactlyOnce = "signalling-exactly-once",
    }
}

/// A range of fractions, both ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateBand {
    /// The least.
    pub at_least: Probability,
    /// The most.
    pub at_most: Probability,
}

impl RateBand {
    /// Whether `fraction` lies in it.
    pub fn contains(self, fraction: f64) -> bool {
        (self.at_least.get()..=self.at_most.get()).contains(&fraction)
    }
}

impl fmt::Display for RateBand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.at_least, self.at_most)
    }
}
