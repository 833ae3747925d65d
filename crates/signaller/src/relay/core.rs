use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use bytes::Bytes;

use super::{
    DelayRule, EntryWay, HeldId, Limits, Passage, RelayEvent, RelaySettings,
    address::Address,
    admission::Refusal,
    faults::{HeldMessages, Rules},
    mailbox::Mailbox,
};
use crate::message::{CallId, Envelope, ErrorCode, Message, ParticipantId, RELAY, VERSION};

/// A connection to a relay. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(u64);

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
    /// This message, which the connection does not acknowledge; then call [`Relay::written`].
    Message(Bytes),
    /// This message of a mailbox, which stays there until the client acknowledges its place; then call
    /// [`Relay::written`].
    Mail {
        /// Its place in the mailbox.
        place: u64,
        /// The message.
        message: Bytes,
    },
    /// That the relay has everything that the client sent up to this id; then call [`Relay::written`].
    Confirmed {
        /// The highest id.
        id: u64,
    },
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
    /// Whether only holders of a token may enter. Who enters with one has been checked before.
    pub(super) guarded: bool,
    pub(super) epoch: u64,
    pub(super) mailboxes: BTreeMap<Address, Mailbox>,
    pub(super) mailboxes_made: u64,
    pub(super) errors_made: u64,
    pub(super) connections: BTreeMap<ConnectionId, Connection>,
    pub(super) held: HeldMessages,
    next_connection: u64,
    pub(super) uses: u64,
    /// The time, as [`Relay::advance`] was told.
    pub(super) now: Duration,
    /// Before this time nobody has been away for too long.
    pub(super) next_sweep: Duration,
}

#[derive(Debug, Default)]
pub(super) struct Connection {
    /// `None` before it has joined.
    pub(super) address: Option<Address>,
    pub(super) delivery: Delivery,
    /// The relay's own answers. They go before the mailbox.
    replies: VecDeque<Bytes>,
    replies_made: u64,
    /// What [`Relay::next`] gave out last.
    writing: Option<Source>,
    /// Whether it is closed as soon as its replies are written; its input is ignored.
    pub(super) closing: bool,
}

/// When a message leaves its mailbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Delivery {
    /// When it was written: framed TCP.
    #[default]
    OnWrite,
    /// When the client has acknowledged it.
    OnAck {
        way: EntryWay,
        /// The place up to which it was written to this connection.
        sent: u64,
        /// The id of which the client was told last that the relay has it.
        told: u64,
    },
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    Replies,
    Mailbox { place: u64 },
    Confirmation { id: u64 },
}

impl Relay {
    /// An open relay without connections that holds messages according to `delays`.
    pub fn new(limits: Limits, delays: Vec<DelayRule>) -> Self {
        Self::with(&RelaySettings { limits, delays, ..RelaySettings::default() })
    }

