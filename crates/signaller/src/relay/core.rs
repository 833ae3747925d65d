use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use bytes::Bytes;

use super::{DelayRule, Limits, Passage, RelayEvent, admission::Refusal, mailbox::Mailbox, rules::Rules};
use crate::message::{CallId, Envelope, ErrorCode, Message, ParticipantId, RELAY, VERSION};

/// A connection to a relay. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(u64);

/// A message that a delay rule holds back. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeldId(pub(super) u64);

/// What whoever runs a [`Relay`] must do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub enum Action {
    /// Ask [`Relay::next`] for this connection: there is something to write, or it is to be closed.
    Wake(ConnectionId),
    /// Call [`Relay::release`] with this message after that time.
    Hold {
        /// The message.
        held: HeldId,
        /// How long.
        by: Duration,
    },
    /// Tell the observer.
    Report(RelayEvent),
}

/// What is to be written to a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// This message; then call [`Relay::written`].
    Message(Bytes),
    /// Nothing until [`Action::Wake`].
    Wait,
    /// Nothing any more: close it.
    Close,
}

/// The rules of a relay: bytes in, actions out.
#[derive(Debug)]
pub struct Relay {
    pub(super) limits: Limits,
    pub(super) rules: Rules,
    pub(super) mailboxes: BTreeMap<ParticipantId, Mailbox>,
    pub(super) connections: BTreeMap<ConnectionId, Connection>,
    pub(super) held: BTreeMap<HeldId, (Passage, Bytes)>,
    next_connection: u64,
    pub(super) next_held: u64,
    pub(super) uses: u64,
}

#[derive(Debug, Default)]
pub(super) struct Connection {
    pub(super) participant: Option<ParticipantId>,
    /// The relay's own answers. They go before the mailbox.
    replies: VecDeque<Bytes>,
    replies_made: u64,
    /// What [`Relay::next`] gave out last.
    writing: Option<Source>,
    /// Whether it is closed as soon as its replies are written; its input is ignored.
    closing: bool,
}

#[derive(Clone, Copy, Debug)]
enum Source {
    Replies,
    Mailbox,
}

impl Relay {
    /// A relay without connections that holds messages according to `delays`.
    pub fn new(limits: Limits, delays: Vec<DelayRule>) -> Self {
        Self {
            limits,
            rules: Rules::new(delays),
            mailboxes: BTreeMap::new(),
            connections: BTreeMap::new(),
            held: BTreeMap::new(),
            next_connection: 0,
            next_held: 0,
            uses: 0,
        }
    }

    /// A client connected.
    pub fn connect(&mut self) -> ConnectionId {
        let id = ConnectionId(self.next_connection);
        self.next_connection += 1;
        self.connections.insert(id, Connection::default());
        id
    }

