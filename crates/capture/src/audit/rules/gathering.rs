//! What a peer gathered, and from whom.

use std::net::IpAddr;

use timeline::{GatheringState, Machine, Name, State, VirtualTime};

use crate::{
    audit::{
        Code, Findings, Severity,
        finding::has_connected,
        rounds::{Round, rounds},
    },
    candidate::{Candidate, CandidateType},
    trace::{Connection, Outcome, Peer, PeerEvent, SignalKind, Trace},
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
            // Of a peer that was seen in messages only, and whose call came to no exchange, nothing can be said.
            if exchanged || !peer.connections.is_empty() {
                no_candidates(trace, peer, began, findings);
            }
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
        peer.connections.iter().any(|c| c.entered(State::Gathering(GatheringState::Complete)).is_some());
    let watched = ended.since(began);
    let long_enough = completed || watched >= findings.thresholds.ice;
    // Captures without bodies show no candidates of a peer whose connection they do not show; pages without states none.
    let could_be_seen = peer.connections.iter().any(Connection::shows_states)
        || peer.connections.is_empty()
            && trace.messages.iter().any(|m| m.from == peer.id && m.signal.description.is_some());
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
            // One server answers once per interface and media section. An error is one local address's: where another one
            // got a candidate from the server, it is the address that has no way to it, not the server that fails.
            if told.contains(&(of, url.clone())) || of == Code::IceServerError && gave_something(peer, url) {
                continue;
            }
            told.push((of, url.clone()));
            server_error(trace, &peer.id, of, entry.at, &format!("{code} {text}"), url, findings);
        }
    }
}

/// Whether any candidate of `peer` came from the server `url`; of captures whose candidates name no server, whether any
/// is of the kind that it gives.
fn gave_something(peer: &Peer, url: &str) -> bool {
    let entries = peer.connections.iter().flat_map(|connection| &connection.entries);
    let candidates: Vec<&Candidate> = entries
        .filter_map(|entry| match &entry.event {
            PeerEvent::CandidateGathered { candidate } => Some(candidate),
            _ => None,
        })
        .collect();
    if candidates.iter().any(|candidate| candidate.url.is_some()) {
        let named = candidates.iter().filter_map(|candidate| candidate.url.as_deref());
        return named.into_iter().any(|named| server_of(named) == server_of(url));
    }
    let given = if url.starts_with("turn") { CandidateType::Relay } else { CandidateType::Srflx };
    candidates.iter().any(|candidate| candidate.kind() == Some(given))
}

/// Host and port of `turn:host:3478?transport=udp`, whatever the scheme: a TURN server is a STUN server as well.
fn server_of(url: &str) -> String {
    let bare = url.split('?').next().unwrap_or_default();
    let (scheme, rest) = bare.split_once(':').unwrap_or(("stun", bare));
    let has_port = rest.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let port = if scheme.ends_with('s') { 5349 } else { 3478 };
    if has_port { rest.to_ascii_lowercase() } else { format!("{}:{port}", rest.to_ascii_lowercase()) }
}

/// Relayed addresses that nobody outside of the TURN server's network reaches. Within one network they are right: only
/// a call that did not connect by them has one too many.
pub(in crate::audit) fn private_relays(trace: &Trace, findings: &mut Findings<'_>) {
    if has_connected(trace) {
        return;
    }
    let exchanged = rounds(trace).iter().any(Round::succeeded);
    for peer in &trace.peers {
        let candidates = candidates_of(trace, peer);
        let of = |kind: CandidateType| {
            candidates.iter().filter(move |(_, candidate)| candidate.kind() == Some(kind))
        };
        let inside: Vec<&(VirtualTime, Candidate)> = of(CandidateType::Relay)
            .filter(|(_, candidate)| candidate.ip().is_some_and(is_private))
            .collect();
        let Some((at, first)) = inside.first() else { continue };
        // Somebody who reaches the server under an address of the same inside network is inside as well.
        let neighbour = trace.peers.iter().all(|peer| {
            let own = candidates_of(trace, peer);
            let mut hosts = own.iter().filter(|(_, it)| it.kind() == Some(CandidateType::Host));
            hosts.any(|(_, host)| host.ip().zip(first.ip()).is_some_and(|(host, relay)| is_near(host, relay)))
        });
        let known = trace.peers.iter().any(|peer| {
            let own = candidates_of(trace, peer);
            own.iter()
                .any(|(_, it)| !matches!(it.kind(), None | Some(CandidateType::Relay)) && it.ip().is_some())
        });
        let failed = matches!(trace.outcome(), Outcome::Failed | Outcome::NeverConnected);
        // Where neither a failure nor any other address was captured, everybody may be inside.
        if neighbour || !failed && !known || inside.len() < of(CandidateType::Relay).count() {
            continue;
        }
        let severity = if exchanged && failed { Severity::Error } else { Severity::Warning };
        let address = first.ip().map(|ip| ip.to_string()).unwrap_or_default();
        let server = first.url.as_deref().map(|url| format!(" (from {url})")).unwrap_or_default();
        let message = format!(
            "the relayed address of {}{server} is {address}, which is of an inside network: nobody outside of it reaches it",
            peer.id
        );
        findings.usual(Code::RelayAddressPrivate, severity, Some(&peer.id), *at, message);
    }
}

/// RFC 1918, RFC 6598, RFC 4193, link-local and loopback addresses.
const fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            ip.is_private() || ip.is_link_local() || ip.is_loopback() || a == 100 && b >= 64 && b < 128
        }
        IpAddr::V6(ip) => {
            let [first, ..] = ip.octets();
            ip.is_loopback() || ip.is_unicast_link_local() || first & 0xfe == 0xfc
        }
    }
}

/// Whether two addresses are of one network, as networks inside usually are cut: /16, or /48 of IPv6.
fn is_near(one: IpAddr, other: IpAddr) -> bool {
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => one.octets()[..2] == other.octets()[..2],
        (IpAddr::V6(one), IpAddr::V6(other)) => one.octets()[..6] == other.octets()[..6],
        _ => false,
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
            let Some((began, State::Gathering(GatheringState::Gathering))) = last else { continue };
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
