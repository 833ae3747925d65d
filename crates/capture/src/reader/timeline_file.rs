//! A timeline of this project (`timeline::Timeline` as JSON), of one call in a virtual world.
//!
//! Version 1, which names no version, is read as well ([`version_1`]).
//!
//! It has neither SDP nor candidates' lines: messages are told apart by their type and their detail.

mod version_1;

use serde::Deserialize;
use timeline::{CandidateAddress, CandidateFate, Event, MessageKind, Name, State, Timeline, Trickle};

use super::{ConnectionLog, Frame, FrameDirection, Recording, SocketLog, input::Input};
use crate::{
    candidate::Candidate,
    error::Position,
    limits::Limits,
    moment::Moment,
    trace::{ApiCall, CallResult, Method, PeerEvent, Signal, SignalKind, TrackChange, TrackInfo},
};

pub(super) fn read(mut recording: Recording, input: &mut Input<'_>, limits: &Limits) -> Recording {
    use std::io::Read;
    recording.is_virtual = true;
    let mut bytes = Vec::new();
    // It is our own and small; what is longer than the memory that may be used is refused.
    let limit = u64::try_from(limits.memory_bytes / 8).unwrap_or(u64::MAX);
    if let Err(error) = input.take().take(limit).read_to_end(&mut bytes) {
        recording.gap(Position::default(), input.explain(&error));
    }
    match timeline_of(&bytes) {
        Ok(timeline) => fill(&mut recording, timeline),
        Err(error) => {
            let position = Position { line: error.line() as u64, offset: offset(&bytes, &error) };
            recording.gap(position, format!("it is no timeline: {error}"));
        }
    }
    recording
}

/// Version 1 names no version.
fn timeline_of(bytes: &[u8]) -> serde_json::Result<Timeline> {
    #[derive(Deserialize)]
    struct Head {
        version: Option<u64>,
    }
    match serde_json::from_slice::<Head>(bytes)?.version {
        None | Some(1) => serde_json::from_slice(bytes).map(version_1::Written::into_timeline),
        Some(_) => serde_json::from_slice(bytes),
    }
}

fn offset(bytes: &[u8], error: &serde_json::Error) -> u64 {
    let before = bytes.split_inclusive(|byte| *byte == b'\n').take(error.line().saturating_sub(1));
    (before.map(<[u8]>::len).sum::<usize>() + error.column()) as u64
}

fn fill(recording: &mut Recording, timeline: Timeline) {
    let mut peers: Vec<(Name, ConnectionLog, SocketLog)> = Vec::new();
    for entry in timeline.entries {
        let at = Moment::from_micros(i64::try_from(entry.at.as_nanos() / 1000).unwrap_or(i64::MAX));
        let place = peers.iter().position(|(name, ..)| *name == entry.actor).unwrap_or_else(|| {
            let owner = Some(entry.actor.to_string());
            let log = ConnectionLog {
                key: entry.actor.to_string(),
                owner: owner.clone(),
                ..ConnectionLog::default()
            };
            peers.push((entry.actor.clone(), log, SocketLog { owner, ..SocketLog::default() }));
            peers.len() - 1
        });
        let (_, log, socket) = &mut peers[place];
        match entry.event {
            Event::MessageSent { kind, to, detail, .. } => {
                let signal = signal(kind, &detail, None, Some(to.to_string()));
                socket.frames.push(Frame { at, direction: FrameDirection::Sent, signal });
            }
            Event::MessageReceived { kind, from, detail, .. } => {
                let signal = signal(kind, &detail, Some(from.to_string()), None);
                socket.frames.push(Frame { at, direction: FrameDirection::Received, signal });
            }
            event => log.entries.extend(peer_event(event).map(|event| (at, event))),
        }
    }
    for (_, log, socket) in peers {
        if log.entries.iter().any(|(_, event)| matches!(event, PeerEvent::State { .. })) {
            recording.connections.push(log);
        }
        if !socket.frames.is_empty() {
            recording.sockets.push(socket);
        }
    }
}

fn signal(kind: MessageKind, detail: &str, from: Option<String>, to: Option<String>) -> Signal {
    let word = kind.as_str();
    let kind = SignalKind::from_own_word(word).unwrap_or_else(|| SignalKind::Other(word.to_owned()));
    let detail = (!detail.is_empty()).then(|| detail.to_owned());
    let reason = detail.clone().filter(|_| matches!(kind, SignalKind::Bye | SignalKind::Reject));
    Signal { kind, from, to, detail, reason, ..Signal::default() }
}

fn peer_event(event: Event) -> Option<PeerEvent> {
    Some(match event {
        Event::Transition { to: State::Call(to), .. } => PeerEvent::Note { text: format!("call: {to}") },
        Event::Transition { to, .. } => PeerEvent::State { to },
        Event::Candidate { fate, candidate, error, .. } => {
            candidate_event(fate, &candidate, error.unwrap_or_default().into_owned())
        }
        Event::CandidateError { url, code, text } => {
            PeerEvent::CandidateError { url: url.into_owned(), code, text: text.into_owned() }
        }
        Event::NegotiationNeeded { .. } => PeerEvent::NegotiationNeeded,
        Event::Track { change, kind } => PeerEvent::RemoteTrack {
            change: match change {
                timeline::TrackChange::Added => TrackChange::Added,
                timeline::TrackChange::Ended => TrackChange::Ended,
            },
            track: TrackInfo { kind: kind.as_str().to_owned(), ..TrackInfo::default() },
        },
        Event::Action { what } | Event::Problem { what } | Event::Note { what } => {
            PeerEvent::Note { text: what.into_owned() }
        }
        _ => return None,
    })
}

/// A timeline keeps no more of a candidate than its type, protocol and address. It is written back as a line in which
/// only that much is true.
fn candidate_event(fate: CandidateFate, candidate: &Trickle, error: String) -> PeerEvent {
    let candidate = match candidate {
        Trickle::Candidate(candidate) => {
            let (host, port) = match &candidate.address {
                CandidateAddress::Ip(address) => (address.ip().to_string(), address.port()),
                CandidateAddress::Name(name, port) => (name.clone(), *port),
            };
            let (kind, protocol) = (candidate.kind, candidate.protocol);
            Candidate::new(format!("candidate:0 1 {protocol} 0 {host} {port} typ {kind}"))
        }
        Trickle::EndOfCandidates | Trickle::Unreadable => Candidate::default(),
    };
    let applied = |result| {
        let mut call = ApiCall::new(Method::AddIceCandidate);
        (call.candidate, call.result) = (Some(candidate.clone()), result);
        PeerEvent::Call(call)
    };
    match fate {
        CandidateFate::Gathered => PeerEvent::CandidateGathered { candidate },
        CandidateFate::Held => PeerEvent::CandidateHeld { candidate },
        CandidateFate::Applied => applied(CallResult::Succeeded),
        CandidateFate::Rejected => applied(CallResult::Failed(error)),
    }
}
