//! What one run yields: everything that checks, metrics and reports read, and nothing that they do not.

mod flows;
mod signalling;

use std::{collections::BTreeMap, time::Duration};

use netsim::{Escape, Lateness};
use timeline::{
    CallState, CandidateRef, Delivery, Digest, EndReason, MediaKind, Name, Timeline, VirtualTime, words,
};

pub use self::flows::{DataFlow, DataSent, StatisticsSample};
pub use self::signalling::{Fate, MessageRecord, PeerSignalling, SignallingRecord};
pub use stage::Leftovers;
pub use timeline::CandidateType;

/// What one run of one plan with one seed yielded.
#[derive(Clone, Debug)]
pub struct RunRecord {
    /// The seed.
    pub seed: u64,
    /// Why the world stopped.
    pub end: WorldEnd,
    /// What happened, in order.
    pub timeline: Timeline,
    /// The digest of all packets.
    pub digest: Digest,
    /// The virtual time at which the world stopped.
    pub elapsed: VirtualTime,
    /// Processor time of the world's thread, where it can be read. Differs from run to run: no part of
    /// what is promised to be equal.
    pub cpu: Option<Duration>,
    /// What became of each peer.
    pub peers: BTreeMap<Name, PeerRecord>,
    /// What became of each signalling message.
    pub signalling: SignallingRecord,
    /// What each host still held when the world stopped.
    pub leftovers: BTreeMap<Name, Leftovers>,
    /// Which calls went past the world to the machine, or would have.
    pub escapes: Vec<Escape>,
    /// The steps of the script that a program did not know.
    pub not_understood: Vec<NotUnderstood>,
    /// How late the machine was with packets, in a run in real time.
    pub lateness: Option<Lateness>,
    /// The relay's log, one JSON object a line, where it was kept.
    pub relay_log: Option<String>,
    /// What is in each packet of the timeline, in the same order, where it was kept; else nothing.
    pub payloads: Vec<Box<[u8]>>,
}

/// A step of the script that a peer's program did not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotUnderstood {
    /// When it was to be carried out.
    pub at: VirtualTime,
    /// By whom.
    pub peer: Name,
    /// What the program answered.
    pub what: String,
}

words! {
    /// Why a world stopped.
    pub enum WorldEnd {
        /// Everybody was done.
        Finished = "finished",
        /// The virtual deadline came first.
        Deadline = "deadline",
        /// The event budget was used up.
        EventBudget = "event-budget",
        /// Nothing was left that could happen, yet tasks were waiting.
        Stalled = "stalled",
        /// A program called the machine instead of the world.
        Escaped = "escaped",
    }
}

/// What became of one peer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerRecord {
    /// The state of its call at the end.
    pub call_state: CallState,
    /// Why its last call ended; `None` while none has.
    pub end_reason: Option<EndReason>,
    /// When its call's state first became `connected`.
    pub connected_at: Option<VirtualTime>,
    /// The media that arrived, by sender and kind.
    pub received: BTreeMap<(Name, MediaKind), MediaFlow>,
    /// How many media packets it sent, by kind.
    pub sent: BTreeMap<MediaKind, u64>,
    /// The messages of data channels that arrived, by sender and channel.
    pub data_received: BTreeMap<(Name, Delivery), DataFlow>,
    /// The messages that it was told to send on data channels.
    pub data_sent: BTreeMap<Delivery, DataSent>,
    /// The samples of its statistics, in order.
    pub statistics: Vec<StatisticsSample>,
    /// What became of ICE candidates.
    pub candidates: CandidateCounts,
    /// The candidate pair that ICE selected, the last if there were several.
    pub pair: Option<CandidatePair>,
    /// How often its connection was recovered.
    pub recoveries: u64,
    /// How many offers it sent.
    pub offers_sent: u64,
    /// How many answers it sent.
    pub answers_sent: u64,
    /// Local tracks that were not stopped at the end.
    pub tracks_live: usize,
    /// What was left of a call of several some time after it was left, each time.
    pub left_behind: Vec<Leftovers>,
}

