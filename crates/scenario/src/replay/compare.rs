//! Captured transitions against replayed ones.

use std::collections::BTreeMap;

use capture::{
    Outcome, Trace,
    trace::{Connection, Peer, PeerEvent},
};
use timeline::{Event, Machine, Name, VirtualTime};

use super::{Divergence, Freedom, script::Script};
use crate::record::RunRecord;

/// What a comparison comes to.
pub(super) struct Compared {
    pub(super) outcome: Outcome,
    pub(super) matched: usize,
    pub(super) captured: usize,
    pub(super) freedoms: BTreeMap<Freedom, usize>,
    pub(super) divergence: Option<Divergence>,
}

/// The machines that browsers have.
const MACHINES: [Machine; 4] = [Machine::Signaling, Machine::Gathering, Machine::Ice, Machine::Connection];

/// A state, and when it was entered on the capture's clock.
type State = (VirtualTime, String);

pub(super) fn compare(trace: &Trace, script: &Script, record: &RunRecord) -> Compared {
    let mut comparison =
        Comparison { matched: 0, captured: 0, freedoms: BTreeMap::new(), found: Vec::new(), restarts: false };
    for peer in &trace.peers {
        let Some((part, connection)) = script.part(&peer.id).zip(peer.connections.first()) else { continue };
        comparison.restarts = script.restarts_ice();
        let name = Name::new(&part.name);
        for machine in MACHINES {
            comparison.machine(peer, connection, machine, states(script, record, &name, machine), trace);
        }
        comparison.order(connection, record, &name);
    }
    let outcome = outcome(trace, script, record);
    let captured = trace.outcome();
    let gave_up = [Outcome::NeverConnected, Outcome::Failed];
    let same = captured == outcome
        || comparison.freedoms.contains_key(&Freedom::NothingToCheck)
            && gave_up.contains(&captured)
            && gave_up.contains(&outcome);
    if captured != Outcome::Unknown && !same && comparison.found.is_empty() {
        comparison.found.push(Divergence {
            peer: script.peers[0].captured.clone(),
            machine: None,
            at: trace.ended_at,
            captured: Some(captured.as_str().to_owned()),
            replayed: Some(outcome.as_str().to_owned()),
            before: Vec::new(),
        });
    }
    let Comparison { matched, captured, freedoms, found, .. } = comparison;
    let divergence = found.into_iter().min_by_key(|divergence| divergence.at);
    Compared { outcome, matched, captured, freedoms, divergence }
}

fn states(script: &Script, record: &RunRecord, peer: &Name, machine: Machine) -> Vec<State> {
    let transitions = record.timeline.transitions(peer, machine);
    transitions.map(|(at, state)| (script.in_capture(at), state.to_owned())).collect()
}

struct Comparison {
    matched: usize,
    captured: usize,
    freedoms: BTreeMap<Freedom, usize>,
    found: Vec<Divergence>,
    /// Whether ICE is restarted in the call.
    restarts: bool,
}

impl Comparison {
    fn take(&mut self, freedom: Freedom) {
        *self.freedoms.entry(freedom).or_default() += 1;
    }

    fn machine(
        &mut self,
        peer: &Peer,
        connection: &Connection,
        machine: Machine,
        replayed: Vec<State>,
        trace: &Trace,
    ) {
        let captured: Vec<State> =
            connection.transitions(machine).map(|(at, state)| (at, state.to_owned())).collect();
        self.captured += captured.len();
        let ice_moved = connection.transitions(Machine::Ice).next().is_some();
        if captured.is_empty()
            && matches!(machine, Machine::Ice | Machine::Connection)
            && nobody_gathered(trace)
        {
            if !replayed.is_empty() {
                self.take(Freedom::NothingToCheck);
            }
            return;
        }
        if captured.is_empty() && ice_moved {
            if !replayed.is_empty() {
                self.take(Freedom::MachineNotCaptured);
            }
            return;
        }
        let closed = connection.closed_at().unwrap_or(trace.ended_at);
        let (mut left, mut right) = (captured.iter().peekable(), replayed.iter().peekable());
        let mut before = Vec::new();
        loop {
            match (left.peek(), right.peek()) {
                (None, None) => return,
                (Some((at, ours)), Some((their_at, theirs))) if same(machine, ours, theirs) => {
                    let is_loss = matches!(ours.as_str(), "disconnected" | "failed");
                    let apart = at.since(*their_at).max(their_at.since(*at));
                    if is_loss && apart.as_millis() >= 500 {
                        self.take(Freedom::LossTimers);
                    }
                    if ours != theirs {
                        self.take(Freedom::IceCompleted);
                    }
                    before.push(ours.clone());
                    self.matched += 1;
                    left.next();
                    right.next();
                }
                (captured, replayed) => {
                    let skipped = captured.and_then(|it| may_lack(machine, it, &before));
                    if let Some(freedom) = skipped {
                        self.take(freedom);
                        left.next();
                        continue;
                    }
                    let again = |(_, state): &State| {
                        let is_up = before
                            .last()
                            .is_some_and(|last| matches!(last.as_str(), "connected" | "completed"));
                        let moved = matches!(state.as_str(), "checking" | "connecting" | "connected");
                        (self.restarts && is_up && moved).then_some(Freedom::RestartChecksAgain)
                    };
                    let extra = replayed.and_then(|it| {
                        again(it).or_else(|| may_add(machine, it, &before, captured.is_none(), closed))
                    });
                    if let Some(freedom) = extra {
                        self.take(freedom);
                        right.next();
                        continue;
                    }
                    let at = captured.or(replayed).map_or(trace.ended_at, |(at, _)| *at);
                    self.found.push(Divergence {
                        peer: peer.id.clone(),
                        machine: Some(machine),
                        at,
                        captured: captured.map(|(_, state)| state.clone()),
                        replayed: replayed.map(|(_, state)| state.clone()),
                        before,
                    });
                    return;
                }
            }
        }
    }

