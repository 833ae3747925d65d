//! What a fault does to a message that the relay has accepted.

use std::time::Duration;

use bytes::Bytes;

use super::{
    Fault, FaultRule, HeldId,
    held::{Held, HeldUntil},
};
use crate::{
    message::ParticipantId,
    relay::{
        address::Address,
        core::{Action, Relay, announce},
        event::{Passage, RelayEvent},
        mailbox::Mailbox,
    },
};

impl Relay {
    /// Other fault rules from now on, which count from 1.
    pub fn set_faults(&mut self, faults: Vec<FaultRule>) {
        self.rules.set_faults(faults);
    }

    /// The time of a held message has come.
    pub fn release(&mut self, held: HeldId) -> Vec<Action> {
        let mut actions = Vec::new();
        if let Some(Held { passage, to, bytes, .. }) = self.held.take(held)
            && self.mailboxes.change(&to, Mailbox::release_one).is_some()
        {
            self.mailboxes.push(&to, Some(passage.from.clone()), bytes);
            if let Some(mailbox) = self.mailboxes.get(&to) {
                announce(mailbox, passage, &mut actions);
            }
        }
        actions
    }

    pub(in crate::relay) fn strike(
        &mut self,
        fault: Fault,
        passage: Passage,
        to: &Address,
        bytes: Bytes,
        actions: &mut Vec<Action>,
    ) {
        match fault {
            Fault::Drop => actions.push(Action::Report(RelayEvent::Dropped(passage))),
            Fault::Delay(by) => self.hold(passage, to, bytes, (by, HeldUntil::TimePasses), actions),
            Fault::Reorder { within } => {
                self.hold(passage, to, bytes, (within, HeldUntil::NextMessage), actions);
            }
            Fault::Duplicate => {
                actions.push(Action::Report(RelayEvent::Duplicated(passage.clone())));
                self.put(passage.clone(), to, bytes.clone(), actions);
                self.pass_on(passage, to, bytes, actions);
            }
        }
    }

    /// The message that a [`Fault::Reorder`] waits for has been passed on.
    pub(in crate::relay) fn release_overtaken(
        &mut self,
        from: &ParticipantId,
        to: &Address,
        actions: &mut Vec<Action>,
    ) {
        for held in self.held.overtaken_by(from, to) {
            actions.extend(self.release(held));
        }
    }

    fn hold(
        &mut self,
        passage: Passage,
        to: &Address,
        bytes: Bytes,
        (by, until): (Duration, HeldUntil),
        actions: &mut Vec<Action>,
    ) {
        self.open_mailbox(to, Some(&passage.from));
        self.mailboxes.change(to, Mailbox::hold_one);
        let held = self.held.add(Held { passage: passage.clone(), to: to.clone(), bytes, until });
        actions.push(Action::Report(RelayEvent::Held { passage, by }));
        actions.push(Action::Hold { held, by });
    }
}
