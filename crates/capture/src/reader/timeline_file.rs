//! A timeline of this project (`timeline::Timeline` as JSON), of one call in a virtual world.
//!
//! It has neither SDP nor candidates' lines: messages are told apart by their type and their detail.

use timeline::{Event, Machine, Name, Timeline};

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
    match serde_json::from_slice::<Timeline>(&bytes) {
        Ok(timeline) => fill(&mut recording, timeline),
        Err(error) => {
            let position = Position { line: error.line() as u64, offset: offset(&bytes, &error) };
            recording.gap(position, format!("it is no timeline: {error}"));
        }
    }
    recording
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
            Event::MessageSent { kind, to, detail } => {
                let signal = signal(&kind, &detail, None, Some(to.to_string()));
                socket.frames.push(Frame { at, direction: FrameDirection::Sent, signal });
            }
            Event::MessageReceived { kind, from, detail } => {
                let signal = signal(&kind, &detail, Some(from.to_string()), None);
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

fn signal(kind: &str, detail: &str, from: Option<String>, to: Option<String>) -> Signal {
    let kind = SignalKind::from_own_word(kind).unwrap_or_else(|| SignalKind::Other(kind.to_owned()));
    let detail = (!detail.is_empty()).then(|| detail.to_owned());
    let reason = detail.clone().filter(|_| matches!(kind, SignalKind::Bye | SignalKind::Reject));
    Signal { kind, from, to, detail, reason, ..Signal::default() }
}

fn peer_event(event: Event) -> Option<PeerEvent> {
    Some(match event {
        Event::Transition { machine: Machine::Call, to, .. } => {
            PeerEvent::Note { text: format!("call: {to}") }
        }
        Event::Transition { machine, to, .. } => PeerEvent::State { machine, to: to.into_owned() },
        Event::Candidate { fate, candidate } => candidate_event(fate, &candidate),
        Event::CandidateError { detail } => candidate_error(&detail),
        Event::NegotiationNeeded { .. } => PeerEvent::NegotiationNeeded,
        Event::Track { change, kind } => PeerEvent::RemoteTrack {
            change: if change == "ended" { TrackChange::Ended } else { TrackChange::Added },
            track: TrackInfo { kind: kind.into_owned(), ..TrackInfo::default() },
        },
        Event::Action { what } | Event::Problem { what } | Event::Note { what } => {
            PeerEvent::Note { text: what.into_owned() }
        }
        _ => return None,
    })
}

/// A summary, `host udp 10.0.0.1:5`, is all that a timeline keeps of a candidate. It is written back as a line
/// in which only that much is true.
fn candidate_event(fate: timeline::CandidateFate, summary: &str) -> PeerEvent {
    let mut words = summary.split([' ', ',']);
    let kind = words.next().unwrap_or_default();
    let protocol = words.next().unwrap_or_default();
    let address = words.next().unwrap_or_default().trim_end_matches(':');
    let candidate = match address.rsplit_once(':') {
        Some((host, port)) => {
            let host = host.trim_matches(['[', ']']);
            Candidate::new(format!("candidate:0 1 {protocol} 0 {host} {port} typ {kind}"))
        }
        None => Candidate::default(),
    };
    let applied = |result| {
        let mut call = ApiCall::new(Method::AddIceCandidate);
        (call.candidate, call.result) = (Some(candidate.clone()), result);
        PeerEvent::Call(call)
    };
    match fate {
        timeline::CandidateFate::Gathered => PeerEvent::CandidateGathered { candidate },
        timeline::CandidateFate::Held => PeerEvent::CandidateHeld { candidate },
        timeline::CandidateFate::Applied => applied(CallResult::Succeeded),
        timeline::CandidateFate::Rejected => {
            let reason = summary.split_once(": ").map_or("", |(_, reason)| reason);
            applied(CallResult::Failed(reason.to_owned()))
        }
    }
}

/// `turn:10.0.0.1:3478: 401 Unauthorized`.
fn candidate_error(detail: &str) -> PeerEvent {
    let (url, rest) = detail.rsplit_once(": ").unwrap_or(("", detail));
    let (code, text) = rest.split_once(' ').unwrap_or((rest, ""));
    PeerEvent::CandidateError { url: url.to_owned(), code: code.parse().unwrap_or(0), text: text.to_owned() }
}
