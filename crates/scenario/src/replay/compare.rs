//! Captured transitions against replayed ones.

mod align;

use std::collections::BTreeMap;

use capture::{
    Outcome, Trace,
    sdp::SdpType,
    trace::{CallResult, Connection, Method, Peer, PeerEvent, SignalKind},
};
use timeline::{Event, Machine, Name};

use self::align::{Context, Health, State, align};
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
const MACHINES: [Machine; 4] = Machine::OF_A_PEER;

pub(super) fn compare(trace: &Trace, script: &Script, record: &RunRecord) -> Compared {
    let mut comparison = Comparison { matched: 0, captured: 0, freedoms: BTreeMap::new(), found: Vec::new() };
    let restarted = script.restarts_ice().map(|at| script.in_capture(at.into()));
    for peer in &trace.peers {
        let Some((part, connection)) = script.part(&peer.id).zip(peer.connections.first()) else { continue };
        let name = Name::new(&part.name);
        let context = |machine: Machine| Context {
            machine,
            ended: connection.closed_at().unwrap_or(trace.ended_at),
            is_partial: trace.is_partial(),
            lacks_the_answer: lacks_the_answer(trace),
            restarted,
            rolled_back: takes_an_offer_back(connection),
            captured: health(|machine| connection.transitions(machine).map(|(_, state)| state).collect()),
            replayed: health(|machine| {
                record.timeline.transitions(&name, machine).map(|(_, state)| state.as_str()).collect()
            }),
        };
        for machine in MACHINES {
            comparison.machine(
                peer,
                connection,
                &context(machine),
                &states(script, record, &name, machine),
                trace,
            );
        }
        comparison.order(connection, record, &name);
    }
    let outcome = outcome(trace, script, record);
    let captured = trace.outcome();
    let gave_up = [Outcome::NeverConnected, Outcome::Failed];
    let unknown = captured == Outcome::Unknown
        || captured == Outcome::NeverConnected && trace.is_partial()
        || lacks_the_answer(trace);
    let same = captured == outcome
        || comparison.freedoms.contains_key(&Freedom::NothingToCheck)
            && gave_up.contains(&captured)
            && gave_up.contains(&outcome);
    if !unknown && !same && comparison.found.is_empty() {
        comparison.found.push(Divergence {
            peer: script.peers[0].captured.clone(),
            machine: None,
            at: trace.ended_at,
            captured: Some(captured.as_str().to_owned()),
            replayed: Some(outcome.as_str().to_owned()),
            before: Vec::new(),
        });
    }
    let Comparison { matched, captured, freedoms, found } = comparison;
    let divergence = found.into_iter().min_by_key(|divergence| divergence.at);
    Compared { outcome, matched, captured, freedoms, divergence }
}

fn states(script: &Script, record: &RunRecord, peer: &Name, machine: Machine) -> Vec<State> {
    let transitions = record.timeline.transitions(peer, machine);
    transitions.map(|(at, state)| (script.in_capture(at), state.as_str().to_owned())).collect()
}

/// Whether a part of the capture is missing, and with it that somebody whose connection was captured applied an answer.
fn lacks_the_answer(trace: &Trace) -> bool {
    let is_captured =
        |name: &Name| trace.peer(name.as_str()).is_some_and(|peer| !peer.connections.is_empty());
    let mut answers = trace.messages.iter().filter(|message| message.signal.kind == SignalKind::Answer);
    trace.is_partial()
        && answers.any(|answer| answer.applied.is_none() && answer.to.as_ref().is_some_and(is_captured))
}

/// What one connection came to, by the states that its machines passed.
fn health<'s>(states: impl Fn(Machine) -> Vec<&'s str>) -> Health {
    let ice = states(Machine::Ice);
    let connection = states(Machine::Connection);
    // Older browsers report no connection state: there ICE decides.
    let decides = if connection.is_empty() { &ice } else { &connection };
    Health {
        connected: ice.iter().any(|state| matches!(*state, "connected" | "completed")),
        failed: decides.contains(&"failed"),
    }
}

