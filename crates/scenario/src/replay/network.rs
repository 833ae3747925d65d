//! What a capture shows of the network.

use std::time::Duration;

use capture::{
    Trace,
    candidate::CandidateType,
    trace::{Connection, Message, Peer, PeerEvent, is_disconnected, is_up},
};
use timeline::{State, VirtualTime};

/// How the delay of the network is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    /// From `getStats`.
    Statistics,
    /// From the fastest message.
    Messages,
    /// Not at all.
    None,
}

/// The round-trip time between the peers, and how it is known.
pub(super) fn round_trip(trace: &Trace) -> (Duration, Evidence) {
    let connections = trace.peers.iter().flat_map(|peer| &peer.connections);
    let mut samples: Vec<f64> = connections
        .flat_map(|connection| connection.stats.iter().filter_map(|sample| sample.round_trip_ms))
        .filter(|ms| ms.is_finite() && *ms >= 0.0)
        .collect();
    samples.sort_by(f64::total_cmp);
    if let Some(median) = samples.get(samples.len() / 2) {
        return (Duration::from_secs_f64(median.min(60_000.0) / 1e3), Evidence::Statistics);
    }
    let transits = trace.messages.iter().filter(|message| !message.inferred).filter_map(transit);
    match transits.min() {
        Some(one_way) => (one_way * 2, Evidence::Messages),
        None => (Duration::ZERO, Evidence::None),
    }
}

/// From one application to the other.
fn transit(message: &Message) -> Option<Duration> {
    Some(message.received?.since(message.sent?))
}

/// Whether a peer gathered relayed candidates only, or was told to.
pub(super) fn is_relay_only(peer: &Peer) -> bool {
    let told = peer.connections.iter().any(|connection| {
        let configuration = connection.configuration.as_ref();
        configuration.and_then(|it| it.ice_transport_policy.as_deref()) == Some("relay")
    });
    let kinds: Vec<CandidateType> = gathered(peer).collect();
    told || !kinds.is_empty() && kinds.iter().all(|kind| *kind == CandidateType::Relay)
}

/// Whether a server told a peer its address.
pub(super) fn saw_server(peer: &Peer, kind: CandidateType) -> bool {
    gathered(peer).any(|found| found == kind)
}

fn gathered(peer: &Peer) -> impl Iterator<Item = CandidateType> {
    peer.connections.iter().flat_map(|connection| &connection.entries).filter_map(|entry| {
        match &entry.event {
            PeerEvent::CandidateGathered { candidate } => candidate.kind(),
            _ => None,
        }
    })
}

/// Whether a TURN server refused a peer (RFC 8489 §9.2.4: 401).
pub(super) fn was_refused(peer: &Peer) -> bool {
    let entries = peer.connections.iter().flat_map(|connection| &connection.entries);
    entries.into_iter().any(|entry| matches!(&entry.event, PeerEvent::CandidateError { code: 401, .. }))
}

/// When a connection was interrupted, and when it was there again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blackout {
    pub(super) from: VirtualTime,
    pub(super) until: Option<VirtualTime>,
}

/// Chromium says `disconnected` 6.0 s after the last sign of life, and `connected` again within a second of the next.
const NOTICED_AFTER: Duration = Duration::from_secs(6);
const RECOVERED_WITHIN: Duration = Duration::from_millis(500);

/// The first interruption that `connection` saw after it was connected.
pub(super) fn blackout(connection: &Connection) -> Option<Blackout> {
    let connected = connection.connected_at()?;
    let states: Vec<(VirtualTime, State)> = connection.health().collect();
    let lost = states.iter().position(|(at, state)| *at > connected && is_disconnected(*state))?;
    let noticed = states[lost].0;
    let from = noticed.elapsed().saturating_sub(NOTICED_AFTER).max(connected.elapsed());
    let back = states[lost..].iter().find(|(_, state)| is_up(*state)).map(|(at, _)| *at);
    let until = back.map(|at| at.elapsed().saturating_sub(RECOVERED_WITHIN).max(from));
    Some(Blackout { from: from.into(), until: until.map(VirtualTime::from) })
}
