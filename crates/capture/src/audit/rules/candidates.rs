//! Candidates on their way: early, refused, lost.

use std::collections::{BTreeMap, BTreeSet};

use timeline::{Name, VirtualTime};

use super::{count, human};
use crate::{
    audit::{Code, Findings, Severity, rounds::rounds},
    candidate::Candidate,
    trace::{CallResult, Connection, Message, Method, Peer, PeerEvent, SignalKind, Trace},
};

const HOLD: &str = "Hold candidates back until setRemoteDescription has succeeded, then add them in order.";

/// Candidates that were there before the description that they belong to.
pub(in crate::audit) fn early(trace: &Trace, findings: &mut Findings<'_>) {
    let answered = rounds(trace).iter().any(super::super::rounds::Round::succeeded);
    for peer in &trace.peers {
        let early = early_for(trace, &peer.id);
        let (mut held, mut thrown): (Vec<&Message>, Vec<&Message>) = (Vec::new(), Vec::new());
        for message in early {
            match (&message.applied, shows_candidates(peer)) {
                // A refused one is the next rule's.
                (Some(applied), _) if matches!(applied.result, CallResult::Failed(_)) => {}
                (Some(_), _) | (None, false) => held.push(message),
                (None, true) => thrown.push(message),
            }
        }
        if let Some(first) = thrown.first() {
            let severity =
                if super::super::finding::has_connected(trace) { Severity::Warning } else { Severity::Error };
            let message = format!(
                "{} reached {} {} before the description that they belong to was applied, and the app dropped them",
                count(thrown.len(), "candidate"),
                peer.id,
                lead(trace, peer, first),
            );
            let at = first.arrived().unwrap_or_default();
            findings.add(Code::CandidateBeforeRemoteDescription, severity, Some(&peer.id), at, message, HOLD);
        }
        let own_log = held_by_log(trace, peer);
        let number = held.len().max(own_log.len());
        let first = held.first().and_then(|message| message.arrived()).or(own_log.first().copied());
        if let Some(at) = first.filter(|_| answered || own_log.is_empty()) {
            let how = match shows_candidates(peer) || !own_log.is_empty() {
                true => "the app held them back until it was, as it should",
                false => "the app must have held them back (its own calls are not in this capture)",
            };
            let message = format!(
                "{} reached {} before the description that they belong to; {how}",
                count(number, "candidate"),
                peer.id
            );
            findings.add(Code::EarlyCandidatesHeld, Severity::Note, Some(&peer.id), at, message, "");
        }
    }
}

/// Candidates that arrived at `peer` before their description did.
fn early_for<'t>(trace: &'t Trace, peer: &Name) -> Vec<&'t Message> {
    let to_peer = |message: &&Message| message.to.as_ref() == Some(peer) && !message.inferred;
    // By author and generation, and the author's first one of any.
    let mut described: BTreeMap<(&Name, Option<&str>), VirtualTime> = BTreeMap::new();
    for message in
        trace.messages.iter().filter(to_peer).filter(|message| message.signal.kind.is_description())
    {
        let ufrag = message.signal.description.as_ref().and_then(|description| description.ufrag());
        if let Some(at) = message.arrived() {
            described.entry((&message.from, None)).or_insert(at);
            described.entry((&message.from, ufrag)).or_insert(at);
        }
    }
    let bodies: BTreeSet<&Name> =
        described.keys().filter(|(_, ufrag)| ufrag.is_some()).map(|(author, _)| *author).collect();
    let is_early = |message: &&Message| {
        let ufrag = message.signal.candidate.as_ref().and_then(|candidate| candidate.ufrag.as_deref());
        // Logs without bodies name no generation.
        let bare = || described.get(&(&message.from, None)).filter(|_| !bodies.contains(&message.from));
        let own = described.get(&(&message.from, ufrag)).or_else(bare);
        message.signal.kind == SignalKind::Candidate
            && own.zip(message.arrived()).is_some_and(|(own, at)| at < *own)
    };
    trace.messages.iter().filter(to_peer).filter(is_early).collect()
}

