//! Several recordings, of one call or of many, become one trace per call, each on one clock.
//!
//! 1. `calls`: what belongs together is decided by call ids, by the origin of descriptions, and by ICE
//!    generations, never by file names.
//! 2. `participants`: who made a description is who sent it is who the server names: connections,
//!    sockets and names of one participant are found by what they made and got.
//! 3. `messages`: one message is seen at up to six places, in as many files; the sightings are joined.
//! 4. `clocks`: a message cannot arrive before it was sent. Where clocks of files contradict that, they are
//!    moved as network time protocols do: by half the difference of the shortest ways there and back.
//! 5. `assemble`: everything on one clock, from the first moment on.

mod assemble;
mod calls;
mod clocks;
mod messages;
mod participants;
mod sighting;
mod twins;
mod union;

use crate::{
    mapping::Unmapped,
    reader::{Format, Recording},
    trace::{Gap, Trace},
};

/// What a set of files shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Capture {
    /// The calls, in the order of their beginnings.
    pub calls: Vec<Trace>,
    /// Each file, in the order in which it was given.
    pub files: Vec<FileReport>,
    /// Messages that no mapping understood, of all files.
    pub unmapped: Unmapped,
}

/// What became of one file.
#[derive(Clone, Debug, PartialEq)]
pub struct FileReport {
    /// Its name as it was given.
    pub file: String,
    /// What it is.
    pub format: Format,
    /// What of it could not be read.
    pub gaps: Vec<Gap>,
    /// How many more gaps there were.
    pub gaps_left_out: u64,
    /// Why it adds nothing to any call, and what to do; `None` where it does add.
    pub adds_nothing: Option<String>,
}

/// Makes one trace per call of `recordings`.
pub fn merge(recordings: Vec<Recording>) -> Capture {
    let mut unmapped = Unmapped::default();
    for recording in &recordings {
        unmapped.merge(recording.unmapped.clone());
    }
    let parts = calls::split(&recordings);
    let used: Vec<usize> = parts.iter().flat_map(calls::CallParts::recordings).collect();
    let mut calls: Vec<Trace> = parts
        .into_iter()
        .enumerate()
        .filter_map(|(index, parts)| assemble::trace(index, parts, &recordings))
        .collect();
    calls.sort_by(|a, b| (a.began_us, &a.id).cmp(&(b.began_us, &b.id)));
    let files = recordings
        .into_iter()
        .enumerate()
        .map(|(index, recording)| FileReport {
            adds_nothing: (!used.contains(&index)).then(|| why_nothing(&recording)),
            file: recording.file,
            format: recording.format,
            gaps: recording.gaps,
            gaps_left_out: recording.gaps_left_out,
        })
        .collect();
    Capture { calls, files, unmapped }
}

fn why_nothing(recording: &Recording) -> String {
    let what = match recording.format {
        _ if recording.shows_nothing() && recording.is_partial() => {
            "what could be read of it shows neither a peer connection nor a signalling message"
        }
        Format::WebrtcInternals if recording.connections.is_empty() => {
            "the dump holds no peer connection: the page forgets them when they are closed. Ask for the \
             \"rtcstats dump\" of the same page, which keeps them, or for a dump that was made during the call"
        }
        Format::Rtcstats if recording.connections.is_empty() => {
            "the dump holds no peer connection: was it made in the browser that made the call?"
        }
        Format::Har if recording.unmapped.is_empty() => {
            "no message of the archive could be read as signalling: the developer tools must be open before the page \
             is loaded, and the application must signal over a WebSocket or in requests, in JSON, SIP or another form \
             that docs/replay.md lists"
        }
        _ if recording.unmapped.holds_signalling() => {
            "its messages are in a form that no mapping knows; write a mapping file"
        }
        _ => "it shows neither a peer connection that negotiated nor a signalling message of a call",
    };
    what.to_owned()
}
