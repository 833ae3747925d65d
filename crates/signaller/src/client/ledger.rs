//! What the client remembers of its dealings with the relay, whatever connections come and go.

use std::collections::VecDeque;

use bytes::Bytes;

/// Pure rules: no waiting, no streams.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// What the relay has not confirmed, with its ids, oldest first.
    outbox: VecDeque<(u64, Bytes)>,
    place: Place,
    /// The longest message that the relay accepts, once it has said so.
    relay_accepts: Option<usize>,
    too_long: VecDeque<TooLong>,
}

/// A message that is longer than the relay accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLong {
    pub(super) id: u64,
    /// Its length in bytes.
    pub(super) size: usize,
    /// The longest that is accepted, in bytes.
    pub(super) limit: usize,
}

/// Where the client stands with the relay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The mailbox in which the cursor counts; `None` before the first welcome.
    pub(super) mailbox: Option<String>,
    /// Everything up to this place was applied.
    pub(super) cursor: u64,
    /// Counts the connections that the client reads from.
    pub(super) turn: u64,
}

impl Ledger {
    /// Keeps a message until it is confirmed; `false` where `limit` messages are kept already.
    pub(super) fn push(&mut self, id: u64, message: Bytes, limit: usize) -> bool {
        if self.outbox.len() >= limit {
            return false;
        }
        self.outbox.push_back((id, message));
        true
    }

    pub(super) fn is_empty(&self) -> bool {
        self.outbox.is_empty()
    }

    /// The first message with an id above `id` that is not confirmed.
    pub(super) fn after(&self, id: u64) -> Option<(u64, Bytes)> {
        self.outbox.get(self.outbox.partition_point(|(of, _)| *of <= id)).cloned()
    }

    /// What is not confirmed, oldest first, up to `bytes` in all but at least one.
    pub(super) fn batch(&self, bytes: usize) -> Vec<Bytes> {
        let mut taken = 0;
        let fits = |(_, message): &&(u64, Bytes)| {
            let is_first = taken == 0;
            // A comma or a bracket.
            taken += message.len() + 1;
            is_first || taken <= bytes
        };
        self.outbox.iter().take_while(fits).map(|(_, message)| message.clone()).collect()
    }

    /// The relay has everything up to `id`.
    pub(super) fn confirm(&mut self, id: u64) {
        while self.outbox.front().is_some_and(|(of, _)| *of <= id) {
            self.outbox.pop_front();
        }
    }

    /// Takes out the messages that are longer than the relay accepts.
    pub(super) fn relay_accepts(&mut self, message_bytes: usize) {
        self.relay_accepts = Some(message_bytes);
        let too_long = |(_, message): &(u64, Bytes)| message.len() > message_bytes;
        let taken = self.outbox.iter().filter(|entry| too_long(entry));
        self.too_long.extend(taken.map(|(id, message)| TooLong {
            id: *id,
            size: message.len(),
            limit: message_bytes,
        }));
        self.outbox.retain(|entry| !too_long(entry));
    }

    /// A message that was taken out, and of which the application does not know yet.
    pub(super) fn take_too_long(&mut self) -> Option<TooLong> {
        self.too_long.pop_front()
    }

    /// The longest message that the relay is known to accept, `own` where it has not said.
    pub(super) fn longest(&self, own: usize) -> usize {
        self.relay_accepts.map_or(own, |accepted| accepted.min(own))
    }

    /// A new connection to read from begins; where it stands.
    pub(super) fn begin_turn(&mut self) -> Place {
        self.place.turn += 1;
        self.place.clone()
    }

    pub(super) fn place(&self) -> Place {
        self.place.clone()
    }

    /// The relay names the mailbox. Another one than before begins at its first place.
    pub(super) fn welcome(&mut self, mailbox: &str, confirmed: u64) {
        if self.place.mailbox.as_deref() != Some(mailbox) {
            self.place.mailbox = Some(mailbox.to_owned());
            self.place.cursor = 0;
        }
        self.confirm(confirmed);
    }

    /// Whether the message at `place` was not applied yet.
    pub(super) fn is_new(&self, place: u64) -> bool {
        place > self.place.cursor
    }

    /// The message at `place` was applied.
    pub(super) fn applied(&mut self, place: u64) {
        self.place.cursor = self.place.cursor.max(place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(messages: &[(u64, &'static str)]) -> Ledger {
        let mut ledger = Ledger::default();
        for (id, message) in messages {
            assert!(ledger.push(*id, Bytes::from_static(message.as_bytes()), usize::MAX));
        }
        ledger
    }

    #[test]
    fn a_message_is_kept_until_it_is_confirmed() {
        let mut ledger = ledger(&[(1, "a"), (2, "b"), (4, "d")]);
        ledger.confirm(1);
        assert_eq!(ledger.after(0).unwrap().0, 2);
        assert_eq!(ledger.after(2).unwrap().0, 4);
        assert_eq!(ledger.after(4), None);
        ledger.confirm(3);
        assert_eq!(ledger.after(0).unwrap().0, 4);
        ledger.confirm(9);
        assert!(ledger.is_empty());
    }

    #[test]
    fn the_queue_has_an_end() {
        let mut ledger = ledger(&[(1, "a")]);
        assert!(ledger.push(2, Bytes::new(), 2));
        assert!(!ledger.push(3, Bytes::new(), 2));
    }

    #[test]
    fn a_batch_fits_and_has_at_least_one_message() {
        let ledger = ledger(&[(1, "aaaa"), (2, "bbbb"), (3, "c")]);
        assert_eq!(ledger.batch(0).len(), 1);
        assert_eq!(ledger.batch(9).len(), 1);
        assert_eq!(ledger.batch(10).len(), 2);
        assert_eq!(ledger.batch(12).len(), 3);
    }

    #[test]
    fn another_mailbox_begins_at_its_first_place() {
        let mut ledger = ledger(&[(1, "a"), (2, "b")]);
        ledger.welcome("1-1", 0);
        ledger.applied(5);
        ledger.welcome("1-1", 1);
        assert!(!ledger.is_new(5));
        assert!(ledger.is_new(6));
        ledger.welcome("2-1", 0);
        assert!(ledger.is_new(1));
        assert_eq!(ledger.after(0).unwrap().0, 2);
        assert_eq!(ledger.begin_turn(), Place { mailbox: Some("2-1".to_owned()), cursor: 0, turn: 1 });
    }

    #[test]
    fn what_the_relay_does_not_accept_is_taken_out() {
        let mut ledger = ledger(&[(1, "aa"), (2, "bbb"), (3, "cc")]);
        assert_eq!(ledger.longest(100), 100);
        ledger.relay_accepts(2);
        assert_eq!(ledger.take_too_long(), Some(TooLong { id: 2, size: 3, limit: 2 }));
        assert_eq!(ledger.take_too_long(), None);
        assert_eq!((ledger.longest(100), ledger.longest(1)), (2, 1));
        assert_eq!(ledger.after(1).unwrap().0, 3);
    }
}
