//! What a relay writes down, so that nothing that it has confirmed is lost when its process is killed.
//!
//! [`journal`] makes two ends. The relay's appends changes, in the order in which they happen, and lets no client
//! hear of anything before it is written; the other one, [`JournalEnd`], is for a thread with a disk, which writes
//! all that has come at once and says so.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
    mpsc,
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::watch;

use super::{MailboxId, Relay, Store, address::Address, mailbox::Mailbox};
use crate::message::{CallId, ParticipantId, SessionId};

/// How much may wait to be written before clients are read no further, in bytes.
const BACKLOG_BYTES: usize = 4 * 1024 * 1024;

/// A change of what a relay must not lose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A mailbox is as this record says. Of its messages those before [`MailboxRecord::first_place`] are gone, and
    /// these are new.
    Kept(MailboxRecord, Vec<StoredMessage>),
    /// A mailbox and all its messages are gone.
    Forgotten {
        /// The call of its owner; `None` on a relay without tokens.
        call: Option<CallId>,
        /// Its owner.
        participant: ParticipantId,
    },
}

/// What is kept of one mailbox, besides its messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct MailboxRecord {
    /// The call of its owner; `None` on a relay without tokens.
    pub call: Option<CallId>,
    /// Its owner.
    pub participant: ParticipantId,
    /// Its name.
    pub mailbox: String,
    /// The run of its owner's client; `None` before it joined.
    pub session: Option<SessionId>,
    /// Whose message made it, where its owner had not joined before.
    pub opened_by: Option<ParticipantId>,
    /// The highest id that was accepted from its owner.
    pub highest_id: u64,
    /// The place of the oldest message that waits, or of the next one to come.
    pub first_place: u64,
}

/// A message that waits in a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessage {
    /// Its place.
    pub place: u64,
    /// Its sender; `None` for an answer of the relay.
    pub from: Option<ParticipantId>,
    /// As it came.
    pub message: Bytes,
}

/// Why records are not what a relay has written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// A message is missing, or one is too many.
    #[error(
        "in the mailbox of `{participant}` the message at place {expected} is missing; the next is at {found}"
    )]
    Gap {
        /// Whose mailbox it is.
        participant: ParticipantId,
        /// Where a message should be.
        expected: u64,
        /// Where the next one is.
        found: u64,
    },
    /// Two mailboxes have one owner.
    #[error("`{participant}` has two mailboxes")]
    Twice {
        /// Whose they are.
        participant: ParticipantId,
    },
}

/// The relay's end of a journal.
#[derive(Debug)]
pub struct Journal {
    batches: mpsc::Sender<Vec<Change>>,
    /// How many batches were appended.
    appended: AtomicUsize,
    /// How many of them are written.
    written: watch::Receiver<usize>,
    /// The size of those that are not.
    backlog: Arc<AtomicUsize>,
}

/// The end of a journal that writes. Once it is dropped nothing is confirmed to any client any more.
#[derive(Debug)]
pub struct JournalEnd {
    batches: mpsc::Receiver<Vec<Change>>,
    taken: usize,
    taken_bytes: usize,
    written: watch::Sender<usize>,
    backlog: Arc<AtomicUsize>,
}

/// A journal without anything in it.
pub fn journal() -> (Journal, JournalEnd) {
    let (sender, receiver) = mpsc::channel();
    let (written, seen) = watch::channel(0);
    let backlog = Arc::<AtomicUsize>::default();
    let end =
        JournalEnd { batches: receiver, taken: 0, taken_bytes: 0, written, backlog: Arc::clone(&backlog) };
    (Journal { batches: sender, appended: AtomicUsize::new(0), written: seen, backlog }, end)
}

impl Journal {
    /// For one caller at a time.
    pub(super) fn append(&self, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        self.backlog.fetch_add(changes.iter().map(Change::size).sum(), Ordering::Relaxed);
        self.appended.fetch_add(1, Ordering::Relaxed);
        // Nobody writes any more: nothing is confirmed any more either.
        let _gone = self.batches.send(changes);
    }

