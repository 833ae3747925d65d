//! The app's signalling: one JSON object a line.

use rtc::peer_connection::transport::RTCIceCandidateInit;
use serde::{Deserialize, Serialize};
use webrtc::peer_connection::RTCSessionDescription;

/// A message. The server passes everything but `Join` on to all others in the room.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(crate) enum Wire {
    /// The first of a connection. Who joins again takes the place of the connection before.
    Join { room: String, name: String },
    /// An offer or an answer; an offer is a call.
    Description { description: Box<RTCSessionDescription> },
    /// A candidate of the description before it.
    Candidate { candidate: RTCIceCandidateInit },
    /// The call is over.
    Bye,
}

impl Wire {
    /// As a line.
    pub(crate) fn line(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string(self)? + "\n")
    }
}
