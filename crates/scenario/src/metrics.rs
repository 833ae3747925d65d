//! What is measured of a run: how its first call came out, how long it took to stand, when each milestone was
//! reached, and how long connections that were lost took to carry again.
//!
//! All times are virtual and come in whole milliseconds, the resolution of a world's clock.

mod path;
mod recovery;

use std::{collections::BTreeMap, time::Duration};

use timeline::{
    CallState, ConnectionState, EndReason, Event, IceState, MediaKind, MessageKind, Name, Protocol, State,
    StunClass, VirtualTime,
};

pub use self::recovery::{Recovery, recoveries};
pub(crate) use self::{path::simulated_path, recovery::longest_recovery};
use crate::{
    plan::{Milestone, Outcome, Plan},
    record::{PeerRecord, RunRecord, WorldEnd},
};

/// The two sides of the first call of a script, and when it was dialled.
#[derive(Clone, Copy, Debug)]
pub struct FirstCall<'a> {
    /// When it was dialled.
    pub dialled: VirtualTime,
    /// Who dialled.
    pub caller: &'a Name,
    /// Who was called.
    pub callee: &'a Name,
}

impl<'a> FirstCall<'a> {
    /// The first call of `plan`; every plan has one.
    pub fn of(plan: &'a Plan) -> Option<Self> {
        let (at, caller, callee) = plan.first_dial()?;
        Some(Self { dialled: at.into(), caller, callee })
    }

    /// Both sides, the caller first.
    pub const fn sides(&self) -> [&'a Name; 2] {
        [self.caller, self.callee]
    }

    fn records(self, record: &RunRecord) -> Option<[&PeerRecord; 2]> {
        Some([record.peers.get(self.caller)?, record.peers.get(self.callee)?])
    }
}

/// How the first call of `plan` came out in `record`.
///
/// A world that did not come to its end by itself decides first, then whether both sides were
/// connected, then the reason for which the caller's call ended; where the caller merely hung up or
/// has none, the callee's. Where nobody dials, it is that of the room which peers joined.
pub fn outcome(plan: &Plan, record: &RunRecord) -> Outcome {
    match record.end {
        WorldEnd::Finished => {}
        WorldEnd::Deadline => return Outcome::Deadline,
        WorldEnd::EventBudget => return Outcome::EventBudget,
        WorldEnd::Stalled => return Outcome::Stalled,
        WorldEnd::Escaped => return Outcome::Escaped,
    }
    let call = FirstCall::of(plan);
    let Some((call, [caller, callee])) = call.and_then(|call| Some((call, call.records(record)?))) else {
        return outcome_of_room(record);
    };
    let reasons = [caller.end_reason, callee.end_reason];
    if caller.connected_at.is_some() && callee.connected_at.is_some() {
        return outcome_of_connected(call, record, reasons);
    }
    let telling = reasons.into_iter().flatten().find(|reason| *reason != EndReason::HungUp);
    telling.or(reasons[0]).or(reasons[1]).map_or(Outcome::Unfinished, outcome_of_reason)
}

fn outcome_of_connected(call: FirstCall<'_>, record: &RunRecord, reasons: [Option<EndReason>; 2]) -> Outcome {
    let ended_for = |reason| reasons.contains(&Some(reason));
    if ended_for(EndReason::ConnectionLost) || ended_for(EndReason::ConnectionFailed) {
        return Outcome::ConnectionLost;
    }
    if ended_for(EndReason::SignalingLost) {
        return Outcome::SignalingLost;
    }
    match MediaKind::ALL.iter().any(|kind| media_flowed_both_ways(call, record, *kind)) {
        true => Outcome::Connected,
        false => Outcome::ConnectedWithoutMedia,
    }
}

/// How a call of several came out, in which nobody dials: `connected` where some were connected and each of them
/// received media of others who were. Who was declined, since the room was full, takes nothing from it.
fn outcome_of_room(record: &RunRecord) -> Outcome {
    let connected: BTreeMap<&Name, &PeerRecord> =
        record.peers.iter().filter(|(_, peer)| peer.connected_at.is_some()).collect();
    let hears = |name: &Name, peer: &PeerRecord| {
        let from_others =
            peer.received.iter().filter(|((from, _), _)| from != name && connected.contains_key(from));
        from_others.map(|(_, flow)| flow.packets).sum::<u64>() > 0
    };
    match connected.len() {
        0 | 1 => Outcome::Unfinished,
        _ if connected.iter().all(|(name, peer)| hears(name, peer)) => Outcome::Connected,
        _ => Outcome::ConnectedWithoutMedia,
    }
}