    /// Resolves when everything that was appended before is written; never where nobody writes any more.
    pub(super) async fn stored(&self) {
        let appended = self.appended.load(Ordering::Relaxed);
        if self.written.clone().wait_for(|written| *written >= appended).await.is_err() {
            std::future::pending().await
        }
    }

    pub(super) async fn has_room(&self) {
        let has_room = |_: &usize| self.backlog.load(Ordering::Relaxed) < BACKLOG_BYTES;
        if self.written.clone().wait_for(has_room).await.is_err() {
            std::future::pending().await
        }
    }
}

impl JournalEnd {
    /// All changes that have come, in their order; waits for one. `None` once the relay is gone.
    pub fn wait(&mut self) -> Option<Vec<Change>> {
        let mut changes = self.batches.recv().ok()?;
        self.taken += 1;
        while let Ok(more) = self.batches.try_recv() {
            self.taken += 1;
            changes.extend(more);
        }
        self.taken_bytes = changes.iter().map(Change::size).sum();
        Some(changes)
    }

    /// All that [`JournalEnd::wait`] has given is written, so that a power loss does not undo it.
    pub fn written(&mut self) {
        self.backlog.fetch_sub(std::mem::take(&mut self.taken_bytes), Ordering::Relaxed);
        self.written.send_replace(self.taken);
    }
}

impl Change {
    /// What it takes in memory, about.
    fn size(&self) -> usize {
        match self {
            Self::Kept(_, messages) => {
                256 + messages.iter().map(|stored| stored.message.len() + 128).sum::<usize>()
            }
            Self::Forgotten { .. } => 128,
        }
    }
}

impl Relay {
    /// What has changed since the last time, of a relay that was made by [`Relay::durable`].
    pub fn take_changes(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        for (owner, was_removed) in self.mailboxes.take_changed() {
            if was_removed {
                let Address { call, participant } = owner.clone();
                changes.push(Change::Forgotten { call, participant });
            }
            let Some(mailbox) = self.mailboxes.journal(&owner).filter(|mailbox| mailbox.is_changed) else {
                continue;
            };
            mailbox.is_changed = false;
            let messages = mailbox.after(mailbox.journaled).map(|waiting| StoredMessage {
                place: waiting.place,
                from: waiting.from.clone(),
                message: waiting.bytes.clone(),
            });
            changes.push(Change::Kept(record(&owner, mailbox), messages.collect()));
            mailbox.journaled = mailbox.last_place();
        }
        changes
    }
}

fn record(owner: &Address, mailbox: &Mailbox) -> MailboxRecord {
    let first = mailbox.after(0).next();
    MailboxRecord {
        call: owner.call.clone(),
        participant: owner.participant.clone(),
        mailbox: mailbox.id.to_string(),
        session: mailbox.session.clone(),
        opened_by: mailbox.opened_by.clone(),
        highest_id: mailbox.highest_id(),
        first_place: first.map_or(mailbox.last_place() + 1, |first| first.place),
    }
}

impl Store {
    /// What was written down: each mailbox with its messages, oldest first.
    ///
    /// # Errors
    /// [`RestoreError`] where no relay has written that.
    pub fn restored(
        mailboxes: impl IntoIterator<Item = (MailboxRecord, Vec<StoredMessage>)>,
    ) -> Result<Self, RestoreError> {
        let mut store = Self::default();
        for (record, messages) in mailboxes {
            let MailboxRecord { call, participant, mailbox, session, opened_by, highest_id, first_place } =
                record;
            let (id, before) = (MailboxId::new(mailbox), first_place.saturating_sub(1));
            let mut mailbox = Mailbox::restored(id, session, opened_by, highest_id, before);
            for StoredMessage { place, from, message } in messages {
                let expected = mailbox.last_place() + 1;
                if place != expected {
                    return Err(RestoreError::Gap { participant, expected, found: place });
                }
                mailbox.restore(from, message);
            }
            let owner = Address { call, participant: participant.clone() };
            if store.mailboxes.insert(owner, mailbox).is_some() {
                return Err(RestoreError::Twice { participant });
            }
        }
        Ok(store)
    }
}
