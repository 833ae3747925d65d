//! What a peer gathered, and from whom.

use timeline::{Machine, Name, VirtualTime};

use crate::{
    audit::{
        Code, Findings, Severity,
        finding::has_connected,
        rounds::{Round, rounds},
    },
    candidate::{Candidate, CandidateType},
    trace::{Connection, Peer, PeerEvent, SignalKind, Trace},
};

/// No candidates at all, or all of one kind.
pub(in crate::audit) fn kinds(trace: &Trace, findings: &mut Findings<'_>) {
    let exchanged = rounds(trace).iter().any(Round::succeeded);
    // What may be why is a hint only where there is something to explain.
    let explains = exchanged && !findings.may_have_connected(trace);
    for peer in &trace.peers {
        let Some(began) = described_at(trace, peer) else { continue };
        let candidates = candidates_of(trace, peer);
        let Some((first, _)) = candidates.first() else {
            no_candidates(trace, peer, began, findings);
            continue;
        };
        let severity = if explains { Severity::Warning } else { Severity::Note };
        let all =
            |wanted: &dyn Fn(&Candidate) -> bool| candidates.iter().all(|(_, candidate)| wanted(candidate));
        let name = &peer.id;
        let number = super::count(candidates.len(), "candidate");
        if all(&Candidate::is_mdns) {
            let message = format!(
                "{name} hid its addresses behind mDNS names ({number}): only somebody on the same local network can reach it"
            );
            let advice = "Configure STUN and TURN servers; pages without access to the microphone or camera hide addresses.";
            findings.add(Code::MdnsOnly, severity, Some(name), *first, message, advice);
        } else if all(&|candidate| candidate.kind() == Some(CandidateType::Host)) {
            let message = format!(
                "{name} gathered host candidates only ({number}): it can be reached on its own network, not through a NAT"
            );
            findings.add(
                Code::OnlyHostCandidates,
                severity,
                Some(name),
                *first,
                message,
                advice_for_host(peer),
            );
        } else if all(&|candidate| candidate.kind() == Some(CandidateType::Relay)) {
            let how = match policy(peer) {
                Some("relay") => "as its configuration asks",
                _ => "though its configuration does not ask for that, as far as the capture tells",
            };
            let message = format!("{name} gathered relay candidates only ({number}), {how}");
            findings.add(Code::RelayOnly, Severity::Note, Some(name), *first, message, "");
        }
    }
}

fn advice_for_host(peer: &Peer) -> &'static str {
    let servers = peer.connections.iter().filter_map(|connection| connection.configuration.as_ref());
    match servers.into_iter().any(|configuration| !configuration.ice_servers.is_empty()) {
        true => {
            "The configured STUN and TURN servers gave nothing: check that UDP to them is allowed, unless ICE connected before they could answer."
        }
        false => "Configure STUN and TURN servers, unless both sides are always on one network.",
    }
}

fn policy(peer: &Peer) -> Option<&str> {
    let configurations = peer.connections.iter().filter_map(|connection| connection.configuration.as_ref());
    configurations.into_iter().find_map(|configuration| configuration.ice_transport_policy.as_deref())
}

fn no_candidates(trace: &Trace, peer: &Peer, began: VirtualTime, findings: &mut Findings<'_>) {
    let ended = peer.connections.iter().map(Connection::ended_at).max().unwrap_or(trace.ended_at);
    let completed =
        peer.connections.iter().any(|c| c.transitions(Machine::Gathering).any(|(_, to)| to == "complete"));
    let watched = ended.since(began);
    let long_enough = completed || watched >= findings.thresholds.ice;
    // Captures without bodies show no candidates of a peer whose connection they do not show.
    let could_be_seen = !peer.connections.is_empty()
        || trace.messages.iter().any(|m| m.from == peer.id && m.signal.description.is_some());
    if long_enough && could_be_seen {
        let severity = if findings.may_have_connected(trace) { Severity::Note } else { Severity::Error };
        let message = format!("{} found no candidate at all: nobody can reach it", peer.id);
        let advice = "Check the device's network; a browser without a default route, or one whose policy forbids \
             host candidates, needs STUN or TURN servers.";
        findings.add(Code::NoCandidates, severity, Some(&peer.id), began, message, advice);
    }
}

/// When a peer's first description was there: from then on it gathers.
fn described_at(trace: &Trace, peer: &Peer) -> Option<VirtualTime> {
    let set = peer
        .connections
        .iter()
        .flat_map(Connection::calls)
        .find(|(_, call)| call.method == crate::trace::Method::SetLocalDescription);
    let sent = trace.messages.iter().find(|m| m.from == peer.id && m.signal.kind.is_description());
    set.map(|(at, _)| at).or(sent.map(crate::trace::Message::first_seen))
}

