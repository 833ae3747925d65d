//! Version 1 of a timeline, which says states, candidates and types of messages as text: `ended: hung-up`,
//! `host udp 10.0.0.1:50000: refused`. What no later reader needs of it is left out.

use serde::Deserialize;
use timeline::{
    CallState, CandidateAddress, CandidateFate, CandidateRef, CandidateType, EndReason, Entry, Event,
    IceProtocol, Machine, MediaKind, MessageKind, Name, Needed, State, Timeline, TrackChange, Trickle,
    VirtualTime,
};

#[derive(Deserialize)]
pub(super) struct Written {
    entries: Vec<WrittenEntry>,
}

#[derive(Deserialize)]
struct WrittenEntry {
    at: VirtualTime,
    actor: Name,
    #[serde(flatten)]
    event: WrittenEvent,
}

#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum WrittenEvent {
    Transition {
        machine: Machine,
        from: String,
        to: String,
    },
    MessageSent {
        kind: String,
        to: Name,
        detail: String,
    },
    MessageReceived {
        kind: String,
        from: Name,
        detail: String,
    },
    Candidate {
        fate: CandidateFate,
        candidate: String,
    },
    CandidateError {
        detail: String,
    },
    NegotiationNeeded,
    Track {
        change: String,
        kind: String,
    },
    Action {
        what: String,
    },
    Problem {
        what: String,
    },
    Note {
        what: String,
    },
    #[serde(other)]
    Other,
}

impl Written {
    /// The same in the present version; what it says in no known word is left out.
    pub(super) fn into_timeline(self) -> Timeline {
        let entry = |WrittenEntry { at, actor, event }| Some(Entry { at, actor, event: read(event)? });
        Timeline { entries: self.entries.into_iter().filter_map(entry).collect(), packets: Vec::new() }
    }
}

fn read(event: WrittenEvent) -> Option<Event> {
    // Messages had no numbers.
    let id = 0;
    Some(match event {
        WrittenEvent::Transition { machine, from, to } => {
            Event::Transition { from: state(machine, &from)?, to: state(machine, &to)?, cause: None }
        }
        WrittenEvent::MessageSent { kind, to, detail } => {
            Event::MessageSent { id, kind: MessageKind::from_word(&kind)?, to, detail: detail.into() }
        }
        WrittenEvent::MessageReceived { kind, from, detail } => {
            Event::MessageReceived { id, kind: MessageKind::from_word(&kind)?, from, detail: detail.into() }
        }
        WrittenEvent::Candidate { fate, candidate } => {
            let (text, error) = match candidate.split_once(": ") {
                Some((text, error)) => (text, Some(error.to_owned().into())),
                None => (candidate.as_str(), None),
            };
            Event::Candidate { fate, candidate: trickle(text), message: None, error }
        }
        WrittenEvent::CandidateError { detail } => {
            let (url, rest) = detail.rsplit_once(": ").unwrap_or(("", &detail));
            let (code, text) = rest.split_once(' ').unwrap_or((rest, ""));
            let (url, text) = (url.to_owned().into(), text.to_owned().into());
            Event::CandidateError { url, code: code.parse().unwrap_or(0), text }
        }
        // What the engine made of it, no reader asks.
        WrittenEvent::NegotiationNeeded => Event::NegotiationNeeded { verdict: Needed::Ignored },
        WrittenEvent::Track { change, kind } => {
            Event::Track { change: TrackChange::from_word(&change)?, kind: MediaKind::from_word(&kind)? }
        }
        WrittenEvent::Action { what } => Event::Action { what: what.into() },
        WrittenEvent::Problem { what } => Event::Problem { what: what.into() },
        WrittenEvent::Note { what } => Event::Note { what: what.into() },
        WrittenEvent::Other => return None,
    })
}

/// `connected`, `ended: hung-up`.
fn state(machine: Machine, text: &str) -> Option<State> {
    match text.split_once(": ") {
        Some(("ended", reason)) if machine == Machine::Call => {
            EndReason::from_word(reason).map(|reason| State::Call(CallState::Ended(reason)))
        }
        _ => machine.state(text),
    }
}

/// `host udp 10.0.0.1:50000`, `end of candidates`.
fn trickle(text: &str) -> Trickle {
    if text == "end of candidates" {
        return Trickle::EndOfCandidates;
    }
    let mut words = text.split(' ');
    let mut candidate = || {
        Some(CandidateRef {
            kind: CandidateType::from_word(words.next()?)?,
            protocol: IceProtocol::from_word(words.next()?)?,
            address: CandidateAddress::parse(words.next()?)?,
        })
    };
    candidate().map_or(Trickle::Unreadable, Trickle::Candidate)
}
