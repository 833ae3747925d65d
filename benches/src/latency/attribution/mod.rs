//! What a set-up spent its time on.
//!
//! The walk begins where the later of the two sides was connected and goes back to the dial, always to what the
//! present event waited for: a packet that arrived at that instant (then on to its sender, when it was sent), or a
//! timer (then back to what had set it). What it passes is the critical path, without gaps or overlaps, so that the
//! parts always add up to the whole set-up. Things that happened beside it took no part of it.
//!
//! A packet's time is split as [`timeline::Transit`] says; what the clock rounds up to the next millisecond is a part
//! of its own. Which timer a wait was for is told by the state of the host: see [`Cause`].

mod evidence;
mod wait;

use std::{collections::BTreeMap, time::Duration};

use scenario::{
    metrics::{FirstCall, Milestones},
    plan::{Milestone, Plan},
    record::RunRecord,
};
use serde::{Deserialize, Serialize};
use timeline::{Name, PacketRecord, VirtualTime};

use evidence::Evidence;

/// What a part of a set-up was spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Packets on links, signalling or not: delay and jitter.
    Propagation,
    /// The signalling server kept a message back, or a client waited to reach it: polls, reconnects, fallback.
    Signalling,
    /// The callee had not yet answered the bell.
    Person,
    /// Until the next round of connectivity checks (RFC 8445 §14), also where a NAT let none through before; and
    /// from ICE to the first DTLS flight, which `webrtc` 0.21.1 sends on a tick of the same timer.
    CheckPacing,
    /// A pair was valid, and the controlling agent waited for a better one before it nominated (RFC 8445 §8.1.1).
    Nomination,
    /// Something was lost, and a timer had to send it again: a check, a DTLS flight (RFC 6347 §4.2.4), a TCP segment.
    Retransmission,
    /// In queues of links with a rate, and going out onto them.
    Queueing,
    /// Hosts handling messages, as their class of device does.
    Processing,
    /// Rounding up to the world's millisecond, where packets arrive.
    Clock,
    /// Our own engine and the library under it: any other wait.
    Engine,
}

impl Cause {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 10] = [
        Self::Propagation,
        Self::Signalling,
        Self::Person,
        Self::CheckPacing,
        Self::Nomination,
        Self::Retransmission,
        Self::Queueing,
        Self::Processing,
        Self::Clock,
        Self::Engine,
    ];

    /// Its words in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Propagation => "propagation",
            Self::Signalling => "signalling",
            Self::Person => "person",
            Self::CheckPacing => "check pacing",
            Self::Nomination => "nomination wait",
            Self::Retransmission => "retransmission timers",
            Self::Queueing => "queueing",
            Self::Processing => "processing",
            Self::Clock => "clock",
            Self::Engine => "engine",
        }
    }
}

/// A set-up and what it was spent on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribution {
    /// From the dial until both sides were connected.
    pub total: Duration,
    /// The critical path, oldest first: contiguous, from the dial to the end.
    pub steps: Vec<Step>,
}

/// A part of the critical path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When it began.
    pub from: VirtualTime,
    /// When it ended.
    pub to: VirtualTime,
    /// What it was.
    pub cause: Cause,
    /// Where: the host that waited or to which a packet was under way.
    pub host: Name,
    /// What ended with it, for people: `stun binding request`.
    pub what: String,
}

impl Attribution {
    /// Of the first call of a run; `None` where it was never connected on both sides.
    pub fn of(plan: &Plan, record: &RunRecord) -> Option<Self> {
        let call = FirstCall::of(plan)?;
        let connected = |side: &Name| record.peers.get(side)?.connected_at;
        let (caller_at, callee_at) = (connected(call.caller)?, connected(call.callee)?);
        let (last, end) =
            if callee_at >= caller_at { (call.callee, callee_at) } else { (call.caller, caller_at) };
        let evidence = Evidence::of(record, call);
        let mut walk = Walk { evidence: &evidence, steps: Vec::new() };
        walk.back_from(last, end);
        walk.steps.reverse();
        Some(Self { total: end.since(call.dialled), steps: walk.steps })
    }

