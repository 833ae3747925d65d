//! The log of one peer connection, entry by entry, as webrtc-internals and rtcstats dumps hold it: a type, a
//! value, a time.

use std::time::Duration;

use serde_json::Value;
use timeline::Machine;

use super::ConnectionLog;
use crate::{
    json,
    moment::Moment,
    trace::{ApiCall, CallResult, Method, PeerEvent, TrackChange},
};

/// Builds the log of one peer connection.
pub(super) struct PeerLog {
    log: ConnectionLog,
    /// Calls whose end is still to come: their place in the log, oldest first.
    open: Vec<usize>,
}

impl PeerLog {
    /// The log of the connection with this name, `page-number`.
    pub(super) fn new(key: &str) -> Self {
        let page = key.rsplit_once('-').map(|(page, _)| page.to_owned());
        Self::of(ConnectionLog { key: key.to_owned(), page, ..ConnectionLog::default() })
    }

    /// The log of a connection that the file names by its owner.
    pub(super) fn of_owner(owner: &str) -> Self {
        let (key, owner) = (owner.to_owned(), Some(owner.to_owned()));
        Self::of(ConnectionLog { key, owner, ..ConnectionLog::default() })
    }

    fn of(log: ConnectionLog) -> Self {
        Self { log, open: Vec::new() }
    }

    pub(super) fn log(&mut self) -> &mut ConnectionLog {
        &mut self.log
    }

    /// Adds one entry. `value` is unwrapped already.
    pub(super) fn entry(&mut self, at: Moment, name: &str, value: &Value) {
        if let Some((method, failed)) = outcome_of(name) {
            if self.end(at, method, failed, value) {
                return;
            }
        } else if let Some(event) = event(name, value) {
            self.log.entries.push((at, event));
            return;
        } else if let Some(method) = Method::from_name(name) {
            self.begin(at, method, value);
            return;
        }
        let text = json::text(value).unwrap_or_default();
        self.log.entries.push((at, PeerEvent::Other { name: name.to_owned(), text }));
    }

    pub(super) fn finish(mut self) -> ConnectionLog {
        for index in std::mem::take(&mut self.open) {
            // Success of this one leaves no entry; a failure would have.
            if let Some(call) = self.call_at(index).filter(|call| call.method == Method::AddIceCandidate) {
                call.result = CallResult::Succeeded;
            }
        }
        self.log
    }

    fn begin(&mut self, at: Moment, method: Method, value: &Value) {
        let mut call = ApiCall::new(method);
        match method {
            Method::SetLocalDescription | Method::SetRemoteDescription => {
                call.description = json::description(value);
            }
            Method::AddIceCandidate => call.candidate = json::candidate(value),
            Method::AddTrack | Method::RemoveTrack => call.track = Some(json::track(value, false)),
            Method::CreateDataChannel => {
                let label = value.get("label").and_then(Value::as_str).map(str::to_owned);
                call.argument = label.or_else(|| json::text(value));
            }
            _ => call.argument = json::text(value),
        }
        if has_outcome(method) {
            self.open.push(self.log.entries.len());
        } else {
            call.result = CallResult::Succeeded;
        }
        self.log.entries.push((at, PeerEvent::Call(call)));
    }

    /// The end of a call. False where no such call is open.
    fn end(&mut self, at: Moment, method: Method, failed: bool, value: &Value) -> bool {
        let matches =
            |index: &usize| self.log.entries.get(*index).is_some_and(|(_, event)| is_call(event, method));
        // Descriptions are set one after the other; a candidate's failure follows its call.
        let place = match method {
            Method::AddIceCandidate => self.open.iter().rposition(matches),
            _ => self.open.iter().position(matches),
        };
        let Some(place) = place else { return false };
        let index = self.open.remove(place);
        let began = self.log.entries[index].0;
        let description = json::description(value);
        let reason = json::text(value).unwrap_or_else(|| "no reason given".to_owned());
        let Some(call) = self.call_at(index) else { return false };
        call.took = Some(Duration::from_micros(u64::try_from(at.micros_since(began)).unwrap_or(0)));
        call.result = if failed { CallResult::Failed(reason) } else { CallResult::Succeeded };
        if call.description.is_none() && !failed {
            call.description = description;
        }
        true
    }

    fn call_at(&mut self, index: usize) -> Option<&mut ApiCall> {
        match self.log.entries.get_mut(index) {
            Some((_, PeerEvent::Call(call))) => Some(call),
            _ => None,
        }
    }
}

fn is_call(event: &PeerEvent, method: Method) -> bool {
    matches!(event, PeerEvent::Call(call) if call.method == method)
}

/// Whether the browser writes an entry when the call ends.
const fn has_outcome(method: Method) -> bool {
    matches!(
        method,
        Method::CreateOffer
            | Method::CreateAnswer
            | Method::SetLocalDescription
            | Method::SetRemoteDescription
            | Method::AddIceCandidate
    )
}

/// `setLocalDescriptionOnSuccess`, `…OnFailure`, `addIceCandidateFailed`: which method ended, and whether it
/// failed.
pub(super) fn outcome_of(name: &str) -> Option<(Method, bool)> {
    let endings = [("OnSuccess", false), ("OnFailure", true), ("Failed", true)];
    endings
        .iter()
        .find_map(|(ending, failed)| Some((Method::from_name(name.strip_suffix(ending)?)?, *failed)))
}

/// What an event's entry says. The names of the oldest form differ in case, those of the second in the
/// prefix.
fn event(name: &str, value: &Value) -> Option<PeerEvent> {
    let lower = name.to_ascii_lowercase();
    let bare = lower.strip_prefix("on").unwrap_or(&lower);
    let state = |machine| json::state(machine, value).map(|to| PeerEvent::State { to });
    match bare {
        "signalingstatechange" => state(Machine::Signaling),
        "iceconnectionstatechange" => state(Machine::Ice),
        "connectionstatechange" => state(Machine::Connection),
        "icegatheringstatechange" => state(Machine::Gathering),
        "icecandidate" => Some(PeerEvent::CandidateGathered { candidate: json::candidate(value)? }),
        "icecandidateerror" => Some(candidate_error(value)),
        "negotiationneeded" | "renegotiationneeded" => Some(PeerEvent::NegotiationNeeded),
        "track" => Some(remote_track(TrackChange::Added, value)),
        "addstream" if lower != bare => Some(remote_track(TrackChange::Added, value)),
        "removestream" if lower != bare => Some(remote_track(TrackChange::Removed, value)),
        "transceiveradded" => Some(PeerEvent::Transceiver(json::transceiver(value, true))),
        "transceivermodified" => Some(PeerEvent::Transceiver(json::transceiver(value, false))),
        "datachannel" => {
            let label = value.get("label").and_then(Value::as_str).map(str::to_owned);
            let label = label.or_else(|| json::text(value)).unwrap_or_default();
            Some(PeerEvent::DataChannel { change: "announced".to_owned(), label })
        }
        _ => None,
    }
}

fn remote_track(change: TrackChange, value: &Value) -> PeerEvent {
    PeerEvent::RemoteTrack { change, track: json::track(value, true) }
}

fn candidate_error(value: &Value) -> PeerEvent {
    let of = |key: &str| match value {
        Value::String(text) => json::field(text, key).map(str::to_owned),
        _ => value.get(key).and_then(json::text),
    };
    let code = of("error_code").or_else(|| of("errorCode")).and_then(|code| code.parse().ok());
    PeerEvent::CandidateError {
        url: of("url").unwrap_or_default(),
        code: code.unwrap_or(0),
        text: of("error_text").or_else(|| of("errorText")).unwrap_or_default(),
    }
}
