//! Captured transitions against replayed ones.

mod align;

use std::collections::BTreeMap;

use capture::{
    Outcome, Trace,
    audit::{MediaState, media},
    sdp::{MediaSection, SdpType},
    trace::{
        CallResult, Connection, Method, Peer, PeerEvent, SignalKind, is_closed, is_disconnected, is_failed,
        is_up,
    },
};
use timeline::{Event, GatheringState, Machine, Name, SignalingState, State};

use self::align::{Context, Entered, Health, align};
use super::{Came, Divergence, Freedom, OwnRefusal, Tolerated, script::Script};
use crate::record::RunRecord;

/// What a comparison comes to.
pub(super) struct Compared {
    pub(super) refused: Vec<OwnRefusal>,
    pub(super) outcome: Outcome,
    pub(super) matched: usize,
    pub(super) captured: usize,
    pub(super) freedoms: BTreeMap<Freedom, usize>,
    pub(super) tolerated: Vec<Tolerated>,
    pub(super) divergence: Option<Divergence>,
}

/// The machines that browsers have.
const MACHINES: [Machine; 4] = Machine::OF_A_PEER;

pub(super) fn compare(trace: &Trace, script: &Script, record: &RunRecord) -> Compared {
    let mut comparison = Comparison {
        matched: 0,
        captured: 0,
        freedoms: BTreeMap::new(),
        tolerated: Vec::new(),
        found: Vec::new(),
    };
    let restarted = script.restarts_ice().map(|at| script.in_capture(at.into()));
    for peer in &trace.peers {
        let Some((part, connection)) = script.part(&peer.id).zip(peer.connections.first()) else { continue };
        // Firefox' page shows no states: there is nothing to compare.
        if !connection.shows_states() {
            continue;
        }
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
                record.timeline.transitions(&name, machine).map(|(_, state)| state).collect()
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
    // What a server says of its connection is no state that could come again.
    let shows_states = trace.peers.iter().flat_map(|peer| &peer.connections).any(Connection::shows_states);
    let by_word = !shows_states && trace.reports().next().is_some();
    let unknown = captured == Outcome::Unknown
        || by_word
        || captured == Outcome::NeverConnected && trace.is_partial()
        || lacks_the_answer(trace);
    // Of a call that never connected, a capture may end before anybody gives it up.
    let never = record.peers.values().all(|peer| peer.connected_at.is_none());
    let same = captured == outcome
        || captured == Outcome::NeverConnected && outcome == Outcome::Failed && never
        || comparison.freedoms.contains_key(&Freedom::NothingToCheck)
            && gave_up.contains(&captured)
            && gave_up.contains(&outcome);
    if !unknown && !same && comparison.found.is_empty() {
        comparison.found.push(Divergence {
            peer: script.peers[0].captured.clone(),
            machine: None,
            at: trace.ended_at,
            captured: Some(Came::Out(captured)),
            replayed: Some(Came::Out(outcome)),
            before: Vec::new(),
        });
    }
    if comparison.found.is_empty() && outcome == Outcome::Connected {
        comparison.found.extend(lacks_media(trace, script, record));
    }
    let Comparison { matched, captured, freedoms, tolerated, found } = comparison;
    let divergence = found.into_iter().min_by_key(|divergence| divergence.at);
    let refused = refused(trace, script, record);
    Compared { refused, outcome, matched, captured, freedoms, tolerated, divergence }
}

/// Media of which the capture counts packets at both, and of which the replay lacks some.
fn lacks_media(trace: &Trace, script: &Script, record: &RunRecord) -> Option<Divergence> {
    for (kind, states) in media(trace) {
        if !trace.peers.iter().all(|peer| states.get(&peer.id) == Some(&MediaState::Received)) {
            continue;
        }
        for peer in &trace.peers {
            let name = Name::new(&script.part(&peer.id)?.name);
            let flows = record.peers.get(&name).into_iter().flat_map(|peer| &peer.received);
            let mut packets = flows.filter(|((_, of), _)| *of == kind).map(|(_, flow)| flow.packets);
            if packets.all(|packets| packets == 0) {
                return Some(Divergence {
                    peer: peer.id.clone(),
                    machine: None,
                    at: trace.ended_at,
                    captured: Some(Came::Media(kind, true)),
                    replayed: Some(Came::Media(kind, false)),
                    before: Vec::new(),
                });
            }
        }
    }
    None
}

/// Descriptions that our own stack refused, where the captured application's did not.
fn refused(trace: &Trace, script: &Script, record: &RunRecord) -> Vec<OwnRefusal> {
    let problems = record.timeline.entries.iter().filter_map(|entry| match &entry.event {
        Event::Problem { what } => Some((entry.at, &entry.actor, what)),
        _ => None,
    });
    let mut found = Vec::new();
    for (at, actor, what) in problems {
        let Some((call, error)) = what.split_once(" failed: ") else { continue };
        let method = match call.split('(').next() {
            Some("setLocalDescription") => Method::SetLocalDescription,
            Some("setRemoteDescription") => Method::SetRemoteDescription,
            _ => continue,
        };
        let Some(part) = script.peers.iter().find(|part| *actor == *part.name.as_str()) else { continue };
        let connections = trace.peer(part.captured.as_str()).map(|peer| peer.connections.as_slice());
        let mut calls = connections.unwrap_or_default().iter().flat_map(|it| it.calls_of(method));
        let failed_there = calls.any(|(_, call)| matches!(call.result, CallResult::Failed(_)));
        // Who waited for a description in vain follows from who could not make it.
        let follows = error.contains("made no description");
        if !failed_there && !follows {
            let (peer, at) = (part.captured.clone(), script.in_capture(at));
            found.push(OwnRefusal { peer, at, call: call.to_owned(), error: error.to_owned() });
        }
    }
    found
}

fn states(script: &Script, record: &RunRecord, peer: &Name, machine: Machine) -> Vec<Entered> {
    let transitions = record.timeline.transitions(peer, machine);
    transitions.map(|(at, state)| (script.in_capture(at), state)).collect()
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
fn health(states: impl Fn(Machine) -> Vec<State>) -> Health {
    let ice = states(Machine::Ice);
    let connection = states(Machine::Connection);
    // Older browsers report no connection state: there ICE decides.
    let decides = if connection.is_empty() { &ice } else { &connection };
    Health { connected: ice.iter().copied().any(is_up), failed: decides.iter().copied().any(is_failed) }
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
    let states: Vec<State> = connection.transitions(Machine::Signaling).map(|(_, state)| state).collect();
    let crossed = [SignalingState::HaveLocalOffer, SignalingState::HaveRemoteOffer].map(State::Signaling);
    states.windows(2).any(|pair| pair == crossed)
        || connection.entered(State::Gathering(GatheringState::New)).is_some()
}

struct Comparison {
    matched: usize,
    captured: usize,
    freedoms: BTreeMap<Freedom, usize>,
    tolerated: Vec<Tolerated>,
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
        replayed: &[Entered],
        trace: &Trace,
    ) {
        let machine = context.machine;
        let captured: Vec<Entered> = connection.transitions(machine).collect();
        self.captured += captured.len();
        if captured.is_empty()
            && matches!(machine, Machine::Ice | Machine::Connection)
            && (nobody_gathered(trace) || takes_nothing(trace))
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
        let at_peer = |(at, freedom)| Tolerated { peer: peer.id.clone(), at, freedom };
        self.tolerated.extend(aligned.tolerated.into_iter().map(at_peer));
        for (freedom, count) in aligned.freedoms {
            *self.freedoms.entry(freedom).or_default() += count;
        }
        self.found.extend(aligned.parting.map(|parting| Divergence {
            peer: peer.id.clone(),
            machine: Some(machine),
            at: parting.at,
            captured: parting.captured.map(Came::To),
            replayed: parting.replayed.map(Came::To),
            before: parting.before,
        }));
    }

    /// Whether the machines of a connection moved in another order among each other.
    fn order(&mut self, connection: &Connection, record: &RunRecord, peer: &Name) {
        let captured = connection.entries.iter().filter_map(|entry| match &entry.event {
            PeerEvent::State { to } => Some(*to),
            _ => None,
        });
        let replayed = record.timeline.entries.iter().filter_map(|entry| match &entry.event {
            Event::Transition { to: State::Call(_), .. } => None,
            Event::Transition { to, .. } if entry.actor == *peer => Some(*to),
            _ => None,
        });
        let (captured, replayed): (Vec<_>, Vec<_>) = (captured.collect(), replayed.collect());
        // Of what both have.
        let of = |one: &[State], other: &[State]| -> Vec<State> {
            one.iter().copied().filter(|it| other.contains(it)).collect()
        };
        if of(&captured, &replayed) != of(&replayed, &captured) {
            self.take(Freedom::OrderBetweenMachines);
        }
    }
}

/// Whether every answer refuses every section (port 0, RFC 3264 §6): a browser checks nothing then.
pub(super) fn takes_nothing(trace: &Trace) -> bool {
    let answers = trace.messages.iter().filter(|message| message.signal.kind == SignalKind::Answer);
    let mut sections = answers.map(|answer| {
        answer.signal.description.as_ref().map(|description| description.media()).unwrap_or_default()
    });
    let is_nothing =
        |sections: Vec<MediaSection>| !sections.is_empty() && sections.iter().all(|section| !section.active);
    sections.next().is_some_and(is_nothing) && sections.all(is_nothing)
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
            let states: Vec<State> = record
                .timeline
                .transitions(&name, Machine::Connection)
                .map(|(_, state)| state)
                .filter(|state| !is_closed(*state))
                .collect();
            let connected = states.iter().copied().any(is_up);
            match states.last().copied() {
                Some(state) if is_up(state) => Outcome::Connected,
                Some(state) if is_failed(state) || is_disconnected(state) && !connected => Outcome::Failed,
                _ if connected => Outcome::Disconnected,
                _ => Outcome::NeverConnected,
            }
        })
        .collect();
    let worst = [Outcome::Failed, Outcome::Disconnected, Outcome::Connected];
    worst.into_iter().find(|outcome| ends.contains(outcome)).unwrap_or(Outcome::NeverConnected)
}
