use serde::{Deserialize, Serialize};

use super::{ByeReason, Candidate, ErrorCode, ParticipantId, RejectReason, SessionId};

/// What one participant tells another, or a participant and the relay tell each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum Message {
    /// To the relay: this connection belongs to the envelope's sender. The first message on every
    /// connection; a transport sends it by itself.
    Join {
        /// The run of the client; see [`SessionId`].
        session: SessionId,
    },
    /// From the relay: the join was accepted, and messages may be sent.
    Joined,
    /// The caller calls.
    Ring {
        /// What the call is to carry.
        media: Media,
    },
    /// The callee's device rings.
    Ringing,
    /// The callee takes the call.
    Accept,
    /// The callee does not take the call.
    Reject {
        /// Why.
        reason: RejectReason,
    },
    /// A session description of type `offer` (RFC 8829 §3.2).
    Offer {
        /// The description (RFC 8866). Opaque here.
        sdp: String,
        /// The round of offer and answer, counted from 1 by the offerer within the call. It tells a
        /// late offer from a current one.
        negotiation: u64,
    },
    /// A session description of type `answer`.
    Answer {
        /// The description. Opaque here.
        sdp: String,
        /// The round of the offer that it answers.
        negotiation: u64,
    },
    /// The sender needs a new peer connection and asks the side that builds it to offer one.
    Renegotiate {
        /// The newest round that the sender knows. A receiver that has offered a later one has done
        /// what is asked already.
        negotiation: u64,
    },
    /// An ICE candidate (trickle ICE, RFC 8838).
    Candidate(Candidate),
    /// No further candidates come (RFC 8838 §13).
    EndOfCandidates {
        /// The media section, `None` for all of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sdp_mid: Option<String>,
        /// The ICE generation that has ended (RFC 8839 §5.4).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        username_fragment: Option<String>,
    },
    /// The sender has left the call.
    Bye {
        /// Why.
        reason: ByeReason,
    },
    /// From the relay: the connection of somebody whom the receiver has talked to in this call has ended, and no other
    /// has taken its place. A participant that polls over REST is never absent.
    Absent {
        /// Who.
        participant: ParticipantId,
    },
    /// From the relay: who was absent is connected again, in the same session.
    Present {
        /// Who.
        participant: ParticipantId,
    },
    /// From the relay: something that the participant sent was refused.
    Error {
        /// Why, for programs.
        code: ErrorCode,
        /// Why, for people.
        message: String,
        /// The id of the refused message, where it could be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<u64>,
    },
}

/// The media of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// Whether it has sound.
    #[serde(default)]
    pub audio: bool,
    /// Whether it has pictures.
    #[serde(default)]
    pub video: bool,
}

impl Message {
    /// What tells this message from others of its type, for transcripts: a reason, the summary of a
    /// candidate, the round of a negotiation. Empty where there is nothing to tell; never SDP,
    /// nor an ICE agent's credentials.
    pub fn detail(&self) -> String {
        match self {
            Self::Join { .. } | Self::Joined | Self::Ringing | Self::Accept => String::new(),
            Self::Ring { media } => media.to_string(),
            Self::Reject { reason } => reason.to_string(),
            Self::Offer { negotiation, .. } | Self::Answer { negotiation, .. } => {
                format!("round {negotiation}")
            }
            Self::Renegotiate { negotiation } => format!("after round {negotiation}"),
            Self::Candidate(candidate) => candidate.summary().to_string(),
            Self::EndOfCandidates { sdp_mid, .. } => {
                sdp_mid.as_ref().map_or_else(String::new, |mid| format!("mid {mid}"))
            }
            Self::Bye { reason } => reason.to_string(),
            Self::Absent { participant } | Self::Present { participant } => participant.to_string(),
            Self::Error { code, message, .. } => format!("{code}: {message}"),
        }
    }
}

impl std::fmt::Display for Media {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match (self.audio, self.video) {
            (true, true) => "audio+video",
            (true, false) => "audio",
            (false, true) => "video",
            (false, false) => "no media",
        })
    }
}
