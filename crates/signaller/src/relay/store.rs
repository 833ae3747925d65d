//! What survives when the relay's machine loses power, or is started again.

use std::collections::BTreeMap;

use super::{Action, Passage, Relay, address::Address, company::Company, mailbox::Mailbox};
use crate::message::Envelope;

/// What a relay would have on disk: everything that it has confirmed to a sender and not yet seen
/// confirmed by the addressee, and the ids that it has seen.
///
/// Kept in memory. What a [`Journal`](super::Journal) is given is the same, piece by piece, for a disk.
#[derive(Clone, Debug, Default)]
pub struct Store {
    pub(super) mailboxes: BTreeMap<Address, Mailbox>,
}

impl Store {
    /// How many messages wait in it.
    pub fn waiting(&self) -> usize {
        self.mailboxes.values().map(Mailbox::len).sum()
    }

    /// The messages of participants that wait in it, those of one addressee in their order. What their
    /// addressee has applied and not yet acknowledged stands among them.
    pub fn passages(&self) -> impl Iterator<Item = Passage> {
        let messages = self.mailboxes.values().flat_map(|mailbox| mailbox.after(0));
        messages.filter_map(|waiting| Some(Passage::of(&Envelope::from_json(&waiting.bytes).ok()?)))
    }
}

impl Relay {
    /// The store as it is now. What a rule holds back stands in it as well, behind what waits: a rule
    /// does not outlive the process that follows it.
    pub fn store(&self) -> Store {
        let mailboxes = self.mailboxes.iter().map(|(owner, mailbox)| (owner.clone(), mailbox.clone()));
        let mut mailboxes: BTreeMap<Address, Mailbox> = mailboxes.collect();
        mailboxes.values_mut().for_each(|mailbox| {
            mailbox.connection = None;
            mailbox.forget_held();
        });
        for held in self.held.iter() {
            if let Some(mailbox) = mailboxes.get_mut(&held.to) {
                mailbox.push(Some(held.passage.from.clone()), held.bytes.clone());
            }
        }
        Store { mailboxes }
    }

    /// The machine lost power and comes back with `store`, or with an empty one: every connection ends
    /// without a word, and what was not in the store is gone. How many messages the rules have counted
    /// is kept.
    pub fn restart(&mut self, store: Store) -> Vec<Action> {
        let mut actions = Vec::new();
        let connections: Vec<_> = self.connections.keys().copied().collect();
        for id in connections {
            if let Some(connection) = self.connections.get_mut(&id) {
                connection.address = None;
                connection.drop_replies();
            }
            self.close(id, &mut actions);
        }
        self.held.clear();
        self.restore(store);
        actions
    }

    /// What it knows is what the store kept, from now on.
    pub(super) fn restore(&mut self, store: Store) {
        let (now, mut mailboxes) = (self.now, store.mailboxes);
        for mailbox in mailboxes.values_mut() {
            mailbox.absent_since = now;
            mailbox.company = Company::default();
        }
        self.mailboxes.replace(mailboxes);
    }
}