fn media_flowed_both_ways(call: FirstCall<'_>, record: &RunRecord, kind: MediaKind) -> bool {
    let arrived = |from: &Name, at: &Name| {
        let flow = record.peers.get(at).and_then(|peer| peer.received.get(&(from.clone(), kind)));
        flow.is_some_and(|flow| flow.packets > 0)
    };
    arrived(call.caller, call.callee) && arrived(call.callee, call.caller)
}

fn outcome_of_reason(reason: EndReason) -> Outcome {
    match reason {
        EndReason::HungUp => Outcome::HungUpEarly,
        EndReason::Cancelled => Outcome::Cancelled,
        EndReason::Declined => Outcome::Rejected,
        EndReason::Busy => Outcome::Busy,
        EndReason::NoAnswer => Outcome::NoAnswer,
        EndReason::PermissionDenied => Outcome::PermissionDenied,
        EndReason::DeviceMissing => Outcome::DeviceMissing,
        EndReason::ConnectTimeout => Outcome::ConnectTimeout,
        // Lost: a side that was connected, of a call whose other side never was.
        EndReason::ConnectionFailed | EndReason::ConnectionLost => Outcome::ConnectionFailed,
        EndReason::SignalingLost => Outcome::SignalingLost,
        EndReason::NegotiationFailed | EndReason::PermissionLost | EndReason::ShutDown => Outcome::Failed,
    }
}

/// The time from the caller's dial until both sides were connected; `None` where they never were.
pub fn setup(plan: &Plan, record: &RunRecord) -> Option<Duration> {
    let call = FirstCall::of(plan)?;
    let [caller, callee] = call.records(record)?;
    Some(caller.connected_at?.max(callee.connected_at?).since(call.dialled))
}

/// When the milestones of a run were reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Milestones {
    by_peer: BTreeMap<(Milestone, Name), VirtualTime>,
    of_call: BTreeMap<Milestone, VirtualTime>,
}

impl Milestones {
    /// Those of one run.
    ///
    /// For the call as a whole, `ringing` is the callee's; `offer`, `answer` and `first-pair` are
    /// reached with the first of its sides, all others with the second.
    pub fn of(plan: &Plan, record: &RunRecord) -> Self {
        let mut milestones = Self::default();
        for (name, peer) in &record.peers {
            milestones.of_peer(name, peer, record);
        }
        if let Some(call) = FirstCall::of(plan) {
            milestones.first_pair(record);
            milestones.of_call(call);
        }
        milestones
    }

    /// When `milestone` was reached: by `peer`, or by the call as a whole if `None`.
    pub fn at(&self, milestone: Milestone, peer: Option<&Name>) -> Option<VirtualTime> {
        match peer {
            Some(peer) => self.by_peer.get(&(milestone, peer.clone())).copied(),
            None => self.of_call.get(&milestone).copied(),
        }
    }

    fn of_peer(&mut self, name: &Name, peer: &PeerRecord, record: &RunRecord) {
        let first = |state| record.timeline.first(name, state);
        let ice = [IceState::Connected, IceState::Completed].map(|state| first(State::Ice(state)));
        let media = peer.received.values().filter_map(|flow| flow.first).min();
        let reached = [
            (Milestone::Ringing, first(State::Call(CallState::Ringing))),
            (Milestone::Offer, first_message(record, name, MessageKind::Offer)),
            (Milestone::Answer, first_message(record, name, MessageKind::Answer)),
            (Milestone::IceConnected, ice.into_iter().flatten().min()),
            (Milestone::DtlsConnected, first(State::Connection(ConnectionState::Connected))),
            (Milestone::FirstMedia, media),
            (Milestone::Connected, peer.connected_at),
            (Milestone::Ended, first(State::Call(CallState::Ended(EndReason::HungUp)))),
        ];
        for (milestone, at) in reached {
            if let Some(at) = at {
                self.by_peer.insert((milestone, name.clone()), at);
            }
        }
    }

    /// The log knows when a packet was sent; that of the first answered check which arrives is what
    /// is taken.
    fn first_pair(&mut self, record: &RunRecord) {
        let answer = Protocol::Stun { class: StunClass::Success, method: 1 };
        let answers = record.timeline.packets.iter().filter(|packet| packet.protocol == answer);
        for packet in answers.filter(|packet| packet.verdict.arrived()) {
            let Some(to) = &packet.to_host else { continue };
            if record.peers.contains_key(&packet.from_host) && record.peers.contains_key(to) {
                self.by_peer.entry((Milestone::FirstPair, to.clone())).or_insert(packet.at);
            }
        }
    }

