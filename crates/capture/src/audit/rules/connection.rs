//! Connections that never stood, or were lost.

use std::time::Duration;

use timeline::{IceState, Name, SignalingState, State, VirtualTime};

use super::human;
use crate::{
    audit::{
        Code, Findings, Severity,
        rounds::{Round, rounds},
    },
    trace::{
        Connection, Message, Method, Peer, ServerEvent, SignalKind, Trace, is_disconnected, is_failed, is_up,
    },
};

/// Both descriptions were there, and the connection did not come about: by ICE, or by DTLS.
pub(in crate::audit) fn never_connected(trace: &Trace, findings: &mut Findings<'_>) {
    let accepts = |round: &Round<'_>| {
        let answer = round.descriptions().map(|(_, answer)| answer.media());
        answer.is_none_or(|sections| sections.is_empty() || sections.iter().any(|section| section.active))
    };
    let rounds = rounds(trace);
    let all_refused = !rounds.is_empty() && !rounds.iter().any(accepts);
    for peer in &trace.peers {
        for connection in peer.connections.iter().filter(|connection| connection.connected_at().is_none()) {
            let Some(negotiated) = negotiated_at(connection) else { continue };
            // Where an answer refuses everything there is nothing to connect.
            if all_refused || !connection.shows_states() {
                continue;
            }
            let ice = connection.ice_connected_at();
            let failed = connection.failed_at();
            let until = failed.or(connection.closed_at()).unwrap_or(trace.observed_until);
            match ice {
                Some(ice) => dtls(peer, ice, until, failed.is_some(), findings),
                None => no_ice(peer, connection, negotiated, until, failed, findings),
            }
        }
    }
}

fn no_ice(
    peer: &Peer,
    connection: &Connection,
    negotiated: VirtualTime,
    until: VirtualTime,
    failed: Option<VirtualTime>,
    findings: &mut Findings<'_>,
) {
    let checking = connection.entered(State::Ice(IceState::Checking));
    let took = until.since(checking.unwrap_or(negotiated).max(negotiated));
    let severity = match took {
        _ if failed.is_some() => Severity::Error,
        took if took >= findings.thresholds.ice => Severity::Error,
        took if took >= findings.thresholds.ice_min => Severity::Warning,
        _ => return,
    };
    let what = match checking {
        Some(_) => "ICE tried every pair of candidates, and none worked",
        None => "ICE had nothing to try: no pair of candidates came together",
    };
    let message = format!("{} had both descriptions, but {what} within {}", peer.id, human(took));
    let advice = "Look at the candidates of both sides: is there a pair that a firewall does not block? A TURN server \
         over TCP or TLS reaches where UDP does not.";
    findings.add(
        Code::IceNeverConnected,
        severity,
        Some(&peer.id),
        failed.unwrap_or(negotiated),
        message,
        advice,
    );
}

fn dtls(peer: &Peer, ice: VirtualTime, until: VirtualTime, failed: bool, findings: &mut Findings<'_>) {
    let took = until.since(ice);
    if !failed && took < findings.thresholds.dtls {
        return;
    }
    let message = format!("{}'s ICE connected, but DTLS did not within {}", peer.id, human(took));
    let advice = "Compare the fingerprints of the descriptions with the certificates, and the DTLS roles (a=setup); \
         a network that passes small packets only stops the certificate.";
    findings.add(Code::DtlsNeverConnected, Severity::Error, Some(&peer.id), ice, message, advice);
}

/// When both descriptions were set.
fn negotiated_at(connection: &Connection) -> Option<VirtualTime> {
    let set = |method| {
        let calls = connection.calls_of(method);
        calls
            .filter(|(_, call)| !matches!(call.result, crate::trace::CallResult::Failed(_)))
            .map(|(at, _)| at)
            .next()
    };
    let (local, remote) = (set(Method::SetLocalDescription), set(Method::SetRemoteDescription));
    let stable = connection.entered(State::Signaling(SignalingState::Stable));
    // Logs that show no descriptions show the states.
    match (local, remote) {
        (Some(local), Some(remote)) => Some(local.max(remote)),
        (None, None) => stable,
        _ => None,
    }
}

/// More interruptions of one connection are not told one by one.
const MAX_OUTAGES: usize = 100;

/// A time without connection, after it had stood.
struct Outage {
    began: VirtualTime,
    recovered: Option<VirtualTime>,
    worst: State,
}

fn outages(connection: &Connection) -> Vec<Outage> {
    let Some(connected) = connection.connected_at() else { return Vec::new() };
    let mut outages: Vec<Outage> = Vec::new();
    for (at, state) in connection.health().filter(|(at, _)| *at >= connected) {
        let open = outages.last_mut().filter(|outage| outage.recovered.is_none());
        match open {
            None if is_disconnected(state) || is_failed(state) => {
                outages.push(Outage { began: at, recovered: None, worst: state });
            }
            Some(outage) if is_failed(state) => outage.worst = state,
            Some(outage) if is_up(state) => outage.recovered = Some(at),
            _ => {}
        }
    }
    outages
}