    /// A relay without connections that keeps to `settings`.
    pub fn with(settings: &RelaySettings) -> Self {
        Self {
            limits: settings.limits,
            rules: Rules::new(settings.delays.clone(), settings.faults.clone()),
            guarded: settings.secret.is_some(),
            epoch: settings.epoch,
            mailboxes: BTreeMap::new(),
            mailboxes_made: 0,
            errors_made: 0,
            connections: BTreeMap::new(),
            held: HeldMessages::default(),
            next_connection: 0,
            uses: 0,
            now: Duration::ZERO,
            next_sweep: Duration::ZERO,
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
            Err(error) => {
                // Who acknowledges waits for an answer about this id, even where nothing else is right.
                let about = match self.connections.get(&from).and_then(Connection::sender) {
                    Some(sender) => Envelope::id_in(bytes, sender),
                    None => None,
                };
                self.refuse(from, CallId::none(), about, error.into(), &mut actions);
            }
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

    /// A connection brought something that is no message at all.
    pub fn refuse_input(&mut self, from: ConnectionId, refusal: Refusal) -> Vec<Action> {
        let mut actions = Vec::new();
        self.refuse(from, CallId::none(), None, refusal, &mut actions);
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
        let Some(gone) = self.connections.remove(&connection) else { return Vec::new() };
        let Some(address) = gone.address else { return Vec::new() };
        match self.mailboxes.get_mut(&address) {
            Some(mailbox) if mailbox.connection == Some(connection) => {
                self.uses += 1;
                mailbox.connection = None;
                mailbox.last_use = self.uses;
                mailbox.absent_since = self.now;
                if mailbox.polled {
                    return Vec::new();
                }
                vec![Action::Report(RelayEvent::Left { participant: address.participant })]
            }
            _ => Vec::new(),
        }
    }

    /// Tells the relay the time, counted from its beginning. Never goes back. Whoever has been away for
    /// [`Limits::idle`] is forgotten, with what waits for it.
    ///
    /// Nothing happens between calls: a relay that nobody uses needs no timer.
    pub fn advance(&mut self, now: Duration) -> Vec<Action> {
        self.now = self.now.max(now);
        if self.now < self.next_sweep {
            return Vec::new();
        }
        let (now, idle) = (self.now, self.limits.idle);
        let mut actions = Vec::new();
        let mut next = now.saturating_add(idle);
        self.mailboxes.retain(|address, mailbox| {
            if mailbox.connection.is_some() {
                return true;
            }
            let ends = mailbox.absent_since.saturating_add(idle);
            if now < ends {
                next = next.min(ends);
                return true;
            }
            let (participant, waiting) = (address.participant.clone(), mailbox.len());
            actions.push(Action::Report(RelayEvent::Forgotten { participant, waiting }));
            false
        });
        self.next_sweep = next;
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
        let mailbox = connection.address.as_ref().and_then(|owner| self.mailboxes.get(owner));
        let Some(mailbox) = mailbox.filter(|mailbox| mailbox.connection == Some(id)) else {
            return Next::Wait;
        };
        if let Delivery::OnAck { told, .. } = connection.delivery
            && told < mailbox.highest_id()
        {
            let id = mailbox.highest_id();
            connection.writing = Some(Source::Confirmation { id });
            return Next::Confirmed { id };
        }
        let Some((place, message)) = mailbox.after(connection.delivery.sent()).next() else {
            return Next::Wait;
        };
        connection.writing = Some(Source::Mailbox { place: *place });
        match connection.delivery {
            Delivery::OnWrite => Next::Message(message.clone()),
            Delivery::OnAck { .. } => Next::Mail { place: *place, message: message.clone() },
        }
    }

    /// What [`Relay::next`] gave out was written.
    pub fn written(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        match (connection.writing.take(), &mut connection.delivery) {
            (Some(Source::Replies), _) => drop(connection.replies.pop_front()),
            (Some(Source::Mailbox { place }), Delivery::OnAck { sent, .. }) => *sent = place,
            (Some(Source::Confirmation { id }), Delivery::OnAck { told, .. }) => *told = id,
            (Some(Source::Mailbox { place }), Delivery::OnWrite) => {
                let mailbox = connection.address.as_ref().and_then(|owner| self.mailboxes.get_mut(owner));
                if let Some(mailbox) = mailbox.filter(|mailbox| mailbox.connection == Some(id)) {
                    mailbox.confirm(place);
                }
            }
            (Some(Source::Confirmation { .. }) | None, _) => {}
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
        let participant = self.address_of(to).map(|address| address.participant.clone());
        if self.settles(to, &refusal, about, &call, actions) {
            let Refusal { code, reason } = refusal;
            return actions.push(Action::Report(RelayEvent::Rejected { participant, code, reason }));
        }
        let Refusal { code, reason } = refusal;
        // Who has not joined has no name yet.
        let addressee = participant.clone().unwrap_or_else(|| ParticipantId::new("-"));
        let body = Message::Error { code: code.clone(), message: reason.clone(), about };
        self.reply(to, call, addressee, body, actions);
        actions.push(Action::Report(RelayEvent::Rejected { participant, code, reason }));
    }

    /// Whether the error takes the way of all messages; one that only sends is told at once as well.
    fn settles(
        &mut self,
        to: ConnectionId,
        refusal: &Refusal,
        about: Option<u64>,
        call: &CallId,
        actions: &mut Vec<Action>,
    ) -> bool {
        let Some(connection) = self.connections.get(&to) else { return false };
        let Delivery::OnAck { way, .. } = connection.delivery else { return false };
        let (Some(about), false) = (about, refusal.code == ErrorCode::WrongSender) else { return false };
        if self.settle(to, call, about, refusal, actions) {
            return way != EntryWay::Post;
        }
        // It sends faults and does not read.
        self.close(to, actions);
        true
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
            let envelope = from_relay(connection.replies_made, call, to, body);
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

    pub(super) fn address_of(&self, id: ConnectionId) -> Option<&Address> {
        self.connections.get(&id)?.address.as_ref()
    }
}

impl Connection {
    /// Whose messages it brings, where the client acknowledges.
    fn sender(&self) -> Option<&ParticipantId> {
        let address = self.address.as_ref().filter(|_| self.delivery.is_on_ack())?;
        Some(&address.participant)
    }

    pub(super) fn drop_replies(&mut self) {
        self.replies.clear();
    }
}

impl Delivery {
    pub(super) const fn is_on_ack(self) -> bool {
        matches!(self, Self::OnAck { .. })
    }

    /// The place up to which there is nothing to write.
    const fn sent(self) -> u64 {
        match self {
            Self::OnWrite => 0,
            Self::OnAck { sent, .. } => sent,
        }
    }
}

/// A message of the relay itself.
pub(super) fn from_relay(id: u64, call: CallId, to: ParticipantId, body: Message) -> Envelope {
    Envelope { version: VERSION, id, call, from: RELAY.into(), to, body }
}

/// A message stands in its mailbox.
pub(super) fn announce(mailbox: &Mailbox, passage: Passage, actions: &mut Vec<Action>) {
    match mailbox.connection {
        Some(connection) => {
            actions.push(Action::Report(RelayEvent::Relayed(passage)));
            actions.push(Action::Wake(connection));
        }
        // Between two polls: the next one takes it, and nothing more is told of it.
        None if mailbox.polled => actions.push(Action::Report(RelayEvent::Relayed(passage))),
        None => actions.push(Action::Report(RelayEvent::Stored(passage))),
    }
}
