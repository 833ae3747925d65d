use thiserror::Error;

use super::{ErrorCode, Kind, MAX_ID, MAX_NAME_BYTES, VERSION};

/// Why bytes are not a message.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MessageError {
    /// Longer than the reader accepts; nothing of it was read.
    #[error("the message has {size} bytes, more than the {limit} that are accepted")]
    TooLarge {
        /// Its length in bytes.
        size: usize,
        /// The longest that is accepted, in bytes.
        limit: usize,
    },
    /// Not UTF-8 (RFC 8259 §8.1).
    #[error("the message is not UTF-8 from byte {offset} on")]
    NotUtf8 {
        /// How many bytes before the fault are good.
        offset: usize,
    },
    /// Not JSON.
    #[error("the message is not JSON at byte {offset}: {reason}")]
    NotJson {
        /// Where the JSON reader gave up, in bytes from the beginning.
        offset: usize,
        /// The JSON reader's words.
        reason: String,
    },
    /// Another version of the wire format.
    #[error("{}", version_sentence(*.found))]
    UnsupportedVersion {
        /// The version of the message. [`VERSION`] is accepted.
        found: u64,
    },
    /// A type of message that this version does not know.
    #[error("unknown message type `{found}`; known are {}", known_types())]
    UnknownType {
        /// What stands in `type`.
        found: String,
    },
    /// A field is not there.
    #[error("field `{field}` is missing")]
    MissingField {
        /// Its path: `call`, `body.sdp`.
        field: String,
    },
    /// A field holds something else than it should.
    #[error("{} is {found}, and {expected} is wanted", what(.field))]
    WrongType {
        /// Its path; empty for the message as a whole.
        field: String,
        /// What it is.
        found: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// The body has all its fields and yet does not read as its type.
    #[error("this is no `{kind}`: {reason}")]
    BadBody {
        /// The type that it claims.
        kind: Kind,
        /// The JSON reader's words.
        reason: String,
    },
    /// The message's number is 0 or too large to be exact.
    #[error("id {found} is outside of 1..={MAX_ID}")]
    IdOutOfRange {
        /// The number.
        found: u64,
    },
    /// A name is empty or too long.
    #[error("the name in `{field}` has {size} bytes, and 1 to {MAX_NAME_BYTES} are accepted")]
    BadName {
        /// Its path: `call`, `from`, `to`, `body.session`.
        field: &'static str,
        /// Its length in bytes.
        size: usize,
    },
}

impl MessageError {
    /// The code with which a relay answers it.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::TooLarge { .. } => ErrorCode::TooLarge,
            Self::UnsupportedVersion { .. } => ErrorCode::UnsupportedVersion,
            Self::UnknownType { .. } => ErrorCode::UnknownType,
            _ => ErrorCode::Malformed,
        }
    }
}

fn version_sentence(found: u64) -> String {
    if found > VERSION {
        format!(
            "the message has version {found}, and only version {VERSION} is understood: update the receiver"
        )
    } else {
        format!(
            "the message has version {found}, and only version {VERSION} is understood: update the sender"
        )
    }
}

fn what(field: &str) -> String {
    if field.is_empty() { "the message".to_owned() } else { format!("field `{field}`") }
}

fn known_types() -> String {
    super::Message::kinds().map(Kind::as_str).collect::<Vec<_>>().join(", ")
}
