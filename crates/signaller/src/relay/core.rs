use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use bytes::Bytes;

use super::{
    DelayRule, EntryWay, HeldId, Limits, Passage, RelayEvent, RelaySettings, Store,
    address::Address,
    admission::Refusal,
    faults::{HeldMessages, Rules},
    mailbox::{Mailbox, Waiting},
    mailboxes::Mailboxes,
    words::shortened,
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
    pub(super) mailboxes: Mailboxes,
    pub(super) mailboxes_made: u64,
    /// How many messages of its own it has put into mailboxes.
    pub(super) own_messages: u64,
    pub(super) connections: BTreeMap<ConnectionId, Connection>,
    pub(super) held: HeldMessages,
    next_connection: u64,
    pub(super) uses: u64,
    /// The time, as [`Relay::advance`] was told.
    pub(super) now: Duration,
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
            mailboxes: Mailboxes::default(),
            mailboxes_made: 0,
            own_messages: 0,
            connections: BTreeMap::new(),
            held: HeldMessages::default(),
            next_connection: 0,
            uses: 0,
            now: Duration::ZERO,
        }
    }

    /// A relay that knows what `store` has kept, and notes what changes of that for [`Relay::take_changes`].
    pub fn durable(settings: &RelaySettings, store: Store) -> Self {
        let mut relay = Self { mailboxes: Mailboxes::journaled(), ..Self::with(settings) };
        relay.restore(store);
        relay
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
    pub(crate) fn handle_oversized(&mut self, from: ConnectionId) -> Vec<Action> {
        let mut actions = Vec::new();
        let limit = self.limits.message_bytes;
        let reason = format!("the frame has more than the {limit} bytes that are accepted");
        self.refuse(from, CallId::none(), None, Refusal::new(ErrorCode::TooLarge, reason), &mut actions);
        self.close(from, &mut actions);
        actions
    }

    /// A connection brought something that is no message at all.
    pub(crate) fn refuse_input(&mut self, from: ConnectionId, refusal: Refusal) -> Vec<Action> {
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
        if self.mailboxes.get(&address).is_none_or(|mailbox| mailbox.connection != Some(connection)) {
            return Vec::new();
        }
        self.uses += 1;
        let (uses, now) = (self.uses, self.now);
        let polled = self.mailboxes.change(&address, |mailbox| {
            mailbox.connection = None;
            mailbox.last_use = uses;
            mailbox.absent_since = now;
            mailbox.polled
        });
        if polled != Some(false) {
            return Vec::new();
        }
        let mut actions = self.note_absent(&address);
        let Address { call, participant } = address;
        actions.push(Action::Report(RelayEvent::Left { call, participant }));
        actions
    }

    /// Tells the relay the time, counted from its beginning. Never goes back. Whoever has been away for
    /// [`Limits::idle`] is forgotten, with what waits for it.
    ///
    /// Nothing happens between calls: a relay that nobody uses needs no timer.
    pub fn advance(&mut self, now: Duration) -> Vec<Action> {
        self.now = self.now.max(now);
        let Some(since) = self.now.checked_sub(self.limits.idle) else { return Vec::new() };
        let mut actions = Vec::new();
        for owner in self.mailboxes.away_since(since) {
            let Some(mailbox) = self.mailboxes.remove(&owner) else { continue };
            let Address { call, participant } = owner;
            let waiting = mailbox.len();
            actions.push(Action::Report(RelayEvent::Forgotten { call, participant, waiting }));
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
        let Some(Waiting { place, bytes, .. }) = mailbox.after(connection.delivery.sent()).next() else {
            return Next::Wait;
        };
        connection.writing = Some(Source::Mailbox { place: *place });
        match connection.delivery {
            Delivery::OnWrite => Next::Message(bytes.clone()),
            Delivery::OnAck { .. } => Next::Mail { place: *place, message: bytes.clone() },
        }
    }

    /// What [`Relay::next`] gave out was written.
    pub fn written(&mut self, id: ConnectionId) -> Vec<Action> {
        let Some(connection) = self.connections.get_mut(&id) else { return Vec::new() };
        let (writing, owner) = (connection.writing.take(), connection.address.clone());
        match (writing, &mut connection.delivery) {
            (Some(Source::Replies), _) => drop(connection.replies.pop_front()),
            (Some(Source::Confirmation { id }), Delivery::OnAck { told, .. }) => *told = id,
            (Some(Source::Mailbox { place }), delivery) => {
                let is_on_ack = delivery.is_on_ack();
                if let Delivery::OnAck { sent, .. } = delivery {
                    *sent = place;
                }
                let Some(owner) = owner.filter(|owner| self.reads(owner, id)) else { return Vec::new() };
                let written = self.note_written(&owner, place);
                if !is_on_ack {
                    self.mailboxes.confirm(&owner, place);
                }
                return written.into_iter().collect();
            }
            (Some(Source::Confirmation { .. }) | None, _) => {}
        }
        Vec::new()
    }

    /// Whether this connection reads the mailbox.
    pub(super) fn reads(&self, owner: &Address, id: ConnectionId) -> bool {
        self.mailboxes.get(owner).is_some_and(|mailbox| mailbox.connection == Some(id))
    }

    /// The message at `place` is written to its addressee; reported the first time.
    pub(super) fn note_written(&mut self, owner: &Address, place: u64) -> Option<Action> {
        let is_first = self.mailboxes.change(owner, |mailbox| mailbox.note_written(place))?;
        let mailbox = self.mailboxes.get(owner).filter(|_| is_first)?;
        let message = mailbox.after(place.saturating_sub(1)).next()?.bytes.clone();
        let Address { call, participant } = owner.clone();
        Some(Action::Report(RelayEvent::Written { call, participant, message }))
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
        let of_call = self.address_of(to).and_then(|address| address.call.clone());
        let of_call = of_call.or_else(|| Some(call.clone()).filter(|call| *call != CallId::none()));
        let rejected = |code, reason| {
            Action::Report(RelayEvent::Rejected {
                call: of_call,
                participant: participant.clone(),
                code,
                reason,
            })
        };
        if self.settles(to, &refusal, about, &call, actions) {
            let Refusal { code, reason } = refusal;
            return actions.push(rejected(code, reason));
        }
        let Refusal { code, reason } = refusal;
        // Who has not joined has no name yet.
        let addressee = participant.clone().unwrap_or_else(|| ParticipantId::new("-"));
        let body = Message::Error { code: code.clone(), message: shortened(&reason), about };
        self.reply(to, call, addressee, body, actions);
        actions.push(rejected(code, reason));
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
