use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use super::{RestFault, RestRequest, WebSocketFault};
use crate::message::{CallId, Envelope, ErrorCode, Kind, Message, ParticipantId, SessionId};

/// Told of everything that a relay does, in order. Called without any lock held, on whichever task made
/// the relay act; it should be quick.
pub type Observer = Arc<dyn Fn(RelayEvent) + Send + Sync>;

/// What a relay did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RelayEvent {
    /// A connection joined as a participant.
    Joined {
        /// The call to which a token admitted it; `None` on a relay without tokens.
        call: Option<CallId>,
        /// Who.
        participant: ParticipantId,
        /// The run of its client.
        session: SessionId,
        /// How many messages waited for it.
        waiting: usize,
    },
    /// A message was put in line for its addressee, who is connected, or between two polls: it is written as soon as the
    /// connection takes it.
    Relayed(Passage),
    /// A message was written to a connection of its addressee, or into the answer to its poll. Reported once for each
    /// message: not again where a later connection gets it again.
    Written {
        /// The call to which a token admitted the addressee; `None` on a relay without tokens.
        call: Option<CallId>,
        /// The addressee.
        participant: ParticipantId,
        /// The message, as it came.
        message: Bytes,
    },
    /// A message was put in line for an addressee who is not connected.
    Stored(Passage),
    /// A [`DelayRule`](super::DelayRule) or a [`FaultRule`](super::FaultRule) holds a message back;
    /// `Relayed` or `Stored` follows.
    Held {
        /// The message.
        passage: Passage,
        /// How long it is held at most.
        by: Duration,
    },
    /// A [`FaultRule`](super::FaultRule) dropped a message that was confirmed to its sender.
    Dropped(Passage),
    /// A [`FaultRule`](super::FaultRule) passes a message on twice; `Relayed` or `Stored` follows twice.
    Duplicated(Passage),
    /// A message was dropped because its sender had sent one with this id, or a later one, before.
    Duplicate(Passage),
    /// A [`WebSocketRule`](super::WebSocketRule) has struck: told when the WebSocket is refused, cut, or falls
    /// silent, and when a proxy begins to keep what it should pass on.
    WebSocketFault {
        /// Whose WebSocket it is.
        participant: ParticipantId,
        /// What happened to it.
        fault: WebSocketFault,
    },
    /// A [`RestRule`](super::RestRule) has struck.
    RestFault {
        /// Whose request it is.
        participant: ParticipantId,
        /// Its type.
        request: RestRequest,
        /// What happens to it.
        fault: RestFault,
    },
    /// Something was refused, and its sender told.
    Rejected {
        /// The call that it belongs to, where it says so.
        call: Option<CallId>,
        /// Who sent it, where its connection has joined.
        participant: Option<ParticipantId>,
        /// Why, for programs.
        code: ErrorCode,
        /// Why, for people.
        reason: String,
    },
    /// A request was refused before the relay heard of it: it names nobody, has no right, comes from a foreign page,
    /// or there are too many.
    Refused {
        /// The call that it asks for, where it says so.
        call: Option<CallId>,
        /// As whom it asks, where it says so; nobody has checked that.
        participant: Option<ParticipantId>,
        /// Why, for programs.
        code: ErrorCode,
        /// Why, for people.
        reason: String,
    },
    /// The connection of a participant ended, and no other has taken its place. Not told of one that
    /// polls: it is always about to come back.
    Left {
        /// The call to which a token admitted it; `None` on a relay without tokens.
        call: Option<CallId>,
        /// Who.
        participant: ParticipantId,
    },
    /// A participant was away for [`Limits::idle`](super::Limits::idle); the relay remembers nothing
    /// of it.
    Forgotten {
        /// The call to which a token admitted it; `None` on a relay without tokens.
        call: Option<CallId>,
        /// Who.
        participant: ParticipantId,
        /// How many messages waited for it, and are lost.
        waiting: usize,
    },
}

/// A message on its way through the relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// The call that it belongs to.
    pub call: CallId,
    /// The sender's number for it.
    pub id: u64,
    /// Who sent it.
    pub from: ParticipantId,
    /// Who is to get it.
    pub to: ParticipantId,
    /// Its type.
    pub kind: Kind,
    /// As [`Message::detail`](crate::Message::detail) tells it.
    pub detail: String,
    /// The message itself.
    pub body: Arc<Message>,
}

impl Passage {
    pub(super) fn of(envelope: &Envelope) -> Self {
        Self {
            call: envelope.call.clone(),
            id: envelope.id,
            from: envelope.from.clone(),
            to: envelope.to.clone(),
            kind: envelope.body.kind(),
            detail: envelope.body.detail(),
            body: Arc::new(envelope.body.clone()),
        }
    }
}
