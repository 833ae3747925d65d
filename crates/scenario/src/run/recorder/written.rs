//! What engines report, in the words of the timeline.

use call_engine::EngineEvent;
use timeline::{CandidateFate, Event, MediaChange, MessageRef, StreamChange, TrackChange, Trickle};

/// An engine's event in the words of the timeline.
pub(super) fn written(event: EngineEvent) -> Option<Event> {
    Some(match event {
        EngineEvent::StateChanged { from, to, cause } => Event::Transition { from, to, cause },
        EngineEvent::MessageSent { id, kind, to, detail } => {
            Event::MessageSent { id, kind, to, detail: detail.into() }
        }
        EngineEvent::MessageReceived { id, kind, from, detail } => {
            Event::MessageReceived { id, kind, from, detail: detail.into() }
        }
        EngineEvent::CandidateGathered { candidate } => of(CandidateFate::Gathered, candidate, None),
        EngineEvent::CandidateHeld { candidate, message } => of(CandidateFate::Held, candidate, message),
        EngineEvent::CandidateApplied { candidate, message } => {
            of(CandidateFate::Applied, candidate, message)
        }
        EngineEvent::CandidateRejected { candidate, message, error } => {
            let (fate, error) = (CandidateFate::Rejected, Some(error.into()));
            Event::Candidate { fate, candidate, message, error }
        }
        EngineEvent::PairSelected { local, remote } => Event::PairSelected { local, remote },
        EngineEvent::CandidateError { url, code, text } => {
            Event::CandidateError { url: url.into(), code, text: text.into() }
        }
        EngineEvent::NegotiationNeeded { verdict } => Event::NegotiationNeeded { verdict },
        EngineEvent::Recovery { step, cause } => Event::Note { what: format!("{step} ({cause})").into() },
        EngineEvent::MediaPaused { kind } => Event::Media { kind, change: MediaChange::Paused },
        EngineEvent::MediaResumed { kind } => Event::Media { kind, change: MediaChange::ComesAgain },
        EngineEvent::HoldChanged { hold } => Event::Note { what: format!("hold: {hold}").into() },
        EngineEvent::CameraSwitched { label } => Event::Note { what: format!("camera: {label}").into() },
        EngineEvent::ScreenShared { shared: true } => Event::Note { what: "the screen is shared".into() },
        EngineEvent::ScreenShared { shared: false } => {
            Event::Note { what: "the screen is not shared any longer".into() }
        }
        EngineEvent::DataChannelOpen { delivery } => {
            Event::Note { what: format!("data channel {delivery}: open").into() }
        }
        EngineEvent::DataChannelClosed { delivery } => {
            Event::Note { what: format!("data channel {delivery}: closed").into() }
        }
        EngineEvent::DataChannelRefused { label } => Event::Problem {
            what: format!("the data channel `{label}` is refused: it is none of ours").into(),
        },
        EngineEvent::KeyFrameRequested => Event::Note { what: "a key frame is asked for".into() },
        EngineEvent::DataRefused { delivery, why } => {
            Event::Problem { what: format!("data channel {delivery}: a message was refused: {why}").into() }
        }
        EngineEvent::DataHeldBack { delivery, buffered } => Event::Note {
            what: format!("data channel {delivery}: {buffered} bytes are buffered, messages are held back")
                .into(),
        },
        EngineEvent::DataCaughtUp { delivery } => {
            Event::Note { what: format!("data channel {delivery}: no message waits any longer").into() }
        }
        EngineEvent::TrackAdded { kind } => Event::Track { change: TrackChange::Added, kind },
        EngineEvent::TrackEnded { kind } => Event::Track { change: TrackChange::Ended, kind },
        EngineEvent::StreamAdded { id } => Event::Stream { change: StreamChange::Added, id: id.into() },
        EngineEvent::StreamRemoved { id } => Event::Stream { change: StreamChange::Removed, id: id.into() },
        EngineEvent::Signaling { what } => Event::Note { what: what.into() },
        EngineEvent::Problem { what } => Event::Problem { what: what.into() },
        EngineEvent::Released { live_tracks: 0 } => Event::Note { what: "everything is released".into() },
        EngineEvent::Released { live_tracks } => Event::Problem {
            what: format!("{live_tracks} local tracks are still live after the call").into(),
        },
        // The ring message just before says the same.
        EngineEvent::IncomingCall { .. } => return None,
        _ => return None,
    })
}

fn of(fate: CandidateFate, candidate: Trickle, message: Option<MessageRef>) -> Event {
    Event::Candidate { fate, candidate, message, error: None }
}
