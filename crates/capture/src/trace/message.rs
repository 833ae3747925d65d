use std::fmt;

use serde::{Deserialize, Serialize};
use timeline::{Name, VirtualTime};

use super::CallResult;
use crate::{candidate::Candidate, sdp::Description};

/// One signalling message on its way from one participant to another, with every moment at which it was
/// seen. A moment is `None` where nobody was looking, or where it never came that far: which of the two,
/// [`Peer::signalling_captured`](super::Peer::signalling_captured) tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// What it says.
    pub signal: Signal,
    /// Who sent it.
    pub from: Name,
    /// Who is to get it; `None` for one to everybody or to the server.
    pub to: Option<Name>,
    /// When its sender handed it to the transport. Where `inferred`: when the sender's API call that made it
    /// was done.
    pub sent: Option<VirtualTime>,
    /// When the server got it.
    pub relay_in: Option<VirtualTime>,
    /// When the server passed it on.
    pub relay_out: Option<VirtualTime>,
    /// When its addressee's application got it.
    pub received: Option<VirtualTime>,
    /// What the addressee's application did with it.
    pub applied: Option<Applied>,
    /// When the server dropped it.
    pub dropped: Option<VirtualTime>,
    /// Nobody saw the message itself: that it was sent follows from what both peer connections did.
    pub inferred: bool,
}

/// The API call with which an application applied a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// When the call began.
    pub at: VirtualTime,
    /// The key of the peer connection.
    pub connection: String,
    /// How it ended.
    pub result: CallResult,
}

impl Message {
    /// The first moment at which it was seen anywhere.
    pub fn first_seen(&self) -> VirtualTime {
        let applied = self.applied.as_ref().map(|applied| applied.at);
        let all = [self.sent, self.relay_in, self.dropped, self.relay_out, self.received, applied];
        all.into_iter().flatten().next().unwrap_or_default()
    }

    /// When it was there for its addressee, by the best evidence: received, passed on, applied.
    pub fn arrived(&self) -> Option<VirtualTime> {
        self.received.or(self.relay_out).or(self.applied.as_ref().map(|applied| applied.at))
    }

    /// When it left its sender, by the best evidence.
    pub fn departed(&self) -> Option<VirtualTime> {
        self.sent.or(self.relay_in)
    }
}

/// What a signalling message says, in the words of [`SignalKind`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// Its type.
    pub kind: SignalKind,
    /// The call that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// Who sent it, as the message says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Who is to get it, as the message says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The description that it carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// The candidate that it carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<Candidate>,
    /// Why: of a rejection, of a goodbye.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Which media are switched on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<MediaState>,
    /// What tells it from others of its type where the capture holds no bodies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What a media server says of the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Report>,
}

/// What a media server says of its connection with a participant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Report {
    /// ICE and DTLS are connected.
    Up,
    /// It failed, or was never made.
    Failed {
        /// The server's words.
        reason: String,
    },
    /// It ended without a failure.
    Ended {
        /// The server's words.
        reason: String,
    },
    /// An answer was sent again and again, and the other side acknowledged none of them.
    NotAcknowledged {
        /// How often it was sent.
        times: u32,
    },
    /// Many packets are lost.
    Slow {
        /// How many, where the server tells.
        lost: Option<u64>,
    },
    /// Whether the server receives media of this kind.
    Media {
        /// `audio` or `video`.
        kind: String,
        /// Whether it does.
        receiving: bool,
    },
}

impl Report {
    /// Whether a connection that was up ended because the other side closed it, which Janus reports as an alert of DTLS:
    /// `close_notify` is one.
    pub fn is_close_notify(&self) -> bool {
        matches!(self, Self::Failed { reason } if reason.eq_ignore_ascii_case("DTLS alert"))
    }

    /// For people: `hung up: ICE failed`.
    pub fn summary(&self) -> String {
        match self {
            Self::Up => "connected".to_owned(),
            Self::Failed { reason } => format!("failed: {reason}"),
            Self::Ended { reason } => format!("ended: {reason}"),
            Self::NotAcknowledged { times } => format!("answered {times} times, not acknowledged"),
            Self::Slow { lost: Some(lost) } => format!("slow link, {lost} packets lost"),
            Self::Slow { lost: None } => "slow link".to_owned(),
            Self::Media { kind, receiving: true } => format!("receives {kind}"),
            Self::Media { kind, receiving: false } => format!("receives no {kind}"),
        }
    }
}

