use std::fmt;

use serde::{Deserialize, Serialize};
pub use timeline::Name as ParticipantId;

/// The name under which the relay itself sends and is addressed. No participant may join with it.
pub const RELAY: &str = "relay";

/// The name of a call, chosen by its caller. 1 to [`MAX_NAME_BYTES`](super::MAX_NAME_BYTES) bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallId(timeline::Name);

/// The name of one run of a participant's client, chosen by that client. A new session of the same
/// participant numbers its messages from 1 again; a reconnect within a session goes on counting.
/// 1 to [`MAX_NAME_BYTES`](super::MAX_NAME_BYTES) bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(timeline::Name);

impl CallId {
    /// The call `text`.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(timeline::Name::new(text))
    }

    /// What messages that belong to no call carry: `join`, `joined`, and an `error` about bytes from
    /// which no call could be read. Its text is `-`.
    pub fn none() -> Self {
        Self::new("-")
    }

    /// The text of the name.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl SessionId {
    /// The session `text`.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(timeline::Name::new(text))
    }

    /// The text of the name.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl From<&str> for CallId {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<&str> for SessionId {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
