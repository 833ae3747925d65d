//! What a call engine needs of signalling. Object-safe and free of any runtime, so that an engine can
//! be given a TCP stream, a WebSocket, REST polling or a channel without being told which.

use std::{fmt, pin::Pin};

use thiserror::Error;

use crate::message::{CallId, Envelope, Kind, Message, MessageError, ParticipantId};

/// A future that a [`Transport`] gives out.
pub type TransportFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One participant's way to send messages to others and to get theirs.
///
/// Messages from one sender arrive in the order in which he sent them, unless a relay was told to
/// delay some. A message that arrives arrives once.
pub trait Transport: Send + 'static {
    /// Hands a message over and returns the id that it was given. Never waits: delivery is the
    /// transport's work, and a message outlives the connection that it was meant for.
    ///
    /// # Errors
    /// [`TransportError`]; the message is then not sent, and its id not used up.
    fn send(&mut self, outgoing: Outgoing) -> Result<u64, TransportError>;

    /// The next event; `None` when the transport is closed for good. Cancel-safe: an event that was
    /// not returned is returned by the next call.
    fn recv(&mut self) -> TransportFuture<'_, Option<TransportEvent>>;

    /// Sends what was handed over, for as long as the transport's settings allow, then closes.
    /// Cancel-safe; afterwards `send` fails, and `recv` gives what had arrived and then `None`.
    fn close(&mut self) -> TransportFuture<'_, ()>;
}

/// A message on its way to a transport, which adds the rest of the envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The call that it belongs to.
    pub call: CallId,
    /// Who is to get it.
    pub to: ParticipantId,
    /// The message.
    pub body: Message,
}

/// What a transport has to report.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportEvent {
    /// The relay is reached, and knows this participant.
    Up,
    /// Which way the transport has taken, where it has several: comes after each `Up`, and alone when
    /// it goes over from one that still stood.
    Via {
        /// The way.
        way: Way,
    },
    /// Sending has failed and is tried again, while what others send still arrives.
    Delayed {
        /// Why, for people.
        reason: String,
    },
    /// A message arrived: another participant's, or an `error` of the relay.
    Message(Envelope),
    /// Something arrived that is not a message. It was dropped; the transport goes on.
    Unreadable {
        /// What is wrong with it.
        error: MessageError,
    },
    /// The relay is out of reach: a connection ended, or could not be made. Comes once for each
    /// attempt; the transport tries again by itself until `recv` gives `None`.
    Down {
        /// Why, for people.
        reason: String,
    },
}

/// What carries the messages of a transport that has several ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Way {
    /// A WebSocket (RFC 6455).
    WebSocket,
    /// REST requests, with long polls.
    Rest,
}

impl Way {
    /// The word for it: `websocket`, `rest`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::Rest => "rest",
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a transport did not take a message.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The transport was closed, or gave up.
    #[error("the signalling transport is closed")]
    Closed,
    /// Too many messages wait to be sent.
    #[error("{limit} messages wait to be sent, and the signalling transport keeps no more")]
    QueueFull {
        /// The longest queue that the transport's settings allow, in messages.
        limit: usize,
    },
    /// The message is longer than the relay would accept.
    #[error("the message has {size} bytes, more than the {limit} that may be sent")]
    TooLarge {
        /// Its length in bytes.
        size: usize,
        /// The longest that may be sent, in bytes.
        limit: usize,
    },
    /// `join`, `joined` and `error` are the business of transport and relay.
    #[error("a participant cannot send `{kind}` to another")]
    NotAllowed {
        /// The type of the message.
        kind: Kind,
    },
}