/// The candidates of a peer: as its connections show, else as it sent them, and those in its descriptions.
fn candidates_of(trace: &Trace, peer: &Peer) -> Vec<(VirtualTime, Candidate)> {
    let gathered = peer.connections.iter().flat_map(|connection| &connection.entries).filter_map(|entry| {
        match &entry.event {
            PeerEvent::CandidateGathered { candidate } if !candidate.is_end() => {
                Some((entry.at, candidate.clone()))
            }
            _ => None,
        }
    });
    let mut all: Vec<(VirtualTime, Candidate)> = gathered.collect();
    let sent = trace.messages.iter().filter(|message| message.from == peer.id);
    for message in sent {
        let at = message.first_seen();
        if message.signal.kind == SignalKind::Candidate && all.is_empty() {
            all.extend(message.signal.candidate.clone().map(|candidate| (at, candidate)));
        } else if message.signal.kind == SignalKind::Candidate && peer.connections.is_empty() {
            all.extend(message.signal.candidate.clone().map(|candidate| (at, candidate)));
        }
        // Candidates of a later description were gathered before it.
        let inside = message.signal.description.iter().flat_map(|d| d.candidates().collect::<Vec<_>>());
        all.extend(inside.map(|candidate| (at, candidate)));
    }
    all.retain(|(_, candidate)| candidate.kind().is_some() && !candidate.is_end());
    all.sort_by_key(|(at, _)| *at);
    all
}

/// STUN and TURN servers that refused or did not answer.
pub(in crate::audit) fn servers(trace: &Trace, findings: &mut Findings<'_>) {
    for peer in &trace.peers {
        let mut told: Vec<(Code, String)> = Vec::new();
        for entry in peer.connections.iter().flat_map(|connection| &connection.entries) {
            let PeerEvent::CandidateError { url, code, text } = &entry.event else { continue };
            let of = if matches!(code, 401 | 403 | 437 | 438 | 441 | 486 | 508) && url.starts_with("turn")
                || *code == 401
            {
                Code::TurnUnauthorized
            } else {
                Code::IceServerError
            };
            // One server answers once per interface and media section.
            if told.contains(&(of, url.clone())) {
                continue;
            }
            told.push((of, url.clone()));
            server_error(trace, &peer.id, of, entry.at, &format!("{code} {text}"), url, findings);
        }
    }
}

fn server_error(
    trace: &Trace,
    peer: &Name,
    code: Code,
    at: VirtualTime,
    error: &str,
    url: &str,
    findings: &mut Findings<'_>,
) {
    let server = if url.is_empty() { "the server" } else { url };
    let error = error.trim();
    if code == Code::TurnUnauthorized {
        let severity = if has_connected(trace) { Severity::Warning } else { Severity::Error };
        let message = format!("the TURN server {server} refused the credentials of {peer} ({error})");
        let advice = "Check user name, credential and realm; time-limited credentials expire, and need the same \
             clock on both servers.";
        findings.add(code, severity, Some(peer), at, message, advice);
    } else {
        let severity = if findings.may_have_connected(trace) { Severity::Note } else { Severity::Warning };
        let message = format!("{peer} got nothing from {server} ({error})");
        let advice =
            "Check that the server runs, that its name resolves, and that UDP and TCP to it are allowed.";
        findings.add(code, severity, Some(peer), at, message, advice);
    }
}

/// Gathering that did not end.
pub(in crate::audit) fn never_completed(trace: &Trace, findings: &mut Findings<'_>) {
    for peer in &trace.peers {
        for connection in &peer.connections {
            let last = connection.transitions(Machine::Gathering).last();
            let Some((began, "gathering")) = last else { continue };
            let ended_by_candidate = connection.entries.iter().any(|entry| {
                entry.at >= began
                    && matches!(&entry.event, PeerEvent::CandidateGathered { candidate } if candidate.is_end())
            });
            let until = connection.closed_at().unwrap_or(trace.ended_at);
            let took = until.since(began);
            if ended_by_candidate || took < findings.thresholds.gathering {
                continue;
            }
            let connected = connection.connected_at().is_some();
            let severity = if connected { Severity::Note } else { Severity::Warning };
            let message = format!("{} was still gathering candidates after {}", peer.id, super::human(took));
            let advice = "A STUN or TURN server that does not answer holds gathering up: do not wait for its end \
                 before sending the description, and check the servers.";
            findings.add(Code::GatheringNeverCompleted, severity, Some(&peer.id), began, message, advice);
        }
    }
}
