//! What the relay knows of one participant.

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;

use super::{ConnectionId, MailboxId, company::Company};
use crate::message::{ParticipantId, SessionId};

/// What a message takes besides its bytes, in memory, rounded up.
const OVERHEAD_BYTES: usize = 128;

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
    /// Whose message made it, where its owner had not joined before.
    pub(super) opened_by: Option<ParticipantId>,
    /// With whom its owner talks in which call, and who was told that the owner is absent.
    pub(super) company: Company,
    /// The highest id that was accepted from this session.
    highest_id: u64,
    /// What its owner has not confirmed yet, oldest first.
    waiting: VecDeque<Waiting>,
    /// The place of the message that came last; places count from 1.
    last_place: u64,
    /// The place up to which it was written to a connection of its owner at least once.
    written: u64,
    /// How many messages to it are held back by rules.
    held: usize,
    /// When it was last used, in the relay's own count.
    pub(super) last_use: u64,
    /// When its owner left, or when the first message for it came; by the relay's clock.
    pub(super) absent_since: Duration,
    /// Whether something has changed of what a [`Journal`](super::Journal) keeps.
    pub(super) is_changed: bool,
    /// The place up to which a journal was given its messages.
    pub(super) journaled: u64,
}

/// A message in its mailbox.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) place: u64,
    /// Whose limit it counts for; `None` for answers of the relay.
    pub(super) from: Option<ParticipantId>,
    pub(super) bytes: Bytes,
}

impl Mailbox {
    pub(super) fn new(id: MailboxId, now: Duration) -> Self {
        Self {
            id,
            connection: None,
            session: None,
            turn: 0,
            polled: false,
            opened_by: None,
            company: Company::default(),
            highest_id: 0,
            waiting: VecDeque::new(),
            last_place: 0,
            written: 0,
            held: 0,
            last_use: 0,
            absent_since: now,
            is_changed: true,
            journaled: 0,
        }
    }

    /// As a store has kept it; its messages are still to be put back.
    pub(super) fn restored(
        id: MailboxId,
        session: Option<SessionId>,
        opened_by: Option<ParticipantId>,
        highest_id: u64,
        places_before: u64,
    ) -> Self {
        Self {
            session,
            opened_by,
            highest_id,
            last_place: places_before,
            written: places_before,
            journaled: places_before,
            is_changed: false,
            ..Self::new(id, Duration::ZERO)
        }
    }

    /// Puts back a message that a store has kept.
    pub(super) fn restore(&mut self, from: Option<ParticipantId>, bytes: Bytes) {
        self.push(from, bytes);
        self.journaled = self.last_place;
        self.is_changed = false;
    }

    /// The owner's client comes. A new session numbers its messages anew; whether it is one.
    pub(super) fn begin_session(&mut self, session: &SessionId) -> bool {
        if self.session.as_ref() == Some(session) {
            return false;
        }
        if self.session.replace(session.clone()).is_some() {
            // The calls of an earlier run went with it; who talked to it was told so when its connection ended.
            self.company = Company::default();
        }
        self.highest_id = 0;
        self.turn = 0;
        self.is_changed = true;
        true
    }

    /// It begins another life, with what waits in it.
    pub(super) fn renew(&mut self, id: MailboxId) {
        self.id = id;
        self.is_changed = true;
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
        self.is_changed = true;
    }

    /// Messages that wait, held ones included.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.held
    }

    pub(super) fn hold_one(&mut self) {
        self.held += 1;
    }

    pub(super) fn release_one(&mut self) {
        self.held -= 1;
    }

    pub(super) fn forget_held(&mut self) {
        self.held = 0;
    }

    pub(super) fn push(&mut self, from: Option<ParticipantId>, bytes: Bytes) {
        self.last_place += 1;
        self.waiting.push_back(Waiting { place: self.last_place, from, bytes });
        self.is_changed = true;
    }

    /// The place of the message that came last, 0 before the first.
    pub(super) fn last_place(&self) -> u64 {
        self.last_place
    }

    /// What waits behind `cursor`, oldest first.
    pub(super) fn after(&self, cursor: u64) -> impl Iterator<Item = &Waiting> {
        // Places follow each other without gaps.
        let first = self.waiting.front().map_or(0, |waiting| waiting.place);
        let seen = usize::try_from((cursor + 1).saturating_sub(first)).unwrap_or(usize::MAX);
        self.waiting.iter().skip(seen)
    }

    /// The next message that the owner has if its cursor is `cursor`: it has everything before.
    pub(super) fn confirm_one(&mut self, cursor: u64) -> Option<Waiting> {
        self.waiting.front().filter(|waiting| waiting.place <= cursor)?;
        self.is_changed = true;
        self.waiting.pop_front()
    }

    /// Whether the message at `place` is written to a connection of its owner for the first time.
    pub(super) fn note_written(&mut self, place: u64) -> bool {
        let is_first = place > self.written;
        self.written = self.written.max(place);
        is_first
    }

    /// Whether nobody would miss it, but for a sender that repeats itself after a long absence.
    pub(super) fn can_be_forgotten(&self) -> bool {
        self.connection.is_none() && self.len() == 0
    }
}

impl Waiting {
    /// What it counts for in limits, in bytes.
    pub(super) fn size(&self) -> usize {
        size_of(&self.bytes)
    }
}

/// What a message counts for in limits, in bytes.
pub(super) fn size_of(message: &[u8]) -> usize {
    message.len().saturating_add(OVERHEAD_BYTES)
}
