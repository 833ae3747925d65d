pub use timeline::{PacketPosition, ReceivedPacket};

use rtc::rtp;
use serde::{Serialize, Serializer, ser::SerializeStruct as _};
use signaller::{CallId, Kind, ParticipantId};
use timeline::{CandidateRef, Cause, Delivery, MediaKind, MessageRef, Needed, State, Trickle};

use crate::{
    DataMessage, DataRefusal, Hold, ReceivedFrame, RecoveryCause, RecoveryStep, RemoteTrack, Statistics,
};

/// Who is told what the engine does: the application's user interface, its log, a test.
///
/// Called from the engine's own tasks: an observer that blocks holds up the call.
pub trait Observer: Send + Sync + 'static {
    /// Something happened.
    fn on_event(&self, event: EngineEvent);

    /// A local frame of `bytes` bytes was handed to the transport.
    fn on_frame_sent(&self, _kind: MediaKind, _bytes: usize) {}

    /// An RTP packet arrived and was decrypted.
    fn on_packet_received(&self, _packet: ReceivedPacket) {}

    /// The same packet with its header and payload. Nothing is kept of it.
    fn on_rtp(&self, _track: &RemoteTrack, _packet: &rtp::Packet) {}

    /// A whole frame of the other side arrived, where [`Settings::frames`](crate::Settings::frames) asks
    /// for them: what a decoder takes.
    fn on_frame_received(&self, _frame: ReceivedFrame) {}

    /// A message arrived on a data channel.
    fn on_data(&self, _delivery: Delivery, _message: &DataMessage) {}

    /// A message was handed to a data channel, of whose messages `bytes` bytes are now not acknowledged.
    fn on_data_buffered(&self, _delivery: Delivery, _bytes: usize) {}

    /// Statistics were taken, as often as [`Settings::statistics`](crate::Settings::statistics) says.
    fn on_statistics(&self, _statistics: Statistics) {}
}

/// What the engine tells its application. As JSON: `{"event":"track-added","kind":"audio"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EngineEvent {
    /// Somebody rings.
    IncomingCall {
        /// Which call.
        call: CallId,
        /// Who.
        from: ParticipantId,
    },
    /// A state machine moved.
    StateChanged {
        /// The state it left.
        #[serde(serialize_with = "machine_and_state")]
        from: State,
        /// The state it entered, of the same machine.
        #[serde(serialize_with = "machine_and_state")]
        to: State,
        /// What made it move, where that is known.
        cause: Option<Cause>,
    },
    /// A message was handed to the signalling transport.
    MessageSent {
        /// The number that the transport gave it.
        id: u64,
        /// Its type.
        kind: Kind,
        /// To whom.
        to: ParticipantId,
        /// What tells it from others of its type.
        detail: String,
    },
    /// A message arrived from the signalling transport.
    MessageReceived {
        /// Its sender's number for it.
        id: u64,
        /// Its type.
        kind: Kind,
        /// From whom.
        from: ParticipantId,
        /// What tells it from others of its type.
        detail: String,
    },
    /// `icecandidate`: the local ICE agent found one.
    CandidateGathered {
        /// Which one.
        candidate: Trickle,
    },
    /// A remote candidate, or the end of them, came before the remote description and is held back.
    CandidateHeld {
        /// Which one.
        candidate: Trickle,
        /// The message that brought it, if one did.
        message: Option<MessageRef>,
    },
    /// A remote candidate, or the end of them, was applied.
    CandidateApplied {
        /// Which one.
        candidate: Trickle,
        /// The message that brought it, if one did.
        message: Option<MessageRef>,
    },
    /// A remote candidate, or the end of them, was refused.
    CandidateRejected {
        /// Which one.
        candidate: Trickle,
        /// The message that brought it, if one did.
        message: Option<MessageRef>,
        /// Why.
        error: String,
    },
    /// `icecandidateerror`.
    CandidateError {
        /// The server.
        url: String,
        /// The STUN error code, or 701 for a server that cannot be reached (W3C webrtc-pc §5.7.4).
        code: u16,
        /// The error's text.
        text: String,
    },
    /// ICE selected a candidate pair: over which way the call goes.
    PairSelected {
        /// The local candidate.
        local: CandidateRef,
        /// The remote candidate.
        remote: CandidateRef,
    },
    /// `negotiationneeded`, and what the engine made of it.
    NegotiationNeeded {
        /// What it made of it.
        verdict: Needed,
    },
    /// The recovery of the connection takes a step.
    Recovery {
        /// Which one.
        step: RecoveryStep,
        /// Why.
        cause: RecoveryCause,
    },
    /// `track`: the other side's track is there.
    TrackAdded {
        /// Audio or video.
        kind: MediaKind,
    },
    /// The other side's track ended.
    TrackEnded {
        /// Audio or video.
        kind: MediaKind,
    },
    /// Nothing has come of the other side's track for [`Settings::media_silence`]: it is muted, held, or
    /// the connection is gone.
    ///
    /// [`Settings::media_silence`]: crate::Settings::media_silence
    MediaPaused {
        /// Audio or video.
        kind: MediaKind,
    },
    /// Its media comes again.
    MediaResumed {
        /// Audio or video.
        kind: MediaKind,
    },
    /// The call was put on hold here, or resumed.
    HoldChanged {
        /// Which.
        hold: Hold,
    },
    /// Another camera is in use. Nothing was renegotiated.
    CameraSwitched {
        /// Its label.
        label: String,
    },
    /// The screen is shared, or is not any longer.
    ScreenShared {
        /// Whether it is.
        shared: bool,
    },
    /// A data channel is open.
    DataChannelOpen {
        /// Which one.
        delivery: Delivery,
    },
    /// A data channel is closed.
    DataChannelClosed {
        /// Which one.
        delivery: Delivery,
    },
    /// The other side opened a data channel that is none of the engine's two: it was closed, which the
    /// other side sees. The engine's channels are labelled `ordered` and `unordered`.
    DataChannelRefused {
        /// Its label.
        label: String,
    },
    /// The other side asked for a key frame (PLI or FIR): the track's source was told.
    KeyFrameRequested,
    /// A message was refused: it will not be sent.
    DataRefused {
        /// For which channel.
        delivery: Delivery,
        /// Why.
        why: DataRefusal,
    },
    /// The application writes faster than the link carries: as much is buffered as may
    /// ([`DataSettings::buffered_bytes`]), and messages wait in the engine.
    ///
    /// [`DataSettings::buffered_bytes`]: crate::DataSettings::buffered_bytes
    DataHeldBack {
        /// For which channel.
        delivery: Delivery,
        /// What was handed over and is not acknowledged, bytes.
        buffered: usize,
    },
    /// After that: no message waits any longer.
    DataCaughtUp {
        /// For which channel.
        delivery: Delivery,
    },
    /// The guide's older `addstream`: the first track of a stream is there.
    StreamAdded {
        /// The stream's id.
        id: String,
    },
    /// The guide's older `removestream`: the last track of a stream ended.
    StreamRemoved {
        /// The stream's id.
        id: String,
    },
    /// The signalling transport went up or down.
    Signaling {
        /// In words.
        what: String,
    },
    /// Something went wrong that does not end the call by itself, or that explains its end.
    Problem {
        /// In words.
        what: String,
    },
    /// Everything that the call held is released: tracks stopped, peer closed, timers gone.
    Released {
        /// Local tracks that are still live; 0 unless the application keeps them.
        live_tracks: usize,
    },
}