    /// Whether the machines of a connection moved in another order among each other.
    fn order(&mut self, connection: &Connection, record: &RunRecord, peer: &Name) {
        let captured = connection.entries.iter().filter_map(|entry| match &entry.event {
            PeerEvent::State { machine, to } => Some((*machine, to.as_str())),
            _ => None,
        });
        let replayed = record.timeline.entries.iter().filter_map(|entry| match &entry.event {
            Event::Transition { machine, to, .. } if entry.actor == *peer && *machine != Machine::Call => {
                Some((*machine, to.as_ref()))
            }
            _ => None,
        });
        let (captured, replayed): (Vec<_>, Vec<_>) = (captured.collect(), replayed.collect());
        // Of what both have.
        let of = |one: &[(Machine, &str)], other: &[(Machine, &str)]| -> Vec<(Machine, String)> {
            let both = one.iter().filter(|it| other.contains(it));
            both.map(|(machine, state)| (*machine, (*state).to_owned())).collect()
        };
        if of(&captured, &replayed) != of(&replayed, &captured) {
            self.take(Freedom::OrderBetweenMachines);
        }
    }
}

/// Whether the capture shows connections, and no candidate of any.
fn nobody_gathered(trace: &Trace) -> bool {
    let connections: Vec<&Connection> = trace.peers.iter().flat_map(|peer| &peer.connections).collect();
    let mut entries = connections.iter().flat_map(|connection| &connection.entries);
    !connections.is_empty()
        && entries.all(|entry| !matches!(entry.event, PeerEvent::CandidateGathered { .. }))
        && trace.messages.iter().all(|message| message.signal.candidate.is_none())
}

fn same(machine: Machine, ours: &str, theirs: &str) -> bool {
    let up = |state: &str| matches!(state, "connected" | "completed");
    ours == theirs || machine == Machine::Ice && up(ours) && up(theirs)
}

/// Why a replay may lack a captured state.
fn may_lack(machine: Machine, (_, state): &State, before: &[String]) -> Option<Freedom> {
    let last = before.last().map(String::as_str);
    match (machine, state.as_str()) {
        (_, "closed") => Some(Freedom::ClosingIsSilent),
        (Machine::Ice, "completed") if last == Some("connected") => Some(Freedom::IceCompleted),
        (Machine::Ice, "failed") if last == Some("disconnected") => Some(Freedom::IceFailedBesideConnection),
        (Machine::Ice, "disconnected") if last == Some("checking") => {
            Some(Freedom::IceFailedBesideConnection)
        }
        (Machine::Gathering, "complete") => Some(Freedom::GatheringCutShort),
        (Machine::Gathering, "new" | "gathering") if last.is_some() => Some(Freedom::GatheringAnew),
        _ => None,
    }
}

/// Why a replay may have a state that was not captured.
fn may_add(
    machine: Machine,
    (at, state): &State,
    before: &[String],
    captured_is_over: bool,
    ended: VirtualTime,
) -> Option<Freedom> {
    let last = before.last().map(String::as_str);
    match (machine, state.as_str()) {
        (_, "closed") => Some(Freedom::ClosingIsSilent),
        (Machine::Ice, "completed") if last == Some("connected") => Some(Freedom::IceCompleted),
        (Machine::Ice, "failed") if matches!(last, Some("disconnected" | "checking")) && captured_is_over => {
            Some(Freedom::IceFailedBesideConnection)
        }
        (Machine::Gathering, "complete") if captured_is_over => Some(Freedom::GatheringCutShort),
        (Machine::Gathering, "gathering") if last.is_some() => Some(Freedom::GatheringAnew),
        _ if captured_is_over && *at >= ended => Some(Freedom::CaptureEnded),
        _ => None,
    }
}

/// By the rule of [`Trace::outcome`], of the connections that the capture shows; of all where it shows none.
fn outcome(trace: &Trace, script: &Script, record: &RunRecord) -> Outcome {
    let shown = trace.peers.iter().any(|peer| !peer.connections.is_empty());
    let parts = script.peers.iter().filter(|part| {
        !shown || trace.peer(part.captured.as_str()).is_some_and(|peer| !peer.connections.is_empty())
    });
    let ends: Vec<Outcome> = parts
        .map(|part| {
            let name = Name::new(&part.name);
            let states: Vec<&str> = record
                .timeline
                .transitions(&name, Machine::Connection)
                .map(|(_, state)| state)
                .filter(|state| *state != "closed")
                .collect();
            let connected = states.contains(&"connected");
            match (states.last(), connected) {
                (Some(&"connected"), _) => Outcome::Connected,
                (Some(&"failed"), _) | (Some(&"disconnected"), false) => Outcome::Failed,
                (_, true) => Outcome::Disconnected,
                (_, false) => Outcome::NeverConnected,
            }
        })
        .collect();
    let worst = [Outcome::Failed, Outcome::Disconnected, Outcome::Connected];
    worst.into_iter().find(|outcome| ends.contains(outcome)).unwrap_or(Outcome::NeverConnected)
}