    fn of_call(&mut self, call: FirstCall<'_>) {
        for milestone in Milestone::ALL.iter().copied() {
            let [caller, callee] = call.sides().map(|side| self.at(milestone, Some(side)));
            let at = match milestone {
                Milestone::Ringing => callee,
                Milestone::Offer | Milestone::Answer | Milestone::FirstPair => {
                    [caller, callee].into_iter().flatten().min()
                }
                Milestone::IceConnected
                | Milestone::DtlsConnected
                | Milestone::FirstMedia
                | Milestone::Connected
                | Milestone::Ended => caller.zip(callee).map(|(one, other)| one.max(other)),
            };
            if let Some(at) = at {
                self.of_call.insert(milestone, at);
            }
        }
    }
}

/// When `actor` first sent or received a message of this kind.
fn first_message(record: &RunRecord, actor: &Name, wanted: MessageKind) -> Option<VirtualTime> {
    let mut own = record.timeline.entries.iter().filter(|entry| entry.actor == *actor);
    let found = own.find(|entry| match &entry.event {
        Event::MessageSent { kind, .. } | Event::MessageReceived { kind, .. } => *kind == wanted,
        _ => false,
    });
    found.map(|entry| entry.at)
}

/// A percentile by the nearest-rank method: the smallest value such that at least `percent` per cent
/// of all values are not greater. Always one of the values; `None` of none.
///
/// `sorted` is in ascending order, `percent` 1 to 100.
pub fn percentile<T: Copy>(sorted: &[T], percent: usize) -> Option<T> {
    let rank = (percent * sorted.len()).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Sketch, plan};

    #[track_caller]
    fn check(sketch: Sketch, expect: Outcome) {
        assert_eq!(outcome(&plan(""), &sketch.record()), expect);
    }

    #[test]
    fn outcomes() {
        check(Sketch::connected(), Outcome::Connected);
        check(Sketch::connected().without_media(), Outcome::ConnectedWithoutMedia);
        check(
            Sketch::connected().ends(EndReason::ConnectionLost, EndReason::HungUp),
            Outcome::ConnectionLost,
        );
        check(Sketch::connected().ends(EndReason::SignalingLost, EndReason::HungUp), Outcome::SignalingLost);
        check(Sketch::never_connected(EndReason::Declined), Outcome::Rejected);
        check(Sketch::never_connected(EndReason::NoAnswer), Outcome::NoAnswer);
        check(Sketch::never_connected(EndReason::HungUp), Outcome::HungUpEarly);
        check(
            Sketch::never_connected(EndReason::HungUp).ends(EndReason::HungUp, EndReason::ConnectTimeout),
            Outcome::ConnectTimeout,
        );
        check(Sketch::never_connected(EndReason::NegotiationFailed), Outcome::Failed);
        check(Sketch::connected().world_end(WorldEnd::Deadline), Outcome::Deadline);
        check(Sketch::connected().world_end(WorldEnd::Stalled), Outcome::Stalled);
    }

    #[test]
    fn milestones_are_of_a_peer_or_of_the_call() {
        let plan = plan("");
        let record = Sketch::connected().record();
        let milestones = Milestones::of(&plan, &record);
        let at = |milestone, peer: Option<&str>| {
            milestones.at(milestone, peer.map(Name::from).as_ref()).map(VirtualTime::as_millis)
        };
        assert_eq!(at(Milestone::Ringing, None), Some(1040));
        assert_eq!(at(Milestone::Ringing, Some("caller")), Some(1080));
        assert_eq!(at(Milestone::Offer, None), Some(1100));
        assert_eq!(at(Milestone::Offer, Some("callee")), Some(1120));
        assert_eq!(at(Milestone::FirstPair, None), Some(1210));
        assert_eq!(at(Milestone::FirstPair, Some("callee")), None);
        assert_eq!(at(Milestone::Connected, None), Some(1560));
        assert_eq!(at(Milestone::Connected, Some("caller")), Some(1540));
        assert_eq!(setup(&plan, &record), Some(Duration::from_millis(560)));
    }

    #[test]
    fn percentiles_by_nearest_rank() {
        let values: Vec<u32> = (1..=20).collect();
        assert_eq!(percentile(&values, 50), Some(10));
        assert_eq!(percentile(&values, 95), Some(19));
        assert_eq!(percentile(&values, 100), Some(20));
        assert_eq!(percentile(&[7], 1), Some(7));
        assert_eq!(percentile::<u32>(&[], 50), None);
    }
}
