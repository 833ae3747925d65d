//! Whether a message is passed on.

use std::time::Duration;

use bytes::Bytes;
use thiserror::Error;

use super::{
    Action, ConnectionId, Fault, HeldId, MailboxId, Passage, Relay, RelayEvent,
    address::Address,
    core::{Held, HeldUntil, announce},
    mailbox::Mailbox,
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
        self.check_room(&to)?;
        if let Some(sender) = self.mailboxes.get_mut(&sender) {
            sender.note_sent(envelope.id);
        }
        self.wake_to_confirm(from, actions);
        let fault = self.rules.fault(&envelope, self.now);
        self.pass_on(passage, &to, Bytes::copy_from_slice(bytes), fault, actions);
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
        let mailbox = self.mailbox(&address);
        mailbox.begin_session(&session);
        mailbox.polled = false;
        let older = mailbox.connection.replace(id).filter(|older| *older != id);
        let waiting = mailbox.len();
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.address = Some(address);
        }
        if let Some(older) = older {
            self.replace(older, &participant, actions);
        }
        self.reply(id, CallId::none(), participant.clone(), Message::Joined, actions);
        actions.push(Action::Report(RelayEvent::Joined { participant, session, waiting }));
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

    fn check_room(&mut self, to: &Address) -> Result<(), Refusal> {
        if !self.make_room_for(to) {
            let to = &to.participant;
            let reason = format!("`{to}` has not joined, and the relay has no room to wait for it");
            return Err(Refusal::new(ErrorCode::UnknownParticipant, reason));
        }
        let limit = self.limits.queue;
        if self.mailboxes.get(to).is_some_and(|mailbox| mailbox.len() >= limit) {
            let to = &to.participant;
            let reason = format!("{limit} messages wait for `{to}`, and the relay keeps no more");
            return Err(Refusal::new(ErrorCode::QueueFull, reason));
        }
        Ok(())
    }

    fn pass_on(
        &mut self,
        passage: Passage,
        to: &Address,
        bytes: Bytes,
        fault: Option<Fault>,
        actions: &mut Vec<Action>,
    ) {
        match fault {
            Some(Fault::Drop) => return actions.push(Action::Report(RelayEvent::Dropped(passage))),
            Some(Fault::Delay(by)) => {
                return self.hold(passage, to, bytes, (by, HeldUntil::TimePasses), actions);
            }
            Some(Fault::Reorder { within }) => {
                return self.hold(passage, to, bytes, (within, HeldUntil::NextMessage), actions);
            }
            Some(Fault::Duplicate) => {
                actions.push(Action::Report(RelayEvent::Duplicated(passage.clone())));
                self.put(passage.clone(), to, bytes.clone(), actions);
            }
            None => {}
        }
        let from = passage.from.clone();
        self.put(passage, to, bytes, actions);
        let overtaken =
            |held: &Held| held.until == HeldUntil::NextMessage && held.to == *to && held.passage.from == from;
        let overtaken: Vec<HeldId> =
            self.held.iter().filter(|(_, held)| overtaken(held)).map(|(id, _)| *id).collect();
        overtaken.into_iter().for_each(|id| actions.extend(self.release(id)));
    }

    fn put(&mut self, passage: Passage, to: &Address, bytes: Bytes, actions: &mut Vec<Action>) {
        let mailbox = self.mailbox(to);
        mailbox.push(bytes);
        announce(mailbox, passage, actions);
    }

    fn hold(
        &mut self,
        passage: Passage,
        to: &Address,
        bytes: Bytes,
        (by, until): (Duration, HeldUntil),
        actions: &mut Vec<Action>,
    ) {
        self.mailbox(to).hold_one();
        let id = HeldId(self.next_held);
        self.next_held += 1;
        self.held.insert(id, Held { passage: passage.clone(), to: to.clone(), bytes, until });
        actions.push(Action::Report(RelayEvent::Held { passage, by }));
        actions.push(Action::Hold { held: id, by });
    }

    /// The mailbox of a participant for whom [`Relay::make_room_for`] has found room.
    pub(super) fn mailbox(&mut self, owner: &Address) -> &mut Mailbox {
        self.uses += 1;
        if !self.mailboxes.contains_key(owner) {
            let name = self.name_for_mailbox();
            self.mailboxes.insert(owner.clone(), Mailbox::new(name, self.now));
        }
        let mailbox = self.mailboxes.get_mut(owner).expect("it was put there");
        mailbox.last_use = self.uses;
        mailbox
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
        let participants = self.limits.participants;
        let reason = if self.mailboxes.len() >= participants {
            format!("the relay keeps {participants} participants and no more")
        } else {
            format!("the relay keeps {} calls and no more", self.limits.calls)
        };
        Err(Refusal::new(ErrorCode::RelayFull, reason))
    }

    /// Whether there is a mailbox for `newcomer` or room for one. Forgets others for it, where they can
    /// be forgotten.
    fn make_room_for(&mut self, newcomer: &Address) -> bool {
        if self.mailboxes.contains_key(newcomer) {
            return true;
        }
        if self.mailboxes.len() >= self.limits.participants {
            let idle = self.mailboxes.iter().filter(|(_, mailbox)| mailbox.can_be_forgotten());
            let Some(oldest) =
                idle.min_by_key(|(_, mailbox)| mailbox.last_use).map(|(owner, _)| owner.clone())
            else {
                return false;
            };
            self.mailboxes.remove(&oldest);
        }
        newcomer.call.is_none() || self.make_room_for_call(newcomer)
    }

    fn make_room_for_call(&mut self, newcomer: &Address) -> bool {
        let mut calls: Vec<(Option<CallId>, bool, u64)> = Vec::new();
        for (address, mailbox) in &self.mailboxes {
            match calls.last_mut() {
                Some((call, idle, last_use)) if *call == address.call => {
                    *idle &= mailbox.can_be_forgotten();
                    *last_use = mailbox.last_use.max(*last_use);
                }
                _ => calls.push((address.call.clone(), mailbox.can_be_forgotten(), mailbox.last_use)),
            }
        }
        calls.retain(|(call, ..)| call.is_some());
        if calls.len() < self.limits.calls || calls.iter().any(|(call, ..)| *call == newcomer.call) {
            return true;
        }
        let idle = calls.into_iter().filter(|(_, idle, _)| *idle);
        let Some((oldest, ..)) = idle.min_by_key(|(.., last_use)| *last_use) else { return false };
        self.mailboxes.retain(|address, _| address.call != oldest);
        true
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