/// A state with its machine: `{"machine":"ice","state":"checking"}`.
fn machine_and_state<S: Serializer>(state: &State, serializer: S) -> Result<S::Ok, S::Error> {
    let mut object = serializer.serialize_struct("State", 2)?;
    object.serialize_field("machine", &state.machine())?;
    object.serialize_field("state", &state.to_string())?;
    object.end()
}

#[cfg(test)]
mod tests {
    use timeline::{ConnectionState, IceState};

    use super::*;
    use crate::{RecoveryCause, RecoveryStep};

    #[track_caller]
    fn check(event: &EngineEvent, expect: &str) {
        assert_eq!(serde_json::to_string(event).unwrap(), expect);
    }

    #[test]
    fn events_are_json() {
        check(
            &EngineEvent::TrackAdded { kind: MediaKind::Audio },
            r#"{"event":"track-added","kind":"audio"}"#,
        );
        check(
            &EngineEvent::StateChanged {
                from: State::Ice(IceState::New),
                to: State::Ice(IceState::Checking),
                cause: None,
            },
            r#"{"event":"state-changed","from":{"machine":"ice","state":"new"},"to":{"machine":"ice","state":"checking"},"cause":null}"#,
        );
        check(
            &EngineEvent::StateChanged {
                from: State::Connection(ConnectionState::Connecting),
                to: State::Connection(ConnectionState::Connected),
                cause: Some(Cause::IceAndDtlsConnected),
            },
            r#"{"event":"state-changed","from":{"machine":"connection","state":"connecting"},"to":{"machine":"connection","state":"connected"},"cause":"ice and dtls are connected"}"#,
        );
        check(
            &EngineEvent::Recovery { step: RecoveryStep::IceRestart, cause: RecoveryCause::NetworkChanged },
            r#"{"event":"recovery","step":"ice restart","cause":"the network changed"}"#,
        );
        check(&EngineEvent::KeyFrameRequested, r#"{"event":"key-frame-requested"}"#);
    }
}
