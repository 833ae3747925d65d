//! What makes two failures the same finding: the check, its cause, the last transition and the last step of the
//! handshakes. Times, seeds and figures in messages do not count.

use scenario::{record::RunRecord, suite::Played};
use timeline::{
    CallState, ConnectionState, Digest, DtlsContent, EndReason, Event, IceState, MessageKind, PacketRecord,
    Protocol, SignalingState, State, StunClass, VirtualTime,
};

use crate::row::Finding;

/// Why a run came out as it did: the code of its cause; without one its outcome.
pub(crate) fn cause(played: &Played) -> String {
    played.cause.as_ref().map_or_else(|| played.outcome.to_string(), |cause| cause.code.to_string())
}

/// The fingerprint of `finding`: 16 hexadecimal digits, the same on every machine and in every campaign.
pub fn fingerprint(finding: &Finding) -> String {
    let mut digest = Digest::new();
    for part in [&finding.check, &finding.cause, &finding.last_transition, &finding.last_step] {
        digest.update_u64(part.len() as u64);
        digest.update(part.as_bytes());
    }
    format!("{digest}").chars().take(16).collect()
}

/// The last transition of any state machine up to `at`. What ends every call comes last in every run and says nothing:
/// that counts only where nothing else came before it.
pub(crate) fn last_transition(record: Option<&RunRecord>, at: VirtualTime) -> String {
    let Some(record) = record else { return String::new() };
    let before = record.timeline.entries.iter().rev().skip_while(|entry| entry.at > at);
    let mut last = None;
    for entry in before {
        let Event::Transition { from, to, .. } = &entry.event else { continue };
        let line = || format!("{} {}: {from} → {to}", entry.actor, to.machine());
        if !ends_every_call(*to) {
            return line();
        }
        last.get_or_insert_with(line);
    }
    last.unwrap_or_default()
}

fn ends_every_call(state: State) -> bool {
    let ends = [
        State::Call(CallState::Ended(EndReason::HungUp)),
        State::Signaling(SignalingState::Closed),
        State::Ice(IceState::Closed),
        State::Connection(ConnectionState::Closed),
    ];
    ends.contains(&state)
}

/// How far the handshakes that make a connection had come at `at`: the last record of a DTLS handshake that arrived; before any,
/// the last answered connectivity check; before any, the last offer or answer.
pub(crate) fn last_step(record: Option<&RunRecord>, at: VirtualTime) -> String {
    let Some(record) = record else { return String::new() };
    let last = |is_step: fn(Protocol) -> bool| {
        let packets = record.timeline.packets.iter().rev().skip_while(|packet| packet.at > at);
        packets.filter(|packet| packet.verdict.arrived()).find(|packet| is_step(packet.protocol)).map(named)
    };
    last(is_dtls_handshake)
        .or_else(|| last(is_answered_check))
        .or_else(|| last_description(record, at))
        .unwrap_or_default()
}

fn named(packet: &PacketRecord) -> String {
    format!("{} {}", packet.from_host, packet.protocol)
}

const fn is_dtls_handshake(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::Dtls(DtlsContent::Handshake(_) | DtlsContent::ChangeCipherSpec))
}

const fn is_answered_check(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::Stun { class: StunClass::Success, method: 1 })
}

fn last_description(record: &RunRecord, at: VirtualTime) -> Option<String> {
    use MessageKind::{Answer, Offer};
    let before = record.timeline.entries.iter().rev().skip_while(|entry| entry.at > at);
    let mut steps = before.filter_map(|entry| match &entry.event {
        Event::MessageReceived { kind: kind @ (Offer | Answer), .. } => {
            Some(format!("{} receives the {kind}", entry.actor))
        }
        Event::MessageSent { kind: kind @ (Offer | Answer), .. } => {
            Some(format!("{} sends the {kind}", entry.actor))
        }
        _ => None,
    });
    steps.next()
}
