use std::fmt;

use super::Message;

/// The types of messages, as `"type"` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// [`Message::Join`].
    Join,
    /// [`Message::Joined`].
    Joined,
    /// [`Message::Ring`].
    Ring,
    /// [`Message::Ringing`].
    Ringing,
    /// [`Message::Accept`].
    Accept,
    /// [`Message::Reject`].
    Reject,
    /// [`Message::Offer`].
    Offer,
    /// [`Message::Answer`].
    Answer,
    /// [`Message::Renegotiate`].
    Renegotiate,
    /// [`Message::Candidate`].
    Candidate,
    /// [`Message::EndOfCandidates`].
    EndOfCandidates,
    /// [`Message::Bye`].
    Bye,
    /// [`Message::Error`].
    Error,
}

impl Kind {
    /// All types, in the order in which a call first uses them.
    pub const ALL: [Self; 13] = [
        Self::Join,
        Self::Joined,
        Self::Ring,
        Self::Ringing,
        Self::Accept,
        Self::Reject,
        Self::Offer,
        Self::Answer,
        Self::Renegotiate,
        Self::Candidate,
        Self::EndOfCandidates,
        Self::Bye,
        Self::Error,
    ];

    /// The type of `message`.
    pub const fn of(message: &Message) -> Self {
        match message {
            Message::Join { .. } => Self::Join,
            Message::Joined => Self::Joined,
            Message::Ring { .. } => Self::Ring,
            Message::Ringing => Self::Ringing,
            Message::Accept => Self::Accept,
            Message::Reject { .. } => Self::Reject,
            Message::Offer { .. } => Self::Offer,
            Message::Answer { .. } => Self::Answer,
            Message::Renegotiate { .. } => Self::Renegotiate,
            Message::Candidate(_) => Self::Candidate,
            Message::EndOfCandidates { .. } => Self::EndOfCandidates,
            Message::Bye { .. } => Self::Bye,
            Message::Error { .. } => Self::Error,
        }
    }

    /// The word that stands in messages, transcripts and scenario files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Join => "join",
            Self::Joined => "joined",
            Self::Ring => "ring",
            Self::Ringing => "ringing",
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Offer => "offer",
            Self::Answer => "answer",
            Self::Renegotiate => "renegotiate",
            Self::Candidate => "candidate",
            Self::EndOfCandidates => "end-of-candidates",
            Self::Bye => "bye",
            Self::Error => "error",
        }
    }

    /// Whether it passes between a participant and the relay itself, so that no participant may
    /// address it to another.
    pub const fn is_for_relay(self) -> bool {
        matches!(self, Self::Join | Self::Joined | Self::Error)
    }

    /// The fields that a body of this type cannot do without.
    pub(super) const fn required_fields(self) -> &'static [&'static str] {
        match self {
            Self::Join => &["session"],
            Self::Ring => &["media"],
            Self::Reject | Self::Bye => &["reason"],
            Self::Offer | Self::Answer => &["sdp", "negotiation"],
            Self::Renegotiate => &["negotiation"],
            Self::Candidate => &["candidate"],
            Self::Error => &["code", "message"],
            Self::Joined | Self::Ringing | Self::Accept | Self::EndOfCandidates => &[],
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
