//! A page's own log of what happened on its peer connection and its signalling, one JSON object a line:
//! `{"ts":1795415919786.1,"peer":"alice","ev":"signalingstatechange","state":"have-local-offer"}`.
//!
//! | `ev` | further fields |
//! |---|---|
//! | `METHOD.start`, `METHOD.ok`, `METHOD.failed` | `error`; `METHOD` is the API's name, with the description's type in brackets: `setLocalDescription(offer)` |
//! | `signalingstatechange`, `icegatheringstatechange`, `iceconnectionstatechange`, `connectionstatechange` | `state` |
//! | `icecandidate` | `candidate`, `sdpMid`, `sdpMLineIndex`; a `null` candidate is the end |
//! | `icecandidateerror` | `url`, `errorCode`, `errorText` |
//! | `candidate.queued` | the application holds a remote candidate back |
//! | `track`, `track.mute`, `track.unmute`, `track.ended` | `kind` |
//! | `addTrack`, `removeTrack`, `restartIce`, `pc.new`, `pc.close`, `gum` | `kind` |
//! | `sig.send`, `sig.recv` | `type`: the message's type; bodies are not logged |
//!
//! The peers of one call may share one file. Such a log has neither SDP nor call ids.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    Frame, FrameDirection, Recording, SocketLog,
    input::{Budget, Input},
    lines::{LineError, for_each_line, object},
    peer_log::PeerLog,
};
use crate::{
    candidate::Candidate,
    json,
    limits::Limits,
    mapping,
    moment::Moment,
    trace::{PeerEvent, Signal, SignalKind, TrackChange, TrackInfo},
};

pub(super) fn read(mut recording: Recording, input: &mut Input<'_>, limits: &Limits) -> Recording {
    let mut peers: BTreeMap<String, Peer> = BTreeMap::new();
    for_each_line(&mut recording, input, limits, |recording, text, budget| {
        recording.observe(line(&mut peers, text, budget)?);
        Ok(())
    });
    for (name, peer) in peers {
        if peer.has_connection {
            recording.connections.push(peer.log.finish());
        }
        if !peer.frames.is_empty() {
            recording.sockets.push(SocketLog {
                page: Some(name.clone()),
                owner: Some(name),
                url: None,
                frames: peer.frames,
                not_understood: 0,
            });
        }
    }
    recording
}

struct Peer {
    log: PeerLog,
    has_connection: bool,
    frames: Vec<Frame>,
}

/// When the line was written.
fn line(peers: &mut BTreeMap<String, Peer>, text: &str, budget: &mut Budget) -> Result<Moment, LineError> {
    let fields = object(text)?;
    let missing = |what| LineError::Missing { what };
    let at = fields.get("ts").and_then(Value::as_f64).and_then(Moment::from_millis);
    let at = at.ok_or(missing("time (`ts`)"))?;
    let name = fields.get("ev").and_then(Value::as_str).ok_or(missing("event (`ev`)"))?;
    let owner = fields.get("peer").and_then(Value::as_str).unwrap_or("page");
    if !budget.take(text.len()) {
        return Ok(at);
    }
    let peer = peers.entry(owner.to_owned()).or_insert_with(|| Peer {
        log: PeerLog::of_owner(owner),
        has_connection: false,
        frames: Vec::new(),
    });
    peer.entry(at, name, &fields);
    Ok(at)
}

impl Peer {
    fn entry(&mut self, at: Moment, name: &str, fields: &Map<String, Value>) {
        match name {
            "sig.send" => self.frame(at, FrameDirection::Sent, fields),
            "sig.recv" => self.frame(at, FrameDirection::Received, fields),
            "pc.new" => {
                self.has_connection = true;
                self.log.log().created = Some(at);
            }
            "pc.close" => self.log.entry(at, "close", &Value::Null),
            _ => match event(name, fields) {
                Some(event) => self.log.log().entries.push((at, event)),
                None => self.call(at, name, fields),
            },
        }
        self.has_connection |= name.ends_with("statechange");
    }

    /// `setLocalDescription(offer).start`, `….ok`, `….failed`; `addTrack`.
    fn call(&mut self, at: Moment, name: &str, fields: &Map<String, Value>) {
        let (head, ending) = name.rsplit_once('.').unwrap_or((name, ""));
        let (method, argument) = head.split_once('(').unwrap_or((head, ""));
        let argument = argument.trim_end_matches(')');
        let value = match argument {
            "" => fields.get("kind").map_or(Value::Null, |kind| serde_json::json!({ "kind": kind })),
            kind => serde_json::json!({ "type": kind, "sdp": "" }),
        };
        let error = || fields.get("error").cloned().unwrap_or_default();
        match ending {
            "ok" => self.log.entry(at, &format!("{method}OnSuccess"), &value),
            "failed" | "fail" | "error" | "err" => {
                self.log.entry(at, &format!("{method}OnFailure"), &error())
            }
            "start" => self.log.entry(at, method, &value),
            _ => self.log.entry(at, name, &value),
        }
    }

    fn frame(&mut self, at: Moment, direction: FrameDirection, fields: &Map<String, Value>) {
        let word = fields.get("type").and_then(Value::as_str).unwrap_or_default();
        let kind = mapping::kind_of(word).unwrap_or_else(|| SignalKind::Other(word.to_owned()));
        self.frames.push(Frame { at, direction, signal: Signal::of(kind) });
    }
}

fn event(name: &str, fields: &Map<String, Value>) -> Option<PeerEvent> {
    let of = |key: &str| fields.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let track = |change| {
        let track = TrackInfo { kind: of("kind"), ..TrackInfo::default() };
        Some(PeerEvent::RemoteTrack { change, track })
    };
    match name {
        "track" => track(TrackChange::Added),
        "track.mute" => track(TrackChange::Muted),
        "track.unmute" => track(TrackChange::Unmuted),
        "track.ended" => track(TrackChange::Ended),
        "candidate.queued" => Some(PeerEvent::CandidateHeld { candidate: Candidate::default() }),
        "icecandidate" => {
            let value = Value::Object(fields.clone());
            Some(PeerEvent::CandidateGathered { candidate: json::candidate(&value).unwrap_or_default() })
        }
        "datachannel" => Some(PeerEvent::DataChannel { change: "announced".to_owned(), label: of("label") }),
        "dc.open" => Some(PeerEvent::DataChannel { change: "opened".to_owned(), label: of("label") }),
        "dc.close" => Some(PeerEvent::DataChannel { change: "closed".to_owned(), label: of("label") }),
        _ => {
            let state = fields.get("state")?.clone();
            let mut log = PeerLog::new("");
            log.entry(Moment::default(), name, &state);
            match log.finish().entries.pop()?.1 {
                event @ PeerEvent::State { .. } => Some(event),
                _ => None,
            }
        }
    }
}