/// Media of one kind from one peer as it arrived at another, decrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MediaFlow {
    /// Complete frames (for audio: packets).
    pub frames: u64,
    /// Packets.
    pub packets: u64,
    /// When the first packet arrived.
    pub first: Option<VirtualTime>,
    /// When the last packet arrived.
    pub last: Option<VirtualTime>,
    buckets: BTreeMap<u64, u64>,
}

impl MediaFlow {
    /// The grain in which arrivals are kept, and of the moments in [`MediaFlow::packets_between`].
    pub const BUCKET: Duration = Duration::from_millis(100);

    /// Counts one packet that arrived at `at`. Packets arrive in time order.
    pub fn packet(&mut self, at: VirtualTime) {
        self.packets += 1;
        self.first.get_or_insert(at);
        self.last = Some(at);
        *self.buckets.entry(bucket(at.elapsed())).or_default() += 1;
    }

    /// Counts one complete frame.
    pub fn frame(&mut self) {
        self.frames += 1;
    }

    /// Packets that arrived at `after` or later and before `before`, `None` meaning no limit.
    ///
    /// Exact for multiples of [`Self::BUCKET`]; other moments are rounded down to one.
    pub fn packets_between(&self, after: Option<Duration>, before: Option<Duration>) -> u64 {
        let first = after.map_or(0, bucket);
        let end = before.map_or(u64::MAX, bucket);
        if first >= end {
            return 0;
        }
        self.buckets.range(first..end).map(|(_, count)| count).sum()
    }
}

fn bucket(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_nanos() / MediaFlow::BUCKET.as_nanos()).unwrap_or(u64::MAX)
}

/// What became of ICE candidates at one peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CandidateCounts {
    /// Found by the local agent.
    pub gathered: u64,
    /// Sent to the other side.
    pub sent: u64,
    /// Received from the other side.
    pub received: u64,
    /// Of those: came before the remote description and had to wait.
    pub held: u64,
    /// Of those received: taken by `addIceCandidate`.
    pub applied: u64,
    /// Of those received: refused by `addIceCandidate`.
    pub rejected: u64,
}

/// The types of a selected candidate pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CandidatePair {
    /// Of the local candidate.
    pub local: CandidateType,
    /// Of the remote candidate, as this side knows it.
    pub remote: CandidateType,
}

impl CandidatePair {
    /// Of these candidates.
    pub const fn of(local: &CandidateRef, remote: &CandidateRef) -> Self {
        Self { local: local.kind, remote: remote.kind }
    }

    /// The pair in one word, that of the candidate which lies furthest from the host: a relayed one goes
    /// before a reflexive one, and what a peer saw before what a server saw.
    pub fn worst(self) -> CandidateType {
        let rank = |kind: &CandidateType| match kind {
            CandidateType::Host => 0,
            CandidateType::ServerReflexive => 1,
            CandidateType::PeerReflexive => 2,
            CandidateType::Relayed => 3,
        };
        std::cmp::max_by_key(self.local, self.remote, rank)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_are_counted_from_one_moment_to_before_another() {
        let mut flow = MediaFlow::default();
        for ms in [0, 99, 100, 250, 299, 300] {
            flow.packet(VirtualTime::from_millis(ms));
        }
        let ms = Duration::from_millis;
        assert_eq!(flow.packets_between(None, None), 6);
        assert_eq!(flow.packets_between(Some(ms(100)), None), 4);
        assert_eq!(flow.packets_between(Some(ms(100)), Some(ms(300))), 3);
        assert_eq!(flow.packets_between(None, Some(ms(100))), 2);
        assert_eq!(flow.packets_between(Some(ms(300)), Some(ms(100))), 0);
        assert_eq!((flow.first, flow.last), (Some(VirtualTime::ZERO), Some(VirtualTime::from_millis(300))));
    }
}