/// What a page's own log says it held back before its first remote description was there.
fn held_by_log(trace: &Trace, peer: &Peer) -> Vec<VirtualTime> {
    let arrived =
        trace.messages.iter().find(|m| m.to.as_ref() == Some(&peer.id) && m.signal.kind.is_description());
    let mut times = Vec::new();
    for connection in &peer.connections {
        let set = connection.calls_of(Method::SetRemoteDescription).map(|(at, _)| at).next();
        let Some(before) = arrived.and_then(Message::arrived).or(set) else { continue };
        let held =
            connection.entries.iter().filter(|entry| matches!(entry.event, PeerEvent::CandidateHeld { .. }));
        times.extend(held.map(|entry| entry.at).filter(|at| *at < before));
    }
    times
}

/// How long before its description was applied a candidate was there.
fn lead(trace: &Trace, peer: &Peer, candidate: &Message) -> String {
    let descriptions =
        trace.messages.iter().filter(|m| m.from == candidate.from && m.signal.kind.is_description());
    let applied = descriptions.filter(|m| m.to.as_ref() == Some(&peer.id)).find_map(|m| m.applied.as_ref());
    match (applied, candidate.arrived()) {
        (Some(applied), Some(arrived)) => human(applied.at.since(arrived)),
        _ => "some time".to_owned(),
    }
}

/// Whether the capture shows which candidates the application applied.
fn shows_candidates(peer: &Peer) -> bool {
    peer.connections.iter().any(|connection| {
        let lines = |call: &crate::trace::ApiCall| call.candidate.as_ref().is_some_and(|c| !c.is_end());
        let bodies =
            connection.calls().any(|(_, call)| call.description.as_ref().is_some_and(|d| !d.sdp.is_empty()));
        bodies || connection.calls_of(Method::AddIceCandidate).any(|(_, call)| lines(call))
    })
}

/// More refusals on one connection are not looked at.
const MAX_REFUSED: usize = 1000;

/// Candidates that `addIceCandidate` refused.
pub(in crate::audit) fn refused(trace: &Trace, findings: &mut Findings<'_>) {
    let connected = super::super::finding::has_connected(trace);
    let severity = if connected { Severity::Warning } else { Severity::Error };
    for peer in &trace.peers {
        for connection in &peer.connections {
            let (mut early, mut other) = (Vec::new(), Vec::new());
            let failed =
                connection.calls_of(Method::AddIceCandidate).filter_map(|(at, call)| match &call.result {
                    CallResult::Failed(reason) => Some((at, call, reason)),
                    _ => None,
                });
            for (at, call, reason) in failed.take(MAX_REFUSED) {
                match is_too_early(connection, at, reason) {
                    true => early.push((at, call, reason)),
                    false if belongs_to_ignored_offer(trace, peer, connection, call.candidate.as_ref()) => {}
                    false => other.push((at, call, reason)),
                }
            }
            if let Some((at, _, reason)) = early.first() {
                let message = format!(
                    "the app of {} added {} before there was a remote description; the browser refused {} ({reason})",
                    peer.id,
                    count(early.len(), "candidate"),
                    if early.len() == 1 { "it" } else { "them" },
                );
                findings.add(
                    Code::CandidateBeforeRemoteDescription,
                    severity,
                    Some(&peer.id),
                    *at,
                    message,
                    HOLD,
                );
            }
            if let Some((at, call, reason)) = other.first() {
                let which = call.candidate.as_ref().map(Candidate::summary).unwrap_or_default();
                let message = format!(
                    "the browser of {} refused {}, the first one {which} ({reason})",
                    peer.id,
                    count(other.len(), "candidate"),
                );
                let advice = "Compare sdpMid, sdpMLineIndex and ufrag with the remote description: candidates of \
                     another call, of an older negotiation, or without sdpMid are refused.";
                findings.add(Code::CandidateRejected, severity, Some(&peer.id), *at, message, advice);
            }
        }
    }
}

fn is_too_early(connection: &Connection, at: VirtualTime, reason: &str) -> bool {
    let applied = connection
        .calls_of(Method::SetRemoteDescription)
        .find(|(_, call)| !matches!(call.result, CallResult::Failed(_)));
    reason.to_ascii_lowercase().contains("remote description was null")
        || applied.is_none_or(|(applied, _)| at < applied)
}

