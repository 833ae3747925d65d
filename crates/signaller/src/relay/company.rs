//! Who talks to whom, so that the others of a call hear of it when somebody's connection ends: a closed tab says no
//! goodbye, and its connection is the first that anybody sees of it.
//!
//! None of this is in a [`Store`](super::Store): a relay that lost power has nobody's company, and says nothing.

use std::collections::VecDeque;

use super::{Action, Relay, address::Address, mailbox::Mailbox};
use crate::message::{CallId, Envelope, Message, ParticipantId};

/// How many others a participant is known to talk to. Of more, those that were met last.
const MOST: usize = 16;

/// With whom one participant talks.
#[derive(Clone, Debug, Default)]
pub(super) struct Company {
    /// In the order in which they met.
    others: VecDeque<(CallId, ParticipantId)>,
    /// Whether they were told that the participant is absent.
    is_absent: bool,
}

impl Company {
    fn has(&self, call: &CallId, other: &ParticipantId) -> bool {
        self.others.iter().any(|(known, who)| known == call && who == other)
    }

    fn meet(&mut self, call: &CallId, other: &ParticipantId) {
        if self.has(call, other) {
            return;
        }
        if self.others.len() == MOST {
            self.others.pop_front();
        }
        self.others.push_back((call.clone(), other.clone()));
    }

    fn part(&mut self, call: &CallId, other: &ParticipantId) {
        self.others.retain(|(known, who)| known != call || who != other);
    }
}

impl Relay {
    /// A message passes: its two sides talk from now on, until one of them says that the call is over.
    pub(super) fn note_company(&mut self, sender: &Address, to: &Address, envelope: &Envelope) {
        let is_over = matches!(envelope.body, Message::Bye { .. } | Message::Reject { .. });
        if sender == to {
            return;
        }
        for (one, other) in [(sender, to), (to, sender)] {
            let (call, other) = (&envelope.call, &other.participant);
            let Some(mailbox) = self.mailboxes.get(one) else { continue };
            match (is_over, mailbox.company.has(call, other)) {
                (true, true) => self.mailboxes.change(one, |mailbox| mailbox.company.part(call, other)),
                (false, false) => self.mailboxes.change(one, |mailbox| mailbox.company.meet(call, other)),
                _ => continue,
            };
        }
    }

    /// The connection of `who` has ended: those it talks to are told.
    pub(super) fn note_absent(&mut self, who: &Address) -> Vec<Action> {
        let mut actions = Vec::new();
        self.mailboxes.change(who, |mailbox| mailbox.company.is_absent = true);
        self.tell_company(who, |participant| Message::Absent { participant }, &mut actions);
        actions
    }

    /// `who` is connected: those who were told otherwise are told, and `who` is told of those who left meanwhile.
    pub(super) fn note_present(&mut self, who: &Address, actions: &mut Vec<Action>) {
        let was_absent = self.mailboxes.change(who, |mailbox| std::mem::take(&mut mailbox.company.is_absent));
        if was_absent != Some(true) {
            return;
        }
        self.tell_company(who, |participant| Message::Present { participant }, actions);
        for (call, other) in self.company_of(who) {
            let others = self.mailboxes.get(&who.beside(&other));
            if others.is_some_and(|mailbox| mailbox.company.is_absent) {
                self.tell(who, &call, Message::Absent { participant: other }, actions);
            }
        }
    }

    /// Nobody hears from now on that a connection ended that was there till now: the relay is about to end them all.
    pub(super) fn forget_company(&mut self) {
        let all: Vec<Address> = self.mailboxes.iter().map(|(address, _)| address.clone()).collect();
        for address in all {
            self.mailboxes.change(&address, |mailbox| mailbox.company = Company::default());
        }
    }

    fn tell_company(
        &mut self,
        who: &Address,
        notice: impl Fn(ParticipantId) -> Message,
        actions: &mut Vec<Action>,
    ) {
        for (call, other) in self.company_of(who) {
            let to = who.beside(&other);
            // Who is absent hears of it on return: nothing waits for one who may never come.
            let reads = |mailbox: &Mailbox| mailbox.connection.is_some() || mailbox.polled;
            if self.mailboxes.get(&to).is_some_and(reads) {
                self.tell(&to, &call, notice(who.participant.clone()), actions);
            }
        }
    }

    fn company_of(&self, who: &Address) -> Vec<(CallId, ParticipantId)> {
        self.mailboxes
            .get(who)
            .map(|mailbox| mailbox.company.others.iter().cloned().collect())
            .unwrap_or_default()
    }
}
