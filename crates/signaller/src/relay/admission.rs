//! Whether a message is passed on.

use bytes::Bytes;
use thiserror::Error;

use super::{
    Action, ConnectionId, Limits, MailboxId, Passage, Relay, RelayEvent,
    address::Address,
    core::announce,
    mailbox::{Mailbox, size_of},
};
use crate::message::{CallId, Envelope, ErrorCode, Message, MessageError, ParticipantId, RELAY, SessionId};

/// Why a relay refuses something.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{code}: {reason}")]
pub struct Refusal {
    /// For programs.
    pub code: ErrorCode,
    /// For people.
    pub reason: String,
}

impl Relay {
    pub(super) fn accept(
        &mut self,
        from: ConnectionId,
        envelope: Envelope,
        bytes: &[u8],
        actions: &mut Vec<Action>,
    ) -> Result<(), Refusal> {
        if let Message::Join { session } = envelope.body {
            return self.join(from, envelope.from, session, actions);
        }
        let sender = self.check_sender(from, &envelope)?;
        let passage = Passage::of(&envelope);
        if self.mailboxes.get(&sender).is_some_and(|sender| sender.has_sent(envelope.id)) {
            actions.push(Action::Report(RelayEvent::Duplicate(passage)));
            self.wake_to_confirm(from, actions);
            return Ok(());
        }
        let to = sender.beside(&envelope.to);
        self.check_room(&to, &sender, size_of(bytes))?;
        self.mailboxes.change(&sender, |sender| sender.note_sent(envelope.id));
        self.note_company(&sender, &to, &envelope);
        self.wake_to_confirm(from, actions);
        let bytes = Bytes::copy_from_slice(bytes);
        match self.rules.fault(&envelope, self.now) {
            Some(fault) => self.strike(fault, passage, &to, bytes, actions),
            None => self.pass_on(passage, &to, bytes, actions),
        }
        Ok(())
    }

    /// A client that acknowledges is to be told what has arrived.
    fn wake_to_confirm(&self, id: ConnectionId, actions: &mut Vec<Action>) {
        if self.connections.get(&id).is_some_and(|connection| connection.delivery.is_on_ack()) {
            actions.push(Action::Wake(id));
        }
    }