/// A polite application ignores an offer in glare, and its candidates with it (W3C webrtc-pc §10.7).
fn belongs_to_ignored_offer(
    trace: &Trace,
    peer: &Peer,
    connection: &Connection,
    candidate: Option<&Candidate>,
) -> bool {
    let Some(ufrag) = candidate.and_then(|candidate| candidate.ufrag.as_deref()) else { return false };
    let is_of = |d: Option<&crate::sdp::Description>| d.and_then(|d| d.ufrag()) == Some(ufrag);
    let applied =
        connection.calls_of(Method::SetRemoteDescription).any(|(_, call)| is_of(call.description.as_ref()));
    let offered = trace.messages.iter().any(|message| {
        message.signal.kind == SignalKind::Offer
            && message.from != peer.id
            && is_of(message.signal.description.as_ref())
    });
    offered && !applied
}

/// What became of one gathered candidate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Reached,
    NeverSent,
    LostOnTheWay,
    NeverApplied,
}

/// Candidates that one side found and the other never got, or never used.
pub(in crate::audit) fn lost(trace: &Trace, findings: &mut Findings<'_>) {
    let end = end_of_call(trace);
    for sender in &trace.peers {
        // What the page before applied is not in the dump of the page after it.
        let mut others = trace.peers.iter().filter(|other| other.id != sender.id);
        if trace.peers.len() == 2 && others.any(|other| super::reloaded::began_again(trace, other).is_some())
        {
            continue;
        }
        let ways = Ways::of(trace, sender);
        let in_use = generations_in_use(trace, &sender.id);
        let mut fates: Vec<(VirtualTime, Fate)> = Vec::new();
        for (at, candidate) in gathered(trace, sender) {
            let counts =
                candidate.ufrag.as_ref().is_none_or(|ufrag| in_use.is_empty() || in_use.contains(ufrag));
            // What happens this shortly before the end of a call may be cut off by it.
            if counts && at + findings.thresholds.end < end {
                fates.extend(ways.fate(&candidate).map(|fate| (at, fate)));
            }
        }
        report(trace, sender, &fates, findings);
    }
}

fn report(trace: &Trace, sender: &Peer, fates: &[(VirtualTime, Fate)], findings: &mut Findings<'_>) {
    let connected = findings.may_have_connected(trace);
    let other = trace
        .peers
        .iter()
        .find(|peer| peer.id != sender.id)
        .map_or("the other side", |peer| peer.id.as_str());
    let exchanged = rounds(trace).iter().any(super::super::rounds::Round::succeeded);
    let all_gone = !fates.iter().any(|(_, fate)| *fate == Fate::Reached);
    for (fate, code, verb, advice) in [
        (
            Fate::NeverSent,
            Code::CandidatesNeverRelayed,
            "were never sent",
            "Send every candidate of `icecandidate` as soon as it comes.",
        ),
        (
            Fate::LostOnTheWay,
            Code::CandidatesNeverRelayed,
            "were lost between the two",
            "Look for what the signalling server or the connection to it did at that time.",
        ),
        (
            Fate::NeverApplied,
            Code::CandidatesNeverApplied,
            "arrived, but the app never passed them to addIceCandidate",
            "Add every candidate that arrives, held back ones as well.",
        ),
    ] {
        let lost: Vec<VirtualTime> =
            fates.iter().filter(|(_, found)| *found == fate).map(|(at, _)| *at).collect();
        let Some(first) = lost.first() else { continue };
        let severity = match (connected, all_gone && exchanged) {
            (true, _) => Severity::Note,
            (false, true) => Severity::Error,
            (false, false) => Severity::Warning,
        };
        let of =
            if lost.len() == fates.len() { "all of them".to_owned() } else { format!("of {}", fates.len()) };
        let message =
            format!("{} of {} for {other} ({of}) {verb}", count(lost.len(), "candidate"), sender.id);
        findings.add(code, severity, Some(&sender.id), *first, message, advice);
    }
}

