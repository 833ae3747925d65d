//! How a client comes in that acknowledges what it gets: by WebSocket or REST.

use super::{
    Action, ConnectionId, MailboxId, Relay, RelayEvent, address::Address, admission::Refusal, core::Delivery,
    words::shortened,
};
use crate::message::{CallId, ErrorCode, Message, ParticipantId, RELAY, SessionId};

/// What a client says when it comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The call to which its token admits it; `None` on a relay without tokens.
    pub call: Option<CallId>,
    /// Who it is.
    pub participant: ParticipantId,
    /// The run of the client.
    pub session: SessionId,
    /// The mailbox in which `cursor` counts, as an earlier [`Welcome`] named it.
    pub mailbox: Option<MailboxId>,
    /// The place up to which it has applied everything: the relay forgets that.
    pub cursor: u64,
    /// Counted up by the client with every connection that it reads from. What was overtaken on its
    /// way by a later turn of the same session is refused as `stale`, so that a poll which the network
    /// kept cannot take the mailbox from a WebSocket that came after it.
    pub turn: u64,
    /// What the connection is for.
    pub way: EntryWay,
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryWay {
    /// To read and to send, for as long as it lasts.
    Stream,
    /// To read what there is or comes soon; the next one follows it.
    Poll,
    /// To send. Another connection goes on reading; `turn` says nothing.
    Post,
}

/// What the relay knows of a client that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Welcome {
    /// The mailbox. Another one than the client knew: its cursor is 0 now.
    pub mailbox: MailboxId,
    /// The highest id that the relay has from this session; the client need not keep it any longer.
    pub confirmed: u64,
}

impl Relay {
    /// A connection says who it is. It acknowledges what it gets from here on.
    ///
    /// # Errors
    /// [`Refusal`]: `wrong-sender`, `unauthorized`, `relay-full`, `replaced` by another session, or
    /// `stale`. The connection is then of no use.
    pub fn enter(&mut self, id: ConnectionId, entry: &Entry) -> (Result<Welcome, Refusal>, Vec<Action>) {
        let mut actions = Vec::new();
        let entered = self.admit(id, entry, &mut actions);
        if let Err(Refusal { code, reason }) = &entered {
            let (code, reason) = (code.clone(), reason.clone());
            let (call, participant) = (entry.call.clone(), Some(entry.participant.clone()));
            actions.push(Action::Report(RelayEvent::Rejected { call, participant, code, reason }));
        }
        (entered, actions)
    }

