//! Whether a message is passed on.

use std::time::Duration;

use bytes::Bytes;

use super::{Action, ConnectionId, HeldId, Passage, Relay, RelayEvent, core::announce, mailbox::Mailbox};
use crate::message::{
    CallId, Envelope, ErrorCode, Kind, Message, MessageError, ParticipantId, RELAY, SessionId,
};

/// Why a message is not passed on.
pub(super) struct Refusal {
    pub(super) code: ErrorCode,
    pub(super) reason: String,
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
        self.check_sender(from, &envelope)?;
        let passage = Passage::of(&envelope);
        if self.mailboxes.get(&envelope.from).is_some_and(|sender| sender.has_sent(envelope.id)) {
            actions.push(Action::Report(RelayEvent::Duplicate(passage)));
            return Ok(());
        }
        self.check_room(&envelope.to)?;
        if let Some(sender) = self.mailboxes.get_mut(&envelope.from) {
            sender.note_sent(envelope.id);
        }
        let delay = self.rules.delay(&envelope);
        self.pass_on(passage, Bytes::copy_from_slice(bytes), delay, actions);
        Ok(())
    }

    fn join(
        &mut self,
        id: ConnectionId,
        participant: ParticipantId,
        session: SessionId,
        actions: &mut Vec<Action>,
    ) -> Result<(), Refusal> {
        if participant == *RELAY {
            return Err(Refusal::new(ErrorCode::WrongSender, format!("`{RELAY}` is the relay's own name")));
        }
        if let Some(joined) = self.participant_of(id)
            && *joined != participant
        {
            let reason = format!("this connection has joined as `{joined}`, not as `{participant}`");
            return Err(Refusal::new(ErrorCode::WrongSender, reason));
        }
        if !self.make_room_for(&participant) {
            let limit = self.limits.participants;
            let reason = format!("the relay keeps {limit} participants and no more");
            return Err(Refusal::new(ErrorCode::RelayFull, reason));
        }
        let mailbox = self.mailbox(&participant);
        let older = mailbox.connection.filter(|older| *older != id);
        mailbox.open(id, session.clone());
        let waiting = mailbox.len();
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.participant = Some(participant.clone());
        }
        if let Some(older) = older {
            self.replace(older, &participant, actions);
        }
        self.reply(id, CallId::none(), participant.clone(), Message::Joined, actions);
        actions.push(Action::Report(RelayEvent::Joined { participant, session, waiting }));
        Ok(())
    }

    /// A newer connection of the same participant has come.
    fn replace(&mut self, older: ConnectionId, participant: &ParticipantId, actions: &mut Vec<Action>) {
        let body = Message::Error {
            code: ErrorCode::Replaced,
            message: format!("another connection has joined as `{participant}`"),
            about: None,
        };
        self.reply(older, CallId::none(), participant.clone(), body, actions);
        self.close(older, actions);
    }

    fn check_sender(&self, id: ConnectionId, envelope: &Envelope) -> Result<(), Refusal> {
        let kind = Kind::of(&envelope.body);
        let Some(joined) = self.participant_of(id) else {
            return Err(Refusal::new(ErrorCode::NotJoined, format!("`join` must come before `{kind}`")));
        };
        if *joined != envelope.from {
            let reason = format!("this connection has joined as `{joined}`, not as `{}`", envelope.from);
            return Err(Refusal::new(ErrorCode::WrongSender, reason));
        }
        if kind.is_for_relay() {
            return Err(Refusal::new(ErrorCode::NotAllowed, format!("only the relay sends `{kind}`")));
        }
        if envelope.to == *RELAY {
            return Err(Refusal::new(ErrorCode::NotAllowed, format!("the relay itself takes no `{kind}`")));
        }
        Ok(())
    }

    fn check_room(&mut self, to: &ParticipantId) -> Result<(), Refusal> {
        if !self.make_room_for(to) {
            let reason = format!("`{to}` has not joined, and the relay has no room to wait for it");
            return Err(Refusal::new(ErrorCode::UnknownParticipant, reason));
        }
        let limit = self.limits.queue;
        if self.mailboxes.get(to).is_some_and(|mailbox| mailbox.len() >= limit) {
            let reason = format!("{limit} messages wait for `{to}`, and the relay keeps no more");
            return Err(Refusal::new(ErrorCode::QueueFull, reason));
        }
        Ok(())
    }

    fn pass_on(
        &mut self,
        passage: Passage,
        bytes: Bytes,
        delay: Option<Duration>,
        actions: &mut Vec<Action>,
    ) {
        let mailbox = self.mailbox(&passage.to);
        let Some(by) = delay else {
            mailbox.push(bytes);
            announce(mailbox, passage, actions);
            return;
        };
        mailbox.hold_one();
        let held = HeldId(self.next_held);
        self.next_held += 1;
        self.held.insert(held, (passage.clone(), bytes));
        actions.push(Action::Report(RelayEvent::Held { passage, by }));
        actions.push(Action::Hold { held, by });
    }

    /// The mailbox of a participant for whom [`Relay::make_room_for`] has found room.
    fn mailbox(&mut self, owner: &ParticipantId) -> &mut Mailbox {
        self.uses += 1;
        let mailbox = self.mailboxes.entry(owner.clone()).or_default();
        mailbox.last_use = self.uses;
        mailbox
    }

    /// Whether there is a mailbox for `newcomer` or room for one. Forgets another participant for it,
    /// where one can be forgotten.
    fn make_room_for(&mut self, newcomer: &ParticipantId) -> bool {
        if self.mailboxes.contains_key(newcomer) || self.mailboxes.len() < self.limits.participants {
            return true;
        }
        let idle = self.mailboxes.iter().filter(|(_, mailbox)| mailbox.can_be_forgotten());
        let Some(oldest) = idle.min_by_key(|(_, mailbox)| mailbox.last_use).map(|(owner, _)| owner.clone())
        else {
            return false;
        };
        self.mailboxes.remove(&oldest);
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
