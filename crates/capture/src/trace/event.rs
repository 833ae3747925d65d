use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
use timeline::State;

use crate::{candidate::Candidate, sdp::Description};

/// What happened on one peer connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PeerEvent {
    /// The application called a method.
    Call(ApiCall),
    /// A state machine moved.
    State {
        /// The state that it entered, which names the machine.
        #[serde(flatten, with = "state_words")]
        to: State,
    },
    /// `negotiationneeded` fired.
    NegotiationNeeded,
    /// `icecandidate` fired; an empty line is the end of the candidates.
    CandidateGathered {
        /// The candidate.
        candidate: Candidate,
    },
    /// The application keeps a remote candidate back until there is a remote description.
    CandidateHeld {
        /// The candidate, empty where the capture does not show it.
        candidate: Candidate,
    },
    /// `icecandidateerror` fired (W3C webrtc-pc §5.7.4).
    CandidateError {
        /// The server.
        url: String,
        /// The STUN error code, or 701.
        code: u16,
        /// The error's text.
        text: String,
    },
    /// A remote track came, went, or changed.
    RemoteTrack {
        /// What happened to it.
        change: TrackChange,
        /// The track.
        track: TrackInfo,
    },
    /// A transceiver was made or changed.
    Transceiver(TransceiverChange),
    /// A data channel was made here, announced by the other side, opened or closed.
    DataChannel {
        /// `created`, `announced`, `opened` or `closed`.
        change: String,
        /// Its label.
        label: String,
    },
    /// The application wrote something into its own log.
    Note {
        /// The line.
        text: String,
    },
    /// An entry that this reader has no word for.
    Other {
        /// Its type in the capture.
        name: String,
        /// Its value, cut to a few hundred characters.
        text: String,
    },
}

/// `{"machine":"ice","to":"connected"}`.
mod state_words {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
    use timeline::{Machine, State};

    #[derive(Serialize, Deserialize)]
    struct Words<'w> {
        machine: Machine,
        to: std::borrow::Cow<'w, str>,
    }

    pub(super) fn serialize<S: Serializer>(state: &State, serializer: S) -> Result<S::Ok, S::Error> {
        Words { machine: state.machine(), to: state.as_str().into() }.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<State, D::Error> {
        let Words { machine, to } = Words::deserialize(deserializer)?;
        machine.state(&to).ok_or_else(|| D::Error::custom(format!("`{to}` is no state of `{machine}`")))
    }
}

/// A call of one method of the WebRTC API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApiCall {
    /// The method.
    pub method: Method,
    /// The description that was made or set. For `setLocalDescription()` without an argument: the one that
    /// the browser made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// The candidate that was added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<Candidate>,
    /// The local track that was added or removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub track: Option<TrackInfo>,
    /// The argument's text where none of the others fits: constraints, options, a label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub argument: Option<String>,
    /// How long it took, `None` where its end was not captured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took: Option<Duration>,
    /// How it ended.
    pub result: CallResult,
}

impl ApiCall {
    /// A call whose end is not known yet.
    pub fn new(method: Method) -> Self {
        Self {
            method,
            description: None,
            candidate: None,
            track: None,
            argument: None,
            took: None,
            result: CallResult::Unknown,
        }
    }
}

/// How a call of the API ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallResult {
    /// It succeeded, or its kind leaves no trace of success and a failure would have been seen.
    Succeeded,
    /// It failed with this text.
    Failed(String),
    /// Its end was not captured.
    Unknown,
}

/// The methods that captures show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Method {
    /// `navigator.mediaDevices.getUserMedia`.
    GetUserMedia,
    /// `navigator.mediaDevices.getDisplayMedia`.
    GetDisplayMedia,
    /// `createOffer`.
    CreateOffer,
    /// `createAnswer`.
    CreateAnswer,
    /// `setLocalDescription`.
    SetLocalDescription,
    /// `setRemoteDescription`.
    SetRemoteDescription,
    /// `addIceCandidate`.
    AddIceCandidate,
    /// `addTrack` (and `addStream` of older applications).
    AddTrack,
    /// `removeTrack` (and `removeStream`).
    RemoveTrack,
    /// `addTransceiver`.
    AddTransceiver,
    /// `createDataChannel`.
    CreateDataChannel,
    /// `restartIce`.
    RestartIce,
    /// `setConfiguration`.
    SetConfiguration,
    /// `close`.
    Close,
}

impl Method {
    /// All methods.
    pub const ALL: [Self; 14] = [
        Self::GetUserMedia,
        Self::GetDisplayMedia,
        Self::CreateOffer,
        Self::CreateAnswer,
        Self::SetLocalDescription,
        Self::SetRemoteDescription,
        Self::AddIceCandidate,
        Self::AddTrack,
        Self::RemoveTrack,
        Self::AddTransceiver,
        Self::CreateDataChannel,
        Self::RestartIce,
        Self::SetConfiguration,
        Self::Close,
    ];

    /// The method's name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GetUserMedia => "getUserMedia",
            Self::GetDisplayMedia => "getDisplayMedia",
            Self::CreateOffer => "createOffer",
            Self::CreateAnswer => "createAnswer",
            Self::SetLocalDescription => "setLocalDescription",
            Self::SetRemoteDescription => "setRemoteDescription",
            Self::AddIceCandidate => "addIceCandidate",
            Self::AddTrack => "addTrack",
            Self::RemoveTrack => "removeTrack",
            Self::AddTransceiver => "addTransceiver",
            Self::CreateDataChannel => "createDataChannel",
            Self::RestartIce => "restartIce",
            Self::SetConfiguration => "setConfiguration",
            Self::Close => "close",
        }
    }

    /// The method of this name, without regard to case.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        let name = name.rsplit('.').next().unwrap_or(name);
        let name = match name.to_ascii_lowercase().as_str() {
            "addstream" => "addTrack",
            "removestream" => "removeTrack",
            _ => name,
        };
        Self::ALL.into_iter().find(|method| method.as_str().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A track, as far as the capture tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackInfo {
    /// `audio` or `video`.
    pub kind: String,
    /// Its id, empty where unknown.
    pub id: String,
    /// The streams that it belongs to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub streams: Vec<String>,
}

/// What became of a remote track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrackChange {
    /// `track` fired.
    Added,
    /// `removetrack` fired on its stream.
    Removed,
    /// `mute` fired.
    Muted,
    /// `unmute` fired.
    Unmuted,
    /// `ended` fired.
    Ended,
}

/// A transceiver that was made or changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransceiverChange {
    /// Whether it is new.
    pub added: bool,
    /// `audio` or `video`.
    pub kind: String,
    /// Its media section, once it has one. That it has none again shows a rollback.
    pub mid: Option<String>,
    /// The direction that the application wants.
    pub direction: Option<String>,
    /// The direction that was negotiated.
    pub current_direction: Option<String>,
    /// The method that made or changed it.
    pub reason: Option<String>,
    /// Whether it has a track of its own to send, where the capture tells.
    #[serde(default)]
    pub has_track: Option<bool>,
}
