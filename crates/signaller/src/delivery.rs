//! The wire format of delivery over WebSocket (RFC 6455) and REST: what surrounds the messages of
//! [`message`](crate::message) so that each arrives once, whatever happens to connections.
//!
//! # Requests
//!
//! All requests name the client in their query: `participant`, `session`, and where a token is wanted
//! `call`; of an earlier answer `mailbox`; `cursor`, the place up to which everything was applied; and
//! `turn`, which counts the client's reading connections. A token stands in `Authorization: Bearer …`,
//! or, for browsers, which cannot set headers of a WebSocket, in the query as `token`.
//!
//! - `GET /v1/ws`: the upgrade. Then text messages, each one JSON object with a `type`:
//!   - to the relay `message` (with `message`, an envelope), `ack`, `ping` (with `nonce`); each may carry
//!     a `cursor`;
//!   - from the relay `welcome` (with `version`, `mailbox`, `confirmed`, `messageBytes`), `mail` (with
//!     `place` and `message`), `answer` (with `message`: an error about something that had no id),
//!     `confirmed` (with `id`), `pong` (with `nonce`).
//! - `POST /v1/messages`: the body is an envelope, or an array of them. Answered with `confirmed` and,
//!   for each message that was refused, one of `errors`. The status is 200, or that of the first error.
//! - `GET /v1/messages?wait=SECONDS`: answers as soon as there is mail, at the latest after `wait`, with
//!   `messages`, each with `place` and `message`.
//!
//! A refusal of a whole request has `errors` alone, with the words of
//! [`ErrorCode`] and the status of [`status_of`].
//!
//! # Versions
//!
//! The `v1` of the path is the version of all that stands here; the envelopes carry their own. Unknown
//! fields of objects and queries are ignored, unknown types of a relay's frames as well; an unknown type
//! of a client's frame is answered `malformed`. Whatever would change the meaning of a known field takes
//! another path.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;

use crate::message::ErrorCode;

/// The version of this format.
pub const VERSION: u64 = 1;

/// Where WebSockets are made.
pub const WEBSOCKET_PATH: &str = "/v1/ws";

/// Where messages are posted and polled.
pub const MESSAGES_PATH: &str = "/v1/messages";

/// How much longer than its message a frame may be, in bytes: room for the fields around it.
pub(crate) const FRAME_OVERHEAD_BYTES: usize = 256;

/// How much is read from a WebSocket at a time, in bytes. The library's own 128 KiB would be held by
/// every idle connection, for messages of which most have less than this.
pub(crate) const READ_BUFFER_BYTES: usize = 4 * 1024;

/// What a client sends on a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClientFrame<'a> {
    pub(crate) body: ClientBody<'a>,
    /// The place up to which the client has applied everything.
    pub(crate) cursor: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ClientBody<'a> {
    /// An envelope, as JSON.
    Message(&'a [u8]),
    /// Nothing but the cursor.
    Ack,
    /// To be answered with the same number.
    Ping { nonce: u64 },
}

/// What a relay sends on a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ServerFrame {
    Welcome { mailbox: String, confirmed: u64, message_bytes: usize },
    Mail { place: u64, message: Bytes },
    Answer { message: Bytes },
    Confirmed { id: u64 },
    Pong { nonce: u64 },
}

/// Why text is not a frame.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub(crate) enum FrameError {
    #[error("the frame is not a JSON object with a `type`: {reason}")]
    NotJson { reason: String },
    #[error("the frame `{kind}` has no `{field}`")]
    MissingField { kind: String, field: &'static str },
    #[error("unknown frame type `{found}`; known are message, ack, ping")]
    UnknownType { found: String },
}

/// The answer to a REST request.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RestAnswer<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mailbox: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) confirmed: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message_bytes: Option<usize>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(crate) messages: Option<Vec<RestMail<'a>>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) errors: Vec<RestError>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RestMail<'a> {
    pub(crate) place: u64,
    #[serde(borrow)]
    pub(crate) message: &'a RawValue,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RestError {
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
    /// The id of the refused message; `None` where the request as a whole was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) about: Option<u64>,
}

/// The HTTP status (RFC 9110 §15, RFC 6585 §4) with which REST answers an error.
pub fn status_of(code: &ErrorCode) -> u16 {
    match code {
        ErrorCode::Unauthorized => 401,
        ErrorCode::Forbidden | ErrorCode::WrongSender | ErrorCode::NotAllowed | ErrorCode::NotJoined => 403,
        ErrorCode::UnknownParticipant | ErrorCode::NotFound => 404,
        ErrorCode::Replaced | ErrorCode::Stale => 409,
        ErrorCode::TooLarge => 413,
        ErrorCode::QueueFull | ErrorCode::RelayFull => 429,
        ErrorCode::Unavailable => 500,
        ErrorCode::Malformed | ErrorCode::UnsupportedVersion | ErrorCode::UnknownType => 400,
        ErrorCode::Other(_) => 400,
    }
}

/// All fields of all frames. One flat object: `RawValue` cannot stand within a tagged enum.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
    #[serde(default)]
    cursor: Option<u64>,
    #[serde(default)]
    nonce: Option<u64>,
    #[serde(default)]
    place: Option<u64>,
    #[serde(default)]
    id: Option<u64>,
    #[serde(default)]
    mailbox: Option<String>,
    #[serde(default)]
    confirmed: Option<u64>,
    #[serde(default)]
    message_bytes: Option<usize>,
}

