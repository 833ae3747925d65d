//! Over which candidates a call went.

use nat_oracle::Path;
use timeline::{CandidateFate, CandidateRef, CandidateType, Event, Name, Timeline, Trickle};

use crate::record::RunRecord;

/// The selected pair of the two in one word; none unless both were connected.
///
/// Each side is what the other knows it by: the type under which it signalled the selected endpoint, and
/// peer-reflexive where it signalled no such endpoint. (`webrtc` 0.21.1 goes on calling an endpoint
/// peer-reflexive whose check arrived before its candidate did; RFC 8445 §7.3.1.3 does not.)
pub(crate) fn simulated_path(record: &RunRecord, caller: &Name, callee: &Name) -> Path {
    let connected = |name| record.peers.get(name).is_some_and(|peer| peer.connected_at.is_some());
    if !connected(caller) || !connected(callee) {
        return Path::None;
    }
    let callee_is =
        remote_of(&record.timeline, caller).map(|remote| known_as(&record.timeline, callee, remote));
    let caller_is =
        remote_of(&record.timeline, callee).map(|remote| known_as(&record.timeline, caller, remote));
    match (caller_is, callee_is) {
        (Some(caller_is), Some(callee_is)) => Path::of(caller_is, callee_is),
        _ => Path::None,
    }
}

/// The remote candidate of the pair that `peer` selected last.
fn remote_of<'a>(timeline: &'a Timeline, peer: &Name) -> Option<&'a CandidateRef> {
    timeline.entries.iter().rev().filter(|entry| entry.actor == *peer).find_map(|entry| match &entry.event {
        Event::PairSelected { remote, .. } => Some(remote),
        _ => None,
    })
}

/// What `peer` signalled the endpoint of `candidate` as.
fn known_as(timeline: &Timeline, peer: &Name, candidate: &CandidateRef) -> nat_oracle::CandidateType {
    let own = timeline.entries.iter().filter(|entry| entry.actor == *peer);
    let signalled =
        own.filter_map(|entry| match &entry.event {
            Event::Candidate {
                fate: CandidateFate::Gathered, candidate: Trickle::Candidate(found), ..
            } if found.address == candidate.address => Some(of_oracle(found.kind)),
            _ => None,
        });
    signalled.min().unwrap_or(nat_oracle::CandidateType::PeerReflexive)
}

/// The oracle has types of its own: it knows nothing of the simulator.
const fn of_oracle(kind: CandidateType) -> nat_oracle::CandidateType {
    match kind {
        CandidateType::Host => nat_oracle::CandidateType::Host,
        CandidateType::ServerReflexive => nat_oracle::CandidateType::ServerReflexive,
        CandidateType::PeerReflexive => nat_oracle::CandidateType::PeerReflexive,
        CandidateType::Relayed => nat_oracle::CandidateType::Relay,
    }
}