/// Whether an offer of this connection was rolled back: explicitly, or by an offer of the other side (W3C webrtc-pc
/// §4.4.1.5), so that it left `have-local-offer` without an answer.
fn takes_an_offer_back(connection: &Connection) -> bool {
    let mut offered = false;
    for entry in &connection.entries {
        let PeerEvent::Call(call) = &entry.event else { continue };
        let kind = call.description.as_ref().map(|description| description.kind);
        let failed = matches!(call.result, CallResult::Failed(_));
        match (call.method, kind) {
            _ if failed => {}
            (Method::SetLocalDescription, Some(SdpType::Rollback)) => return true,
            (Method::SetLocalDescription, Some(SdpType::Offer)) => offered = true,
            (Method::SetRemoteDescription, Some(SdpType::Offer)) if offered => return true,
            (Method::SetRemoteDescription, Some(SdpType::Answer | SdpType::Pranswer)) => offered = false,
            _ => {}
        }
    }
    // Where no call shows it, the states do.
    let states: Vec<&str> = connection.transitions(Machine::Signaling).map(|(_, state)| state).collect();
    states.windows(2).any(|pair| pair == ["have-local-offer", "have-remote-offer"])
        || connection.transitions(Machine::Gathering).any(|(_, state)| state == "new")
}

struct Comparison {
    matched: usize,
    captured: usize,
    freedoms: BTreeMap<Freedom, usize>,
    found: Vec<Divergence>,
}

impl Comparison {
    fn take(&mut self, freedom: Freedom) {
        *self.freedoms.entry(freedom).or_default() += 1;
    }

    fn machine(
        &mut self,
        peer: &Peer,
        connection: &Connection,
        context: &Context,
        replayed: &[State],
        trace: &Trace,
    ) {
        let machine = context.machine;
        let captured: Vec<State> =
            connection.transitions(machine).map(|(at, state)| (at, state.to_owned())).collect();
        self.captured += captured.len();
        if captured.is_empty()
            && matches!(machine, Machine::Ice | Machine::Connection)
            && nobody_gathered(trace)
            && !context.replayed.connected
        {
            if !replayed.is_empty() {
                self.take(Freedom::NothingToCheck);
            }
            return;
        }
        let ice_moved = connection.transitions(Machine::Ice).next().is_some();
        if captured.is_empty() && ice_moved && machine != Machine::Signaling {
            if !replayed.is_empty() {
                self.take(Freedom::MachineNotCaptured);
            }
            return;
        }
        let aligned = align(context, &captured, replayed);
        self.matched += aligned.matched;
        for (freedom, count) in aligned.freedoms {
            *self.freedoms.entry(freedom).or_default() += count;
        }
        self.found.extend(aligned.parting.map(|parting| Divergence {
            peer: peer.id.clone(),
            machine: Some(machine),
            at: parting.at,
            captured: parting.captured,
            replayed: parting.replayed,
            before: parting.before,
        }));
    }

    /// Whether the machines of a connection moved in another order among each other.
    fn order(&mut self, connection: &Connection, record: &RunRecord, peer: &Name) {
        let captured = connection.entries.iter().filter_map(|entry| match &entry.event {
            PeerEvent::State { machine, to } => Some((*machine, to.as_str())),
            _ => None,
        });
        let replayed = record.timeline.entries.iter().filter_map(|entry| match &entry.event {
            Event::Transition { to: timeline::State::Call(_), .. } => None,
            Event::Transition { to, .. } if entry.actor == *peer => Some((to.machine(), to.as_str())),
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

/// Whether the capture shows connections, and no candidate of anybody.
fn nobody_gathered(trace: &Trace) -> bool {
    let connections: Vec<&Connection> = trace.peers.iter().flat_map(|peer| &peer.connections).collect();
    let mut entries = connections.iter().flat_map(|connection| &connection.entries);
    let mut descriptions = trace.messages.iter().filter_map(|message| message.signal.description.as_ref());
    !connections.is_empty()
        && entries.all(|entry| !matches!(entry.event, PeerEvent::CandidateGathered { .. }))
        && trace.messages.iter().all(|message| message.signal.candidate.is_none())
        && descriptions.all(|description| description.candidates().next().is_none())
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
                .map(|(_, state)| state.as_str())
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