    fn join(
        &mut self,
        id: ConnectionId,
        participant: ParticipantId,
        session: SessionId,
        actions: &mut Vec<Action>,
    ) -> Result<(), Refusal> {
        self.check_join(id, &participant)?;
        let address = Address { call: None, participant: participant.clone() };
        self.make_room_for_member(&address)?;
        let (older, waiting) = self.use_mailbox(&address, |mailbox| {
            mailbox.begin_session(&session);
            mailbox.polled = false;
            (mailbox.connection.replace(id).filter(|older| *older != id), mailbox.len())
        });
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.address = Some(address.clone());
        }
        if let Some(older) = older {
            self.replace(older, &participant, actions);
        }
        self.note_present(&address, actions);
        self.reply(id, CallId::none(), participant.clone(), Message::Joined, actions);
        actions.push(Action::Report(RelayEvent::Joined { call: None, participant, session, waiting }));
        Ok(())
    }

    fn check_join(&self, id: ConnectionId, participant: &ParticipantId) -> Result<(), Refusal> {
        if self.connections.get(&id).is_some_and(|connection| connection.delivery.is_on_ack()) {
            let reason = "this connection has joined already, with its request".to_owned();
            return Err(Refusal::new(ErrorCode::NotAllowed, reason));
        }
        if self.guarded {
            let reason = "this relay wants a token, for which framed TCP has no place".to_owned();
            return Err(Refusal::new(ErrorCode::Unauthorized, reason));
        }
        if *participant == *RELAY {
            return Err(Refusal::new(ErrorCode::WrongSender, format!("`{RELAY}` is the relay's own name")));
        }
        match self.address_of(id) {
            Some(joined) if joined.participant != *participant => {
                let joined = &joined.participant;
                let reason = format!("this connection has joined as `{joined}`, not as `{participant}`");
                Err(Refusal::new(ErrorCode::WrongSender, reason))
            }
            _ => Ok(()),
        }
    }

    /// A newer connection of the same participant has come.
    pub(super) fn replace(
        &mut self,
        older: ConnectionId,
        participant: &ParticipantId,
        actions: &mut Vec<Action>,
    ) {
        let body = Message::Error {
            code: ErrorCode::Replaced,
            message: format!("another connection has joined as `{participant}`"),
            about: None,
        };
        self.reply(older, CallId::none(), participant.clone(), body, actions);
        self.close(older, actions);
    }

    /// Whether the sender is who it says, and may send this; its address.
    fn check_sender(&self, id: ConnectionId, envelope: &Envelope) -> Result<Address, Refusal> {
        let kind = envelope.body.kind();
        let Some(address) = self.address_of(id) else {
            return Err(Refusal::new(ErrorCode::NotJoined, format!("`join` must come before `{kind}`")));
        };
        let joined = &address.participant;
        if *joined != envelope.from {
            let reason = format!("this connection has joined as `{joined}`, not as `{}`", envelope.from);
            return Err(Refusal::new(ErrorCode::WrongSender, reason));
        }
        if let Some(call) = address.call.as_ref().filter(|call| **call != envelope.call) {
            let reason = format!("the token is for call `{call}`, not for `{}`", envelope.call);
            return Err(Refusal::new(ErrorCode::Forbidden, reason));
        }
        if envelope.body.is_for_relay() {
            return Err(Refusal::new(ErrorCode::NotAllowed, format!("only the relay sends `{kind}`")));
        }
        if envelope.to == *RELAY {
            return Err(Refusal::new(ErrorCode::NotAllowed, format!("the relay itself takes no `{kind}`")));
        }
        Ok(address.clone())
    }

    /// Whether there is room for a message of `size` bytes from `sender` to `to`.
    fn check_room(&mut self, to: &Address, sender: &Address, size: usize) -> Result<(), Refusal> {
        if !self.mailboxes.contains(to) {
            self.check_unknown(to, sender)?;
        }
        let limit = self.limits.queue;
        if self.mailboxes.get(to).is_some_and(|mailbox| mailbox.len() >= limit) {
            let to = &to.participant;
            let reason = format!("{limit} messages wait for `{to}`, and the relay keeps no more");
            return Err(Refusal::new(ErrorCode::QueueFull, reason));
        }
        let Limits { sender_bytes, call_bytes, mail_bytes, .. } = self.limits;
        let of_sender = self.mailboxes.sender(sender).bytes;
        let of_call =
            to.call.as_ref().and_then(|call| self.mailboxes.call(call)).map_or(0, |call| call.bytes);
        for (kept, limit, whose) in [
            (of_sender, sender_bytes, "of one sender"),
            (of_call, call_bytes, "of one call"),
            (self.mailboxes.bytes(), mail_bytes, "of all participants"),
        ] {
            if kept.saturating_add(size) > limit {
                let reason = format!("the relay keeps no more than {limit} bytes of messages {whose}");
                return Err(Refusal::new(ErrorCode::QueueFull, reason));
            }
        }
        Ok(())
    }

    /// Whether the relay waits for `to`, who has not joined, with a message of `sender`; its mailbox is then
    /// there.
    fn check_unknown(&mut self, to: &Address, sender: &Address) -> Result<(), Refusal> {
        let limit = self.limits.unknown_per_sender;
        let name = &to.participant;
        if self.mailboxes.sender(sender).opened >= limit {
            let reason = format!(
                "`{name}` has not joined, and messages of `{}` wait for {limit} others who have not",
                sender.participant
            );
            return Err(Refusal::new(ErrorCode::UnknownParticipant, reason));
        }
        if !self.make_room_for(to) {
            let reason = format!("`{name}` has not joined, and the relay has no room to wait for it");
            return Err(Refusal::new(ErrorCode::UnknownParticipant, reason));
        }
        Ok(())
    }

    pub(super) fn pass_on(
        &mut self,
        passage: Passage,
        to: &Address,
        bytes: Bytes,
        actions: &mut Vec<Action>,
    ) {
        let from = passage.from.clone();
        self.put(passage, to, bytes, actions);
        self.release_overtaken(&from, to, actions);
    }

    pub(super) fn put(&mut self, passage: Passage, to: &Address, bytes: Bytes, actions: &mut Vec<Action>) {
        self.open_mailbox(to, Some(&passage.from));
        self.mailboxes.push(to, Some(passage.from.clone()), bytes);
        if let Some(mailbox) = self.mailboxes.get(to) {
            announce(mailbox, passage, actions);
        }
    }

    /// Uses the mailbox of a participant for whom [`Relay::make_room_for`] has found room.
    pub(super) fn use_mailbox<R>(&mut self, owner: &Address, change: impl FnOnce(&mut Mailbox) -> R) -> R {
        self.open_mailbox(owner, None);
        self.mailboxes.change(owner, change).expect("it is there")
    }

    /// Makes the mailbox where it is not there, and notes that it is used. `opener`: whose message comes before
    /// its owner.
    pub(super) fn open_mailbox(&mut self, owner: &Address, opener: Option<&ParticipantId>) {
        self.uses += 1;
        if !self.mailboxes.contains(owner) {
            let mut mailbox = Mailbox::new(self.name_for_mailbox(), self.now);
            mailbox.opened_by = opener.cloned();
            self.mailboxes.insert(owner.clone(), mailbox);
        }
        let uses = self.uses;
        self.mailboxes.change(owner, |mailbox| mailbox.last_use = uses);
    }

    /// A name that no mailbox of this relay has had.
    pub(super) fn name_for_mailbox(&mut self) -> MailboxId {
        self.mailboxes_made += 1;
        MailboxId::new(format!("{}-{}", self.epoch, self.mailboxes_made))
    }

    /// As [`Relay::make_room_for`], for one who wants to join.
    pub(super) fn make_room_for_member(&mut self, address: &Address) -> Result<(), Refusal> {
        if self.make_room_for(address) {
            return Ok(());
        }
        let Limits { participants, participants_per_call, calls, .. } = self.limits;
        let reason = if self.is_call_full(address) {
            format!("the relay keeps {participants_per_call} participants of one call and no more")
        } else if self.mailboxes.len() >= participants {
            format!("the relay keeps {participants} participants and no more")
        } else {
            format!("the relay keeps {calls} calls and no more")
        };
        Err(Refusal::new(ErrorCode::RelayFull, reason))
    }

    fn is_call_full(&self, newcomer: &Address) -> bool {
        let of_call = newcomer.call.as_ref().and_then(|call| self.mailboxes.call(call));
        of_call.is_some_and(|of_call| of_call.mailboxes >= self.limits.participants_per_call)
    }

    /// Whether there is a mailbox for `newcomer` or room for one. Forgets others for it, where they can
    /// be forgotten.
    fn make_room_for(&mut self, newcomer: &Address) -> bool {
        if self.mailboxes.contains(newcomer) {
            return true;
        }
        if self.is_call_full(newcomer) && !self.make_room_within_call(newcomer) {
            return false;
        }
        if self.mailboxes.len() >= self.limits.participants {
            let Some(oldest) = self.mailboxes.longest_idle() else { return false };
            self.mailboxes.remove(&oldest);
        }
        let Some(call) = &newcomer.call else { return true };
        if self.mailboxes.calls() < self.limits.calls || self.mailboxes.call(call).is_some() {
            return true;
        }
        let Some(oldest) = self.mailboxes.longest_idle_call() else { return false };
        self.mailboxes.remove_call(&oldest);
        true
    }

    /// Forgets who left the newcomer's call longest ago.
    fn make_room_within_call(&mut self, newcomer: &Address) -> bool {
        let of_call = newcomer.call.iter().flat_map(|call| self.mailboxes.of_call(call));
        let idle = of_call.filter(|(_, mailbox)| mailbox.can_be_forgotten());
        let oldest = idle.min_by_key(|(_, mailbox)| mailbox.last_use).map(|(owner, _)| owner.clone());
        oldest.is_some_and(|oldest| self.mailboxes.remove(&oldest).is_some())
    }
}

impl Refusal {
    pub(super) fn new(code: ErrorCode, reason: String) -> Self {
        Self { code, reason }
    }
}

impl From<MessageError> for Refusal {
    fn from(error: MessageError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}
