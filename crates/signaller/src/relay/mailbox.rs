//! What the relay knows of one participant.

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;

use super::{ConnectionId, MailboxId};
use crate::message::SessionId;

#[derive(Clone, Debug)]
pub(super) struct Mailbox {
    /// Which life of the mailbox this is: cursors count within it.
    pub(super) id: MailboxId,
    /// The connection that reads it.
    pub(super) connection: Option<ConnectionId>,
    /// The run of the participant's client; `None` before it joined.
    pub(super) session: Option<SessionId>,
    /// The session's highest turn; see [`Entry::turn`](super::Entry::turn).
    pub(super) turn: u64,
    /// Whether its owner polls, and so is there although no connection is.
    pub(super) polled: bool,
    /// The highest id that was accepted from this session.
    highest_id: u64,
    /// What its owner has not confirmed yet, oldest first, with the place of each.
    waiting: VecDeque<(u64, Bytes)>,
    /// The place of the message that came last; places count from 1.
    last_place: u64,
    /// How many messages to it are held back by rules.
    held: usize,
    /// When it was last used, in the relay's own count.
    pub(super) last_use: u64,
    /// When its owner left, or when the first message for it came; by the relay's clock.
    pub(super) absent_since: Duration,
}

impl Mailbox {
    pub(super) fn new(id: MailboxId, now: Duration) -> Self {
        Self {
            id,
            connection: None,
            session: None,
            turn: 0,
            polled: false,
            highest_id: 0,
            waiting: VecDeque::new(),
            last_place: 0,
            held: 0,
            last_use: 0,
            absent_since: now,
        }
    }

    /// The owner's client comes. A new session numbers its messages anew; whether it is one.
    pub(super) fn begin_session(&mut self, session: &SessionId) -> bool {
        if self.session.as_ref() == Some(session) {
            return false;
        }
        self.session = Some(session.clone());
        self.highest_id = 0;
        self.turn = 0;
        true
    }

    /// The highest id that its owner has sent.
    pub(super) fn highest_id(&self) -> u64 {
        self.highest_id
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
        self.push(bytes);
    }

    pub(super) fn forget_held(&mut self) {
        self.held = 0;
    }

    pub(super) fn push(&mut self, bytes: Bytes) {
        self.last_place += 1;
        self.waiting.push_back((self.last_place, bytes));
    }

    /// The place of the message that came last, 0 before the first.
    pub(super) fn last_place(&self) -> u64 {
        self.last_place
    }

    /// What waits behind `cursor`, oldest first.
    pub(super) fn after(&self, cursor: u64) -> impl Iterator<Item = &(u64, Bytes)> {
        // Places follow each other without gaps.
        let first = self.waiting.front().map_or(0, |(place, _)| *place);
        let seen = usize::try_from((cursor + 1).saturating_sub(first)).unwrap_or(usize::MAX);
        self.waiting.iter().skip(seen)
    }

    /// The owner has everything up to `cursor`.
    pub(super) fn confirm(&mut self, cursor: u64) {
        while self.waiting.front().is_some_and(|(place, _)| *place <= cursor) {
            self.waiting.pop_front();
        }
    }

    /// Whether nobody would miss it, but for a sender that repeats itself after a long absence.
    pub(super) fn can_be_forgotten(&self) -> bool {
        self.connection.is_none() && self.len() == 0
    }
}
