//! The messages of a call and their form on the wire: one JSON object (RFC 8259, UTF-8) per message.
//!
//! ```json
//! {"version":1,"id":3,"call":"c1","from":"alice","to":"bob","body":{"type":"bye","reason":"hung-up"}}
//! ```
//!
//! Compatibility: fields that this version does not know are ignored, and a relay passes them on;
//! words that it does not know (a reason, an error code) are kept as they came; a message type that it
//! does not know, or another `version`, is refused with a sentence.

mod body;
mod candidate;
mod error;
mod ids;
mod kind;
mod parse;
mod words;

use serde::Serialize;

pub use body::{Media, Message};
pub use candidate::Candidate;
pub use error::MessageError;
pub use ids::{CallId, ParticipantId, RELAY, SessionId};
pub use kind::Kind;
pub use words::{ByeReason, ErrorCode, RejectReason};

/// The version of the wire format that this code writes, and the only one that it reads.
pub const VERSION: u64 = 1;

/// The longest message, in bytes of JSON, that is accepted where nothing else is said: 64 KiB. The
/// offer of a call with the full codec set has about 8 KiB.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// The largest message id: the largest integer that every JSON reader keeps exact (RFC 8259 §6).
pub const MAX_ID: u64 = (1 << 53) - 1;

/// The longest name of a call, a participant or a session, in bytes.
pub const MAX_NAME_BYTES: usize = 128;

/// A message with its address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Envelope {
    /// Version of the wire format: [`VERSION`].
    pub version: u64,
    /// The sender's number for this message, from 1 to [`MAX_ID`], increasing within one session. A
    /// relay drops a number that it has seen, so a message may be sent again after a reconnect.
    ///
    /// What passes between a participant and the relay itself (`join`, `joined`, `error`) stands
    /// outside of that sequence and is counted per connection.
    pub id: u64,
    /// The call that the message belongs to.
    pub call: CallId,
    /// The participant who sent it, or [`RELAY`].
    pub from: ParticipantId,
    /// The participant who is to get it, or [`RELAY`].
    pub to: ParticipantId,
    /// The message itself.
    pub body: Message,
}

impl Envelope {
    /// Reads a message of at most [`MAX_MESSAGE_BYTES`].
    ///
    /// # Errors
    /// [`MessageError`] says what was found and what is accepted. Never panics, whatever the bytes.
    pub fn from_json(bytes: &[u8]) -> Result<Self, MessageError> {
        Self::from_json_within(bytes, MAX_MESSAGE_BYTES)
    }

    /// Reads a message of at most `limit` bytes.
    ///
    /// # Errors
    /// As for [`Envelope::from_json`].
    pub fn from_json_within(bytes: &[u8], limit: usize) -> Result<Self, MessageError> {
        parse::envelope(bytes, limit)
    }

    /// The id of something that is not quite a message, if it is `from` this participant.
    pub(crate) fn id_in(bytes: &[u8], from: &ParticipantId) -> Option<u64> {
        parse::id_in(bytes, from)
    }

    /// The message as it goes over the wire. Of any length: the limit is the transport's to hold.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings, integers and booleans always have a JSON form")
    }
}
