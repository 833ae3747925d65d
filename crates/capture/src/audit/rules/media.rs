//! Microphone and camera.

use crate::{
    audit::{Code, Findings, Severity},
    trace::{CallResult, Method, PeerEvent, SignalKind, Trace},
};

/// A camera was switched on or off: the media go on, and only the application's own message tells.
pub(in crate::audit) fn video_toggled(trace: &Trace, findings: &mut Findings<'_>) {
    for message in trace.messages.iter().filter(|message| message.signal.kind == SignalKind::MediaState) {
        let what = match message.signal.media {
            Some(media) => match media.video {
                Some(true) => "switched its camera on",
                Some(false) => "switched its camera off",
                None => continue,
            },
            None => "switched its camera or microphone",
        };
        let text = format!("{} {what}", message.from);
        findings.add(Code::VideoToggled, Severity::Note, Some(&message.from), message.first_seen(), text, "");
    }
}

/// Microphone or camera could not be had.
pub(in crate::audit) fn denied(trace: &Trace, findings: &mut Findings<'_>) {
    for peer in &trace.peers {
        for entry in peer.connections.iter().flat_map(|connection| &connection.entries) {
            let PeerEvent::Call(call) = &entry.event else { continue };
            let asks = matches!(call.method, Method::GetUserMedia | Method::GetDisplayMedia);
            if let (true, CallResult::Failed(reason)) = (asks, &call.result) {
                let severity =
                    if findings.may_have_connected(trace) { Severity::Warning } else { Severity::Error };
                let message = format!("{} did not get its microphone or camera ({reason})", peer.id);
                let advice = "Ask the user to allow it in the browser and the system, and to close other programs that use it.";
                findings.add(Code::MediaDenied, severity, Some(&peer.id), entry.at, message, advice);
            }
        }
    }
}
