use std::fmt;

use crate::message::{CallId, ParticipantId};

/// Whose mailbox: a participant, everywhere or within one call.
///
/// Who entered with a token is known within the token's call only, so that two people who chose one
/// name in two calls never see each other's mail.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Address {
    /// `None` on an open relay: one mailbox for all calls of the participant.
    pub(super) call: Option<CallId>,
    pub(super) participant: ParticipantId,
}

impl Address {
    /// The address of `participant` within the same call.
    pub(super) fn beside(&self, participant: &ParticipantId) -> Self {
        Self { call: self.call.clone(), participant: participant.clone() }
    }
}

/// One life of a mailbox: a relay never uses a name twice, not even after it has lost its store.
///
/// A cursor counts within one life. Who comes with another mailbox's cursor starts at its beginning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MailboxId(String);

impl MailboxId {
    /// The name `text`, as a relay gave it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text of the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MailboxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
