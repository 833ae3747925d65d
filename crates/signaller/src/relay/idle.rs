//! Participants who stay away are forgotten.

use std::time::Duration;

use super::{Action, Relay, RelayEvent};

impl Relay {
    /// Tells the relay the time, counted from its beginning. Never goes back. Whoever has been away for
    /// [`Limits::idle`](super::Limits::idle) is forgotten, with what waits for it.
    ///
    /// Nothing happens between calls: a relay that nobody uses needs no timer.
    pub fn advance(&mut self, now: Duration) -> Vec<Action> {
        self.now = self.now.max(now);
        if self.now < self.next_sweep {
            return Vec::new();
        }
        let (now, idle) = (self.now, self.limits.idle);
        let mut actions = Vec::new();
        let mut next = now.saturating_add(idle);
        self.mailboxes.retain(|address, mailbox| {
            if mailbox.connection.is_some() {
                return true;
            }
            let ends = mailbox.absent_since.saturating_add(idle);
            if now < ends {
                next = next.min(ends);
                return true;
            }
            let (participant, waiting) = (address.participant.clone(), mailbox.len());
            actions.push(Action::Report(RelayEvent::Forgotten { participant, waiting }));
            false
        });
        self.next_sweep = next;
        actions
    }
}