/// Which media a message says are switched on; `None` where it does not mention one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaState {
    /// The microphone.
    pub audio: Option<bool>,
    /// The camera.
    pub video: Option<bool>,
}

/// The type of a signalling message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignalKind {
    /// A description of type offer.
    Offer,
    /// A description of type pranswer.
    Pranswer,
    /// A description of type answer.
    Answer,
    /// A candidate.
    Candidate,
    /// No more candidates come.
    EndOfCandidates,
    /// The caller calls.
    Ring,
    /// The callee's device rings.
    Ringing,
    /// The callee takes the call.
    Accept,
    /// The callee does not take the call.
    Reject,
    /// Goodbye.
    Bye,
    /// Microphone or camera were switched.
    MediaState,
    /// To the server: here I am.
    Join,
    /// From the server: you are in, or somebody else is.
    Joined,
    /// From the server: somebody is gone.
    PeerLeft,
    /// To see whether the line is alive, and its answer.
    Ping,
    /// Something was refused.
    Error,
    /// From a media server: how its connection fares.
    Report,
    /// Anything else, by the application's word for it; empty where the message names no type.
    #[serde(untagged)]
    Other(String),
}

impl Default for SignalKind {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

impl SignalKind {
    /// The types that have a word of ours, in the order of a call.
    pub const KNOWN: [Self; 17] = [
        Self::Join,
        Self::Joined,
        Self::Ring,
        Self::Ringing,
        Self::Accept,
        Self::Reject,
        Self::Offer,
        Self::Pranswer,
        Self::Answer,
        Self::Candidate,
        Self::EndOfCandidates,
        Self::MediaState,
        Self::Bye,
        Self::PeerLeft,
        Self::Ping,
        Self::Error,
        Self::Report,
    ];

    /// The word used in files and reports.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Offer => "offer",
            Self::Pranswer => "pranswer",
            Self::Answer => "answer",
            Self::Candidate => "candidate",
            Self::EndOfCandidates => "end-of-candidates",
            Self::Ring => "ring",
            Self::Ringing => "ringing",
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Bye => "bye",
            Self::MediaState => "media-state",
            Self::Join => "join",
            Self::Joined => "joined",
            Self::PeerLeft => "peer-left",
            Self::Ping => "ping",
            Self::Error => "error",
            Self::Report => "report",
            Self::Other(word) => word,
        }
    }

    /// The type of one of our own words.
    pub(crate) fn from_own_word(word: &str) -> Option<Self> {
        Self::KNOWN.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether it carries a description.
    pub const fn is_description(&self) -> bool {
        matches!(self, Self::Offer | Self::Pranswer | Self::Answer)
    }

    /// Whether it passes between two participants rather than between one and the server.
    pub(crate) const fn is_between_peers(&self) -> bool {
        !matches!(self, Self::Join | Self::Joined | Self::PeerLeft | Self::Ping | Self::Error | Self::Report)
    }
}

impl fmt::Display for SignalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Signal {
    /// A message of this type and nothing else.
    pub fn of(kind: SignalKind) -> Self {
        Self { kind, ..Self::default() }
    }

    /// What tells it from others of its type, for people: never SDP, never credentials.
    pub fn summary(&self) -> String {
        if let Some(candidate) = self.candidate.as_ref().filter(|candidate| !candidate.is_end()) {
            return candidate.summary();
        }
        if let Some(media) = self.media {
            let word = |name: &str, on: Option<bool>| {
                on.map(|on| format!("{name} {}", if on { "on" } else { "off" }))
            };
            let words: Vec<String> =
                [word("audio", media.audio), word("video", media.video)].into_iter().flatten().collect();
            return words.join(", ");
        }
        if let Some(report) = &self.report {
            return report.summary();
        }
        self.reason.clone().or_else(|| self.detail.clone()).unwrap_or_default()
    }
}