/// Connections that were lost, for a while or for good.
pub(in crate::audit) fn lost(trace: &Trace, findings: &mut Findings<'_>) {
    for peer in &trace.peers {
        for connection in &peer.connections {
            for outage in outages(connection).into_iter().take(MAX_OUTAGES) {
                match outage.recovered {
                    Some(recovered) => {
                        let took = human(recovered.since(outage.began));
                        let message = format!("{} lost the connection for {took}, and got it back", peer.id);
                        let advice = "The network was interrupted or changed; an ICE restart shortens that.";
                        findings.add(
                            Code::ConnectionLostAndRecovered,
                            Severity::Warning,
                            Some(&peer.id),
                            outage.began,
                            message,
                            advice,
                        );
                    }
                    None => for_good(trace, peer, &outage, findings),
                }
            }
        }
    }
}

fn for_good(trace: &Trace, peer: &Peer, outage: &Outage, findings: &mut Findings<'_>) {
    let message = format!("{} lost the connection (`{}`) and did not get it back", peer.id, outage.worst);
    let advice = "Restart ICE on `disconnected` that lasts, and end the call with a sentence for the user on `failed`.";
    findings.add(Code::ConnectionLost, Severity::Error, Some(&peer.id), outage.began, message, advice);
    let Some(other) = trace.peers.iter().find(|other| other.id != peer.id) else { return };
    let gone = match whereabouts(other, outage.began) {
        Whereabouts::Alive => return,
        Whereabouts::Closed(at) => {
            format!("{} closed its connection {} before", other.id, human(outage.began.since(at)))
        }
        Whereabouts::Silent => format!("nothing more was heard of {}", other.id),
    };
    let goodbye = goodbye(trace, &other.id, outage.began);
    let told = match goodbye {
        Some(_) => format!("; its goodbye came, but the app of {} did not end the call", peer.id),
        None if trace.messages.iter().all(|message| message.inferred) => {
            "; whether it said goodbye is not in this capture".to_owned()
        }
        None => ", without a goodbye".to_owned(),
    };
    let advice = match goodbye {
        Some(_) => {
            "Close the peer connection when the other side says goodbye: WebRTC itself takes many seconds to notice."
        }
        None => {
            "Say goodbye over signalling before closing, on page unload too, and let the server tell the others \
            when a connection ends: WebRTC itself takes many seconds to notice."
        }
    };
    findings.add(
        Code::RemoteVanished,
        Severity::Error,
        Some(&peer.id),
        outage.began,
        format!("{gone}{told}"),
        advice,
    );
}

/// What the other side's capture shows of it at a time.
enum Whereabouts {
    /// It was there, and lost the connection as well, or its log goes on.
    Alive,
    Closed(VirtualTime),
    /// Nothing more was captured of it.
    Silent,
}

fn whereabouts(other: &Peer, at: VirtualTime) -> Whereabouts {
    let closed =
        other.connections.iter().filter_map(Connection::closed_at).filter(|closed| *closed <= at).max();
    if let Some(closed) = closed {
        return Whereabouts::Closed(closed);
    }
    let suffers = other
        .connections
        .iter()
        .flat_map(outages)
        .any(|outage| outage.began.since(at).max(at.since(outage.began)) < Duration::from_secs(15));
    let goes_on =
        other.connections.iter().any(|connection| connection.ended_at() > at + Duration::from_secs(1));
    if suffers || goes_on { Whereabouts::Alive } else { Whereabouts::Silent }
}

fn goodbye<'t>(trace: &'t Trace, from: &Name, before: VirtualTime) -> Option<&'t Message> {
    trace.messages.iter().find(|message| {
        message.signal.kind == SignalKind::Bye && message.from == *from && message.first_seen() <= before
    })
}

/// Where no connection was captured: a participant whose signalling ended in the middle of an answered call.
pub(in crate::audit) fn vanished_from_signalling(trace: &Trace, findings: &mut Findings<'_>) {
    if trace.peers.iter().any(|peer| !peer.connections.is_empty()) {
        return;
    }
    let answered = trace.messages.iter().find(|message| message.signal.kind == SignalKind::Answer);
    let Some(answered) = answered.map(Message::first_seen) else { return };
    let ended = trace.messages.iter().any(|m| matches!(m.signal.kind, SignalKind::Bye | SignalKind::Reject));
    let closed = trace.server.iter().filter(|entry| matches!(entry.event, ServerEvent::Closed(_)));
    let closed = closed.map(|entry| (entry.at, entry.peer.clone()));
    let left = trace.messages.iter().filter(|message| message.signal.kind == SignalKind::PeerLeft);
    let left =
        left.filter_map(|message| Some((message.first_seen(), Name::new(message.signal.from.as_ref()?))));
    let first = closed.chain(left).filter(|(at, _)| *at > answered).min();
    let Some((at, gone)) = first.filter(|_| !ended) else { return };
    let message = format!("{gone} left the signalling in the middle of the call, without a goodbye");
    let advice = "Say goodbye before closing, on page unload too; a client that lost its connection to the server \
         should come back.";
    let survivor = trace.peers.iter().find(|peer| peer.id != gone).map(|peer| &peer.id);
    findings.add(Code::RemoteVanished, Severity::Warning, survivor, at, message, advice);
}