    /// A connection brought the bytes of one message.
    pub fn handle(&mut self, from: ConnectionId, bytes: &[u8]) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.connections.get(&from).is_none_or(|connection| connection.closing) {
            return actions;
        }
        match Envelope::from_json_within(bytes, self.limits.message_bytes) {
            Ok(envelope) => {
                let (id, call) = (envelope.id, envelope.call.clone());
                if let Err(refusal) = self.accept(from, envelope, bytes, &mut actions) {
                    self.refuse(from, call, Some(id), refusal, &mut actions);
                }
            }
            Err(error) => self.refuse(from, CallId::none(), None, error.into(), &mut actions),
        }
        actions
    }

    /// A connection announced a message longer than [`Limits::message_bytes`], so that the next one
    /// cannot be found: it is told so and closed.
    pub fn handle_oversized(&mut self, from: ConnectionId) -> Vec<Action> {
        let mut actions = Vec::new();
        let limit = self.limits.message_bytes;
        let reason = format!("the frame has more than the {limit} bytes that are accepted");
        self.refuse(from, CallId::none(), None, Refusal::new(ErrorCode::TooLarge, reason), &mut actions);
        self.close(from, &mut actions);
        actions
    }

    /// A connection brings no more messages; what the relay has to answer is still written.
    pub fn finish(&mut self, connection: ConnectionId) -> Vec<Action> {
        let mut actions = Vec::new();
        self.close(connection, &mut actions);
        actions
    }

    /// A connection is gone.
    pub fn disconnect(&mut self, connection: ConnectionId) -> Vec<Action> {
        let participant = self.connections.remove(&connection).and_then(|gone| gone.participant);
        let Some(participant) = participant else { return Vec::new() };
        match self.mailboxes.get_mut(&participant) {
            Some(mailbox) if mailbox.connection == Some(connection) => {
                self.uses += 1;
                mailbox.connection = None;
                mailbox.last_use = self.uses;
                vec![Action::Report(RelayEvent::Left { participant })]
            }
            _ => Vec::new(),
        }
    }

    /// The time of a held message has come.
    pub fn release(&mut self, held: HeldId) -> Vec<Action> {
        let mut actions = Vec::new();
        if let Some((passage, bytes)) = self.held.remove(&held)
            && let Some(mailbox) = self.mailboxes.get_mut(&passage.to)
        {
            mailbox.release_one(bytes);
            announce(mailbox, passage, &mut actions);
        }
        actions
    }

    /// What to write to a connection. Asked twice it answers the same.
    pub fn next(&mut self, id: ConnectionId) -> Next {
        let Some(connection) = self.connections.get_mut(&id) else { return Next::Close };
        if let Some(reply) = connection.replies.front() {
            connection.writing = Some(Source::Replies);
            return Next::Message(reply.clone());
        }
        if connection.closing {
            return Next::Close;
        }
        let mailbox = connection.participant.as_ref().and_then(|owner| self.mailboxes.get(owner));
        match mailbox.filter(|mailbox| mailbox.connection == Some(id)).and_then(Mailbox::first) {
            Some(message) => {
                connection.writing = Some(Source::Mailbox);
                Next::Message(message.clone())
            }
            None => Next::Wait,
        }
    }

    /// What [`Relay::next`] gave out was written.
    pub fn written(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        match connection.writing.take() {
            Some(Source::Replies) => drop(connection.replies.pop_front()),
            Some(Source::Mailbox) => {
                let mailbox = connection.participant.as_ref().and_then(|owner| self.mailboxes.get_mut(owner));
                if let Some(mailbox) = mailbox.filter(|mailbox| mailbox.connection == Some(id)) {
                    mailbox.remove_first();
                }
            }
            None => {}
        }
    }

    fn refuse(
        &mut self,
        to: ConnectionId,
        call: CallId,
        about: Option<u64>,
        refusal: Refusal,
        actions: &mut Vec<Action>,
    ) {
        let Refusal { code, reason } = refusal;
        let participant = self.participant_of(to).cloned();
        // Who has not joined has no name yet.
        let addressee = participant.clone().unwrap_or_else(|| ParticipantId::new("-"));
        let body = Message::Error { code: code.clone(), message: reason.clone(), about };
        self.reply(to, call, addressee, body, actions);
        actions.push(Action::Report(RelayEvent::Rejected { participant, code, reason }));
    }

    pub(super) fn reply(
        &mut self,
        id: ConnectionId,
        call: CallId,
        to: ParticipantId,
        body: Message,
        actions: &mut Vec<Action>,
    ) {
        let Some(connection) = self.connections.get_mut(&id).filter(|connection| !connection.closing) else {
            return;
        };
        if connection.replies.len() >= self.limits.replies {
            connection.replies.clear();
            connection.closing = true;
        } else {
            connection.replies_made += 1;
            let id = connection.replies_made;
            let envelope = Envelope { version: VERSION, id, call, from: RELAY.into(), to, body };
            connection.replies.push_back(envelope.to_json().into());
        }
        actions.push(Action::Wake(id));
    }

    pub(super) fn close(&mut self, id: ConnectionId, actions: &mut Vec<Action>) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.closing = true;
            actions.push(Action::Wake(id));
        }
    }

    pub(super) fn participant_of(&self, id: ConnectionId) -> Option<&ParticipantId> {
        self.connections.get(&id)?.participant.as_ref()
    }
}

/// A message stands in its mailbox.
pub(super) fn announce(mailbox: &Mailbox, passage: Passage, actions: &mut Vec<Action>) {
    match mailbox.connection {
        Some(connection) => {
            actions.push(Action::Report(RelayEvent::Relayed(passage)));
            actions.push(Action::Wake(connection));
        }
        None => actions.push(Action::Report(RelayEvent::Stored(passage))),
    }
}