    /// How much each cause took. Adds up to the total.
    pub fn parts(&self) -> BTreeMap<Cause, Duration> {
        self.between(VirtualTime::ZERO, VirtualTime::from_nanos(u64::MAX))
    }

    /// How much each cause took between two moments.
    pub fn between(&self, from: VirtualTime, to: VirtualTime) -> BTreeMap<Cause, Duration> {
        let mut parts: BTreeMap<Cause, Duration> = BTreeMap::new();
        for step in &self.steps {
            let took = step.to.min(to).since(step.from.max(from));
            *parts.entry(step.cause).or_default() += took;
        }
        parts.retain(|_, took| !took.is_zero());
        parts
    }

    /// How much each cause took in each phase: from the milestone before it, or the dial, to this one. A phase that
    /// was over before an earlier one is left out.
    pub(crate) fn by_phase(&self, milestones: &Milestones) -> BTreeMap<Milestone, BTreeMap<Cause, Duration>> {
        let mut begin = self.steps.first().map_or(VirtualTime::ZERO, |step| step.from);
        let mut phases = BTreeMap::new();
        for phase in super::PHASES {
            let Some(end) = milestones.at(phase, None).filter(|end| *end > begin) else { continue };
            phases.insert(phase, self.between(begin, end));
            begin = end;
        }
        phases
    }
}

/// What a wait or a packet led to.
#[derive(Clone, Copy, Debug)]
enum Effect<'a> {
    /// A side was connected.
    Connected,
    /// A packet was sent.
    Sent(&'a PacketRecord),
    /// A STUN or TURN server answered a packet or passed it on.
    Relayed(&'a PacketRecord),
}

struct Walk<'a> {
    evidence: &'a Evidence<'a>,
    steps: Vec<Step>,
}

impl<'a> Walk<'a> {
    fn back_from(&mut self, host: &'a Name, end: VirtualTime) {
        let (mut host, mut now, mut effect) = (host, end, Effect::Connected);
        let mut seen = None;
        while now > self.evidence.dialled {
            if let Some((place, packet)) = self.evidence.cause_at(host, now, effect, seen) {
                self.packet(packet, now);
                (host, now, effect, seen) =
                    (&packet.from_host, packet.at, self.evidence.sending(packet), Some(place));
                continue;
            }
            let wait = wait::of(self.evidence, host, now, effect);
            let since = wait.since.max(self.evidence.dialled).min(now);
            // A wait always goes back in time; where nothing is known, to the dial.
            let since = if since == now { self.evidence.dialled } else { since };
            self.step(since, now, wait.cause, host, effect);
            (now, effect, seen) = (since, wait.effect, None);
        }
    }

    /// The parts of a packet's way, the last first. What lies before the dial is cut off.
    fn packet(&mut self, packet: &'a PacketRecord, now: VirtualTime) {
        let Some(arrived) = packet.arrived_at() else { return };
        let host = packet.to_host.as_ref().unwrap_or(&packet.from_host);
        let transit = packet.transit;
        let parts = [
            (Cause::Clock, now.since(arrived)),
            (Cause::Processing, micros(transit.processing_us)),
            (Cause::Propagation, micros(transit.propagation_us())),
            (Cause::Queueing, micros(transit.queued_us)),
            (Cause::Retransmission, micros(transit.held_us)),
        ];
        let mut to = now;
        for (cause, took) in parts {
            let from = VirtualTime::from(to.elapsed().saturating_sub(took)).max(self.evidence.dialled);
            self.step(from, to, cause, host, Effect::Sent(packet));
            to = from;
        }
    }

    fn step(&mut self, from: VirtualTime, to: VirtualTime, cause: Cause, host: &Name, effect: Effect<'_>) {
        if from < to {
            let what = match effect {
                Effect::Connected => "connected".to_owned(),
                Effect::Sent(packet) | Effect::Relayed(packet) => packet.protocol.to_string(),
            };
            self.steps.push(Step { from, to, cause, host: host.clone(), what });
        }
    }
}

fn micros(us: u32) -> Duration {
    Duration::from_micros(us.into())
}
