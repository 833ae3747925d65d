//! The types of messages, as `"type"` names them.

pub use timeline::MessageKind as Kind;

use super::Message;

impl Message {
    /// Its type.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Join { .. } => Kind::Join,
            Self::Joined => Kind::Joined,
            Self::Ring { .. } => Kind::Ring,
            Self::Ringing => Kind::Ringing,
            Self::Accept => Kind::Accept,
            Self::Reject { .. } => Kind::Reject,
            Self::Offer { .. } => Kind::Offer,
            Self::Answer { .. } => Kind::Answer,
            Self::Renegotiate { .. } => Kind::Renegotiate,
            Self::Candidate(_) => Kind::Candidate,
            Self::EndOfCandidates { .. } => Kind::EndOfCandidates,
            Self::Bye { .. } => Kind::Bye,
            Self::Absent { .. } => Kind::Absent,
            Self::Present { .. } => Kind::Present,
            Self::Error { .. } => Kind::Error,
        }
    }

    /// Whether it passes between a participant and the relay itself, so that no participant may address it to
    /// another.
    pub const fn is_for_relay(&self) -> bool {
        matches!(
            self,
            Self::Join { .. }
                | Self::Joined
                | Self::Absent { .. }
                | Self::Present { .. }
                | Self::Error { .. }
        )
    }

    /// The types that there are on the wire, in the order in which a call first uses them.
    pub fn kinds() -> impl Iterator<Item = Kind> {
        Kind::ALL.iter().copied().filter(|kind| *kind != Kind::Pranswer)
    }
}

/// The fields that a body of this type cannot do without.
pub(super) const fn required_fields(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Join => &["session"],
        Kind::Ring => &["media"],
        Kind::Reject | Kind::Bye => &["reason"],
        Kind::Offer | Kind::Answer => &["sdp", "negotiation"],
        Kind::Renegotiate => &["negotiation"],
        Kind::Candidate => &["candidate"],
        Kind::Absent | Kind::Present => &["participant"],
        Kind::Error => &["code", "message"],
        Kind::Joined | Kind::Ringing | Kind::Accept | Kind::EndOfCandidates | Kind::Pranswer => &[],
    }
}