/// The candidates that a peer found, with their times: as its connection shows, else as it sent them.
fn gathered(trace: &Trace, sender: &Peer) -> Vec<(VirtualTime, Candidate)> {
    let own: Vec<(VirtualTime, Candidate)> = sender
        .connections
        .iter()
        .flat_map(|connection| &connection.entries)
        .filter_map(|entry| match &entry.event {
            PeerEvent::CandidateGathered { candidate } if !candidate.is_end() => {
                Some((entry.at, candidate.clone()))
            }
            _ => None,
        })
        .collect();
    if !own.is_empty() {
        return own;
    }
    let sent =
        trace.messages.iter().filter(|m| m.from == sender.id && m.signal.kind == SignalKind::Candidate);
    sent.filter_map(|message| Some((message.first_seen(), message.signal.candidate.clone()?))).collect()
}

fn end_of_call(trace: &Trace) -> VirtualTime {
    let closed = trace.peers.iter().flat_map(|peer| &peer.connections).filter_map(Connection::closed_at);
    let goodbye = trace.messages.iter().filter(|m| m.signal.kind == SignalKind::Bye).map(Message::first_seen);
    closed.chain(goodbye).min().unwrap_or(trace.ended_at).min(trace.ended_at)
}

/// The ICE generations of the descriptions of `sender` that were brought to an answer. Empty where the
/// capture shows none.
fn generations_in_use(trace: &Trace, sender: &Name) -> BTreeSet<String> {
    let mut ufrags = BTreeSet::new();
    for round in rounds(trace).into_iter().filter(super::super::rounds::Round::succeeded) {
        for message in [Some(round.offer), round.answer].into_iter().flatten().filter(|m| m.from == *sender) {
            let ufrag = message.signal.description.as_ref().and_then(|description| description.ufrag());
            ufrags.extend(ufrag.map(str::to_owned));
        }
    }
    ufrags
}

/// What the capture shows of the way from one peer to the other.
struct Ways<'t> {
    /// The sender's candidates on their way, by identity.
    messages: BTreeMap<String, &'t Message>,
    /// Without trickling, candidates travel within the description (RFC 8838 §4).
    in_descriptions: BTreeSet<String>,
    sees_sent: bool,
    sees_relayed: bool,
    sees_received: bool,
    sees_applied: bool,
    has_other: bool,
}

impl<'t> Ways<'t> {
    fn of(trace: &'t Trace, sender: &Peer) -> Self {
        let other = trace.peers.iter().find(|peer| peer.id != sender.id);
        let any = |sees: fn(&Message) -> bool| trace.messages.iter().any(sees);
        let (mut messages, mut in_descriptions) = (BTreeMap::new(), BTreeSet::new());
        for message in trace.messages.iter().filter(|message| message.from == sender.id) {
            if let Some(candidate) = &message.signal.candidate {
                messages.entry(candidate.identity()).or_insert(message);
            }
            if let Some(description) = &message.signal.description {
                in_descriptions.extend(description.candidates().map(|candidate| candidate.summary()));
            }
        }
        Self {
            // Where no candidate of it was seen at all, its signalling may have no bodies.
            sees_sent: !messages.is_empty() && (sender.signalling_captured || any(|m| m.relay_in.is_some())),
            sees_relayed: any(|message| message.relay_out.is_some()),
            sees_received: other.is_some_and(|other| other.signalling_captured)
                && any(|m| m.received.is_some()),
            sees_applied: other.is_some_and(shows_candidates),
            has_other: other.is_some(),
            messages,
            in_descriptions,
        }
    }

    /// `None` where the capture cannot tell.
    fn fate(&self, candidate: &Candidate) -> Option<Fate> {
        if self.in_descriptions.contains(&candidate.summary()) {
            return Some(Fate::Reached);
        }
        let Some(message) = self.messages.get(&candidate.identity()) else {
            return self.sees_sent.then_some(Fate::NeverSent);
        };
        let stopped = message.relay_in.is_some() && message.relay_out.is_none() && self.sees_relayed;
        let unheard =
            message.sent.is_some() && !message.inferred && message.received.is_none() && self.sees_received;
        Some(match message.applied {
            Some(_) => Fate::Reached,
            None if message.dropped.is_some() || stopped || unheard => Fate::LostOnTheWay,
            None if !self.has_other || !self.sees_applied => Fate::Reached,
            None if message.arrived().is_some() => Fate::NeverApplied,
            None => Fate::LostOnTheWay,
        })
    }
}
