//! What a peer sends, from one negotiation to the next.

use std::collections::BTreeMap;

use timeline::{Name, VirtualTime};

use crate::{
    audit::{Code, Findings, Severity, rounds::rounds},
    trace::{Message, Method, PeerEvent, Trace, TrackChange},
};

/// Tracks that came or went in a running call.
pub(in crate::audit) fn tracks(trace: &Trace, findings: &mut Findings<'_>) {
    let mut sent: BTreeMap<Name, BTreeMap<String, usize>> = BTreeMap::new();
    let mut bodies = false;
    for round in rounds(trace).into_iter().filter(super::super::rounds::Round::succeeded) {
        for message in [Some(round.offer), round.answer].into_iter().flatten() {
            let Some(now) = sending(message) else { continue };
            bodies = true;
            if let Some(before) = sent.insert(message.from.clone(), now.clone()) {
                compare(&message.from, message.first_seen(), &before, &now, findings);
            }
        }
    }
    if !bodies {
        without_bodies(trace, findings);
    }
}

/// How many sections of each kind the author of a description sends in.
fn sending(message: &Message) -> Option<BTreeMap<String, usize>> {
    let mut kinds = BTreeMap::new();
    for section in message.signal.description.as_ref()?.media().into_iter().filter(|section| section.sends())
    {
        *kinds.entry(section.kind).or_default() += 1;
    }
    Some(kinds)
}

fn compare(
    peer: &Name,
    at: VirtualTime,
    before: &BTreeMap<String, usize>,
    now: &BTreeMap<String, usize>,
    findings: &mut Findings<'_>,
) {
    let mut kinds: Vec<&String> = before.keys().chain(now.keys()).collect();
    kinds.sort();
    kinds.dedup();
    for kind in kinds {
        let of = |all: &BTreeMap<String, usize>| all.get(kind).copied().unwrap_or(0);
        if of(now) > of(before) {
            added(peer, kind, at, findings);
        } else if of(now) < of(before) {
            let message = format!("{peer} ceased to send {kind}");
            findings.add(Code::TrackRemoved, Severity::Note, Some(peer), at, message, "");
        }
    }
}

fn added(peer: &Name, kind: &str, at: VirtualTime, findings: &mut Findings<'_>) {
    let kind = if kind.is_empty() { "media" } else { kind };
    let message = format!("{peer} began to send more: {kind}");
    findings.add(Code::TrackAdded, Severity::Note, Some(peer), at, message, "");
}

/// Where no description is shown: calls of `addTrack` and `removeTrack`, and remote tracks that were removed,
/// after the connection stood.
fn without_bodies(trace: &Trace, findings: &mut Findings<'_>) {
    for peer in &trace.peers {
        for connection in &peer.connections {
            let Some(connected) = connection.connected_at() else { continue };
            for entry in connection.entries.iter().filter(|entry| entry.at > connected) {
                match &entry.event {
                    PeerEvent::Call(call) if call.method == Method::AddTrack => {
                        let kind = call.track.as_ref().map_or("", |track| track.kind.as_str());
                        added(&peer.id, kind, entry.at, findings);
                    }
                    PeerEvent::Call(call) if call.method == Method::RemoveTrack => {
                        let message = format!("{} ceased to send a track", peer.id);
                        findings.add(
                            Code::TrackRemoved,
                            Severity::Note,
                            Some(&peer.id),
                            entry.at,
                            message,
                            "",
                        );
                    }
                    PeerEvent::RemoteTrack { change: TrackChange::Removed, track } => {
                        let message = format!("a remote {} track was taken from {}", track.kind, peer.id);
                        findings.add(
                            Code::TrackRemoved,
                            Severity::Note,
                            Some(&peer.id),
                            entry.at,
                            message,
                            "",
                        );
                    }
                    _ => {}
                }
            }
        }
    }
}