    fn admit(
        &mut self,
        id: ConnectionId,
        entry: &Entry,
        actions: &mut Vec<Action>,
    ) -> Result<Welcome, Refusal> {
        if entry.participant == *RELAY {
            return Err(Refusal::new(ErrorCode::WrongSender, format!("`{RELAY}` is the relay's own name")));
        }
        if self.guarded && entry.call.is_none() {
            let reason = "this relay admits only holders of a token for a call".to_owned();
            return Err(Refusal::new(ErrorCode::Unauthorized, reason));
        }
        let address = Address { call: entry.call.clone(), participant: entry.participant.clone() };
        self.make_room_for_member(&address)?;
        self.check_turn(&address, entry)?;
        let now = self.now;
        let is_new_session = self.use_mailbox(&address, |mailbox| {
            mailbox.absent_since = now;
            mailbox.begin_session(&entry.session)
        });
        self.resume(&address, entry);
        if entry.way != EntryWay::Post {
            self.take_over(id, &address, entry, is_new_session, actions);
        }
        let welcome = self.use_mailbox(&address, |mailbox| Welcome {
            mailbox: mailbox.id.clone(),
            confirmed: mailbox.highest_id(),
        });
        let is_known = entry.mailbox.as_ref() == Some(&welcome.mailbox);
        let sent = if is_known { entry.cursor } else { 0 };
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.address = Some(address);
            connection.delivery = Delivery::OnAck { way: entry.way, sent, told: welcome.confirmed };
        }
        Ok(welcome)
    }

    /// Whether the request comes from the client that is there now, and not too late.
    fn check_turn(&self, address: &Address, entry: &Entry) -> Result<(), Refusal> {
        let Some(mailbox) = self.mailboxes.get(address) else { return Ok(()) };
        let is_present = mailbox.session.as_ref() == Some(&entry.session);
        let knows_mailbox = entry.mailbox.as_ref() == Some(&mailbox.id);
        if !is_present && mailbox.session.is_some() && knows_mailbox {
            let reason = format!("another client has joined as `{}`", entry.participant);
            return Err(Refusal::new(ErrorCode::Replaced, reason));
        }
        if is_present && entry.way != EntryWay::Post && entry.turn < mailbox.turn {
            let reason = format!("turn {} of this session is over: {} has begun", entry.turn, mailbox.turn);
            return Err(Refusal::new(ErrorCode::Stale, reason));
        }
        Ok(())
    }

    /// Forgets what the client has applied.
    fn resume(&mut self, address: &Address, entry: &Entry) {
        let is_known = self.use_mailbox(address, |mailbox| {
            let is_its_own = entry.mailbox.as_ref() == Some(&mailbox.id);
            is_its_own.then(|| entry.cursor <= mailbox.last_place())
        });
        match is_known {
            None => {}
            Some(true) => self.mailboxes.confirm(address, entry.cursor),
            // The client has seen places that this store does not know: it was restored from an older one.
            // Under another name of the mailbox the client starts anew.
            Some(false) => {
                let renewed = self.name_for_mailbox();
                self.use_mailbox(address, |mailbox| mailbox.renew(renewed));
            }
        }
    }

    fn take_over(
        &mut self,
        id: ConnectionId,
        address: &Address,
        entry: &Entry,
        is_new_session: bool,
        actions: &mut Vec<Action>,
    ) {
        let is_poll = entry.way == EntryWay::Poll;
        let (polls_on, older, waiting) = self.use_mailbox(address, |mailbox| {
            let polls_on = is_poll && mailbox.polled && !is_new_session;
            mailbox.turn = entry.turn;
            mailbox.polled = is_poll;
            (polls_on, mailbox.connection.replace(id).filter(|older| *older != id), mailbox.len())
        });
        if let Some(older) = older {
            self.give_way(older, &entry.participant, is_new_session, actions);
        }
        self.note_present(address, actions);
        if !polls_on {
            let (call, participant) = (address.call.clone(), address.participant.clone());
            let session = entry.session.clone();
            actions.push(Action::Report(RelayEvent::Joined { call, participant, session, waiting }));
        }
    }

    /// A connection is not the participant's any more. Only another client is told why: the same one
    /// has left it behind.
    fn give_way(
        &mut self,
        older: ConnectionId,
        participant: &ParticipantId,
        is_new_session: bool,
        actions: &mut Vec<Action>,
    ) {
        let acknowledges = self.connections.get(&older).is_some_and(|older| older.delivery.is_on_ack());
        if acknowledges && !is_new_session {
            self.close(older, actions);
        } else {
            self.replace(older, participant, actions);
        }
    }

    /// The client has applied everything up to `cursor`.
    pub fn acknowledge(&mut self, id: ConnectionId, cursor: u64) {
        let Some(connection) = self.connections.get(&id) else { return };
        let Delivery::OnAck { sent, .. } = connection.delivery else { return };
        let Some(address) = connection.address.clone() else { return };
        if self.reads(&address, id) {
            // What was not sent on this connection cannot have been applied.
            self.mailboxes.confirm(&address, cursor.min(sent));
        }
    }

    /// What waits for a connection that polls, oldest first: at least one message if there is any, and
    /// no more than `bytes` in all.
    pub fn mail(&mut self, id: ConnectionId, bytes: usize) -> (Vec<(u64, bytes::Bytes)>, Vec<Action>) {
        let Some(connection) = self.connections.get(&id).filter(|connection| !connection.closing) else {
            return Default::default();
        };
        let Delivery::OnAck { sent, .. } = connection.delivery else { return Default::default() };
        let Some(owner) = connection.address.clone().filter(|owner| self.reads(owner, id)) else {
            return Default::default();
        };
        let mut taken = 0;
        let waiting = self.mailboxes.get(&owner).into_iter().flat_map(|mailbox| mailbox.after(sent));
        let mail: Vec<(u64, bytes::Bytes)> = waiting
            .take_while(|waiting| {
                let is_first = taken == 0;
                taken += waiting.bytes.len();
                is_first || taken <= bytes
            })
            .map(|waiting| (waiting.place, waiting.bytes.clone()))
            .collect();
        let written = mail.iter().filter_map(|(place, _)| self.note_written(&owner, *place)).collect();
        (mail, written)
    }

    /// Whether a connection is to be closed as soon as its answers are written.
    pub(crate) fn is_closing(&self, id: ConnectionId) -> bool {
        self.connections.get(&id).is_none_or(|connection| connection.closing)
    }

    /// The highest id that the relay has from the client of this connection.
    pub fn confirmed(&self, id: ConnectionId) -> u64 {
        let address = self.connections.get(&id).and_then(|connection| connection.address.as_ref());
        address.and_then(|address| self.mailboxes.get(address)).map_or(0, |mailbox| mailbox.highest_id())
    }

    /// Refuses a message of a client that acknowledges, for good: its id is used up, and the error
    /// takes the way of all messages, so that no reconnect can lose it. `false` where that is not
    /// possible.
    pub(super) fn settle(
        &mut self,
        id: ConnectionId,
        call: &CallId,
        about: u64,
        refusal: &Refusal,
        actions: &mut Vec<Action>,
    ) -> bool {
        let Some(address) = self.connections.get(&id).and_then(|connection| connection.address.clone())
        else {
            return false;
        };
        let Some(mailbox) = self.mailboxes.get(&address) else { return false };
        if mailbox.has_sent(about) {
            return true;
        }
        let Refusal { code, reason } = refusal;
        let body = Message::Error { code: code.clone(), message: shortened(reason), about: Some(about) };
        if !self.tell(&address, call, body, actions) {
            return false;
        }
        self.mailboxes.change(&address, |mailbox| mailbox.note_sent(about));
        actions.push(Action::Wake(id));
        true
    }

    /// Puts a message of the relay itself into a mailbox; `false` where that has no room left.
    pub(super) fn tell(
        &mut self,
        to: &Address,
        call: &CallId,
        body: Message,
        actions: &mut Vec<Action>,
    ) -> bool {
        let most = self.limits.queue.saturating_add(self.limits.replies);
        // They have room of their own.
        let most_bytes = self.limits.mail_bytes.saturating_add(self.limits.mail_bytes / 8);
        let Some(mailbox) = self.mailboxes.get(to) else { return false };
        if mailbox.len() >= most || self.mailboxes.bytes() >= most_bytes {
            return false;
        }
        let connection = mailbox.connection;
        self.own_messages += 1;
        let message = super::core::from_relay(self.own_messages, call.clone(), to.participant.clone(), body);
        self.mailboxes.push(to, None, message.to_json().into());
        actions.extend(connection.map(Action::Wake));
        true
    }
}