impl<'a> ClientFrame<'a> {
    pub(crate) fn from_json(text: &'a str) -> Result<Self, FrameError> {
        let fields = Fields::read(text)?;
        let body = match &*fields.kind {
            "message" => ClientBody::Message(fields.message()?),
            "ack" => ClientBody::Ack,
            "ping" => ClientBody::Ping { nonce: fields.number("nonce", fields.nonce)? },
            other => return Err(FrameError::UnknownType { found: other.to_owned() }),
        };
        Ok(Self { body, cursor: fields.cursor })
    }

    pub(crate) fn to_json(&self) -> String {
        let cursor = self.cursor.map_or_else(String::new, |cursor| format!(",\"cursor\":{cursor}"));
        match self.body {
            ClientBody::Message(message) => {
                let message = String::from_utf8_lossy(message);
                format!("{{\"type\":\"message\"{cursor},\"message\":{message}}}")
            }
            ClientBody::Ack => format!("{{\"type\":\"ack\"{cursor}}}"),
            ClientBody::Ping { nonce } => format!("{{\"type\":\"ping\"{cursor},\"nonce\":{nonce}}}"),
        }
    }
}

impl ServerFrame {
    /// `None`: a type that this version does not know, and ignores.
    pub(crate) fn from_json(text: &str) -> Result<Option<Self>, FrameError> {
        let fields = Fields::read(text)?;
        Ok(Some(match &*fields.kind {
            "welcome" => Self::Welcome {
                mailbox: fields.mailbox.clone().ok_or_else(|| fields.missing("mailbox"))?,
                confirmed: fields.number("confirmed", fields.confirmed)?,
                message_bytes: fields.message_bytes.ok_or_else(|| fields.missing("messageBytes"))?,
            },
            "mail" => Self::Mail {
                place: fields.number("place", fields.place)?,
                message: Bytes::copy_from_slice(fields.message()?),
            },
            "answer" => Self::Answer { message: Bytes::copy_from_slice(fields.message()?) },
            "confirmed" => Self::Confirmed { id: fields.number("id", fields.id)? },
            "pong" => Self::Pong { nonce: fields.number("nonce", fields.nonce)? },
            _ => return Ok(None),
        }))
    }

    pub(crate) fn to_json(&self) -> String {
        match self {
            Self::Welcome { mailbox, confirmed, message_bytes } => format!(
                "{{\"type\":\"welcome\",\"version\":{VERSION},\"mailbox\":{},\"confirmed\":{confirmed},\
                 \"messageBytes\":{message_bytes}}}",
                serde_json::Value::from(mailbox.as_str()),
            ),
            Self::Mail { place, message } => {
                let message = String::from_utf8_lossy(message);
                format!("{{\"type\":\"mail\",\"place\":{place},\"message\":{message}}}")
            }
            Self::Answer { message } => {
                format!("{{\"type\":\"answer\",\"message\":{}}}", String::from_utf8_lossy(message))
            }
            Self::Confirmed { id } => format!("{{\"type\":\"confirmed\",\"id\":{id}}}"),
            Self::Pong { nonce } => format!("{{\"type\":\"pong\",\"nonce\":{nonce}}}"),
        }
    }
}

impl<'a> Fields<'a> {
    fn read(text: &'a str) -> Result<Self, FrameError> {
        serde_json::from_str(text).map_err(|error| FrameError::NotJson { reason: error.to_string() })
    }

    fn message(&self) -> Result<&'a [u8], FrameError> {
        let message = self.message.ok_or_else(|| self.missing("message"))?;
        Ok(message.get().as_bytes())
    }

    fn number(&self, field: &'static str, value: Option<u64>) -> Result<u64, FrameError> {
        value.ok_or_else(|| self.missing(field))
    }

    fn missing(&self, field: &'static str) -> FrameError {
        FrameError::MissingField { kind: self.kind.clone().into_owned(), field }
    }
}

impl RestAnswer<'_> {
    pub(crate) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings, numbers and JSON always have a JSON form")
    }
}

impl RestError {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), about: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_survive_their_json() {
        let message = br#"{"version":1}"#;
        for cursor in [None, Some(0), Some(u64::MAX)] {
            for body in [ClientBody::Message(message), ClientBody::Ack, ClientBody::Ping { nonce: 7 }] {
                let frame = ClientFrame { body, cursor };
                assert_eq!(ClientFrame::from_json(&frame.to_json()).as_ref(), Ok(&frame));
            }
        }
        let message = Bytes::from_static(message);
        for frame in [
            ServerFrame::Welcome { mailbox: "1-\"x".to_owned(), confirmed: 3, message_bytes: 9 },
            ServerFrame::Mail { place: 1, message: message.clone() },
            ServerFrame::Answer { message },
            ServerFrame::Confirmed { id: 4 },
            ServerFrame::Pong { nonce: 5 },
        ] {
            assert_eq!(ServerFrame::from_json(&frame.to_json()), Ok(Some(frame)));
        }
    }

    #[test]
    fn what_is_unknown_is_ignored_from_a_relay_and_refused_from_a_client() {
        assert_eq!(ServerFrame::from_json("{\"type\":\"news\",\"x\":1}"), Ok(None));
        assert_eq!(
            ClientFrame::from_json("{\"type\":\"ack\",\"cursor\":1,\"x\":{}}").map(|frame| frame.cursor),
            Ok(Some(1))
        );
        let unknown = FrameError::UnknownType { found: "news".to_owned() };
        assert_eq!(ClientFrame::from_json("{\"type\":\"news\"}"), Err(unknown));
        let missing = FrameError::MissingField { kind: "ping".to_owned(), field: "nonce" };
        assert_eq!(ClientFrame::from_json("{\"type\":\"ping\"}"), Err(missing));
    }
}
