//! What the relay knows of one participant.

use std::collections::VecDeque;

use bytes::Bytes;

use super::ConnectionId;
use crate::message::SessionId;

#[derive(Debug, Default)]
pub(super) struct Mailbox {
    /// The connection that reads it.
    pub(super) connection: Option<ConnectionId>,
    /// The run of the participant's client; `None` before it joined.
    session: Option<SessionId>,
    /// The highest id that was accepted from this session.
    highest_id: u64,
    /// What waits to be written, oldest first.
    waiting: VecDeque<Bytes>,
    /// How many messages to it are held back by delay rules.
    held: usize,
    /// When it was last used, in the relay's own count.
    pub(super) last_use: u64,
}

impl Mailbox {
    /// A connection joins. A new session numbers its messages anew.
    pub(super) fn open(&mut self, connection: ConnectionId, session: SessionId) {
        if self.session.as_ref() != Some(&session) {
            self.session = Some(session);
            self.highest_id = 0;
        }
        self.connection = Some(connection);
    }

    /// Whether its owner has sent this id, or a later one, before.
    pub(super) fn has_sent(&self, id: u64) -> bool {
        id <= self.highest_id
    }

    pub(super) fn note_sent(&mut self, id: u64) {
        self.highest_id = id;
    }

    /// Messages that wait, held ones included.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.held
    }

    pub(super) fn hold_one(&mut self) {
        self.held += 1;
    }

    pub(super) fn release_one(&mut self, bytes: Bytes) {
        self.held -= 1;
        self.waiting.push_back(bytes);
    }

    pub(super) fn push(&mut self, bytes: Bytes) {
        self.waiting.push_back(bytes);
    }

    pub(super) fn first(&self) -> Option<&Bytes> {
        self.waiting.front()
    }

    pub(super) fn remove_first(&mut self) {
        self.waiting.pop_front();
    }

    /// Whether nobody would miss it, but for a sender that repeats itself after a long absence.
    pub(super) fn can_be_forgotten(&self) -> bool {
        self.connection.is_none() && self.len() == 0
    }
}
