//! All mailboxes, with what is asked of them often: no question looks at all of them, however many there are.
//!
//! Invariant: a mailbox changes only by [`Mailboxes::change`] and its neighbours here, which keep the counts
//! right. `tests::the_counts_are_those_of_the_mailboxes` holds it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bytes::Bytes;

use super::{
    address::Address,
    mailbox::{Mailbox, Waiting},
};
use crate::message::{CallId, ParticipantId};

#[derive(Debug, Default)]
pub(super) struct Mailboxes {
    by_address: BTreeMap<Address, Mailbox>,
    /// Those that can be forgotten, the one that was used longest ago first.
    idle: BTreeSet<(u64, Address)>,
    /// Those whose owners are away, the one that has been for longest first.
    away: BTreeSet<(Duration, Address)>,
    calls: BTreeMap<CallId, CallUse>,
    /// Calls of which all mailboxes can be forgotten, the one that was used longest ago first.
    idle_calls: BTreeSet<(u64, CallId)>,
    senders: BTreeMap<Address, SenderUse>,
    /// The size of all messages that wait.
    bytes: usize,
    /// Which have changed since [`Mailboxes::take_changed`], and whether they were removed in between; `None`
    /// where nobody asks.
    changed: Option<BTreeMap<Address, bool>>,
}

/// What one call has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct CallUse {
    pub(super) mailboxes: usize,
    /// How many of them cannot be forgotten.
    busy: usize,
    last_use: u64,
    /// The size of the messages that wait in them.
    pub(super) bytes: usize,
}

/// What the messages of one sender take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SenderUse {
    /// The size of those that wait.
    pub(super) bytes: usize,
    /// How many mailboxes they have opened for participants who have not joined yet.
    pub(super) opened: usize,
}

/// What the counts know of one mailbox, besides its messages.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Standing {
    last_use: u64,
    is_idle: bool,
    away_since: Option<Duration>,
    opened_by: Option<ParticipantId>,
}

impl Mailboxes {
    /// None, and whatever changes is noted for a journal.
    pub(super) fn journaled() -> Self {
        Self { changed: Some(BTreeMap::new()), ..Self::default() }
    }

    pub(super) fn get(&self, owner: &Address) -> Option<&Mailbox> {
        self.by_address.get(owner)
    }

    pub(super) fn contains(&self, owner: &Address) -> bool {
        self.by_address.contains_key(owner)
    }

    pub(super) fn len(&self) -> usize {
        self.by_address.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Address, &Mailbox)> {
        self.by_address.iter()
    }

    /// The size of all messages that wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn calls(&self) -> usize {
        self.calls.len()
    }

    pub(super) fn call(&self, call: &CallId) -> Option<&CallUse> {
        self.calls.get(call)
    }

    pub(super) fn sender(&self, sender: &Address) -> SenderUse {
        self.senders.get(sender).copied().unwrap_or_default()
    }

    /// The mailbox that can be forgotten and was used longest ago.
    pub(super) fn longest_idle(&self) -> Option<Address> {
        self.idle.first().map(|(_, owner)| owner.clone())
    }

    /// Likewise the call.
    pub(super) fn longest_idle_call(&self) -> Option<CallId> {
        self.idle_calls.first().map(|(_, call)| call.clone())
    }

    /// Whose owners have been away since `since` or longer, in the order of their addresses.
    pub(super) fn away_since(&self, since: Duration) -> Vec<Address> {
        let away = self.away.iter().take_while(|(began, _)| *began <= since);
        let mut away: Vec<Address> = away.map(|(_, owner)| owner.clone()).collect();
        away.sort();
        away
    }

    pub(super) fn insert(&mut self, owner: Address, mailbox: Mailbox) {
        self.remove(&owner);
        if let Some(call) = &owner.call {
            let of_call = self.calls.entry(call.clone()).or_default();
            if of_call.mailboxes > 0 && of_call.busy == 0 {
                self.idle_calls.remove(&(of_call.last_use, call.clone()));
            }
            of_call.mailboxes += 1;
            of_call.busy += 1;
        }
        let standing = mailbox.standing();
        for waiting in mailbox.after(0) {
            self.count_in(&owner, waiting);
        }
        let busy = Standing { is_idle: false, away_since: None, opened_by: None, ..standing.clone() };
        self.recount(&owner, &busy, &standing);
        if mailbox.is_changed {
            self.note_change(&owner, false);
        }
        self.by_address.insert(owner, mailbox);
    }

    pub(super) fn remove(&mut self, owner: &Address) -> Option<Mailbox> {
        let mailbox = self.by_address.remove(owner)?;
        for waiting in mailbox.after(0) {
            self.count_out(owner, waiting);
        }
        let standing = mailbox.standing();
        let busy = Standing { is_idle: false, away_since: None, opened_by: None, ..standing.clone() };
        self.recount(owner, &standing, &busy);
        if let Some(call) = &owner.call
            && let Some(of_call) = self.calls.get_mut(call)
        {
            of_call.mailboxes -= 1;
            of_call.busy -= 1;
            match of_call.mailboxes {
                0 => drop(self.calls.remove(call)),
                _ if of_call.busy == 0 => drop(self.idle_calls.insert((of_call.last_use, call.clone()))),
                _ => {}
            }
        }
        self.note_change(owner, true);
        Some(mailbox)
    }

    /// Those of one call.
    pub(super) fn of_call(&self, call: &CallId) -> impl Iterator<Item = (&Address, &Mailbox)> {
        let first = Address { call: Some(call.clone()), participant: ParticipantId::new("") };
        let from_there = self.by_address.range(first..);
        from_there.take_while(move |(owner, _)| owner.call.as_ref() == Some(call))
    }

    pub(super) fn remove_call(&mut self, call: &CallId) {
        let owners: Vec<Address> = self.of_call(call).map(|(owner, _)| owner.clone()).collect();
        for owner in owners {
            self.remove(&owner);
        }
    }

    /// Changes all of a mailbox but its messages.
    pub(super) fn change<R>(&mut self, owner: &Address, change: impl FnOnce(&mut Mailbox) -> R) -> Option<R> {
        let mailbox = self.by_address.get_mut(owner)?;
        let before = mailbox.standing();
        let result = change(mailbox);
        let (after, is_changed) = (mailbox.standing(), mailbox.is_changed);
        if before != after {
            self.recount(owner, &before, &after);
        }
        if is_changed {
            self.note_change(owner, false);
        }
        Some(result)
    }

    /// Puts a message into a mailbox that is there.
    pub(super) fn push(&mut self, owner: &Address, from: Option<ParticipantId>, bytes: Bytes) {
        self.change(owner, |mailbox| mailbox.push(from, bytes));
        let pushed = self.by_address.get(owner);
        if let Some(waiting) = pushed.and_then(|mailbox| mailbox.after(mailbox.last_place() - 1).next()) {
            let waiting = waiting.clone();
            self.count_in(owner, &waiting);
        }
    }

    /// The owner has everything up to `cursor`.
    pub(super) fn confirm(&mut self, owner: &Address, cursor: u64) {
        while let Some(Some(applied)) = self.change(owner, |mailbox| mailbox.confirm_one(cursor)) {
            self.count_out(owner, &applied);
        }
    }

    /// Everything is removed, and these are there instead.
    pub(super) fn replace(&mut self, mailboxes: BTreeMap<Address, Mailbox>) {
        while let Some(owner) = self.by_address.keys().next().cloned() {
            self.remove(&owner);
        }
        for (owner, mailbox) in mailboxes {
            self.insert(owner, mailbox);
        }
    }

    /// Which have changed since the last time, and whether they were removed in between.
    pub(super) fn take_changed(&mut self) -> BTreeMap<Address, bool> {
        self.changed.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// A mailbox whose changes a journal is given now.
    pub(super) fn journal(&mut self, owner: &Address) -> Option<&mut Mailbox> {
        self.by_address.get_mut(owner)
    }

    fn note_change(&mut self, owner: &Address, is_removed: bool) {
        if let Some(changed) = &mut self.changed {
            *changed.entry(owner.clone()).or_default() |= is_removed;
        }
    }

    fn count_in(&mut self, owner: &Address, waiting: &Waiting) {
        let size = waiting.size();
        self.bytes += size;
        if let Some(of_call) = owner.call.as_ref().and_then(|call| self.calls.get_mut(call)) {
            of_call.bytes += size;
        }
        if let Some(from) = &waiting.from {
            self.senders.entry(owner.beside(from)).or_default().bytes += size;
        }
    }

    fn count_out(&mut self, owner: &Address, waiting: &Waiting) {
        let size = waiting.size();
        self.bytes -= size;
        if let Some(of_call) = owner.call.as_ref().and_then(|call| self.calls.get_mut(call)) {
            of_call.bytes -= size;
        }
        if let Some(from) = &waiting.from {
            self.count_sender(owner.beside(from), |sender| sender.bytes -= size);
        }
    }

    fn count_sender(&mut self, sender: Address, count: impl FnOnce(&mut SenderUse)) {
        let of_sender = self.senders.entry(sender.clone()).or_default();
        count(of_sender);
        if *of_sender == SenderUse::default() {
            self.senders.remove(&sender);
        }
    }

    fn recount(&mut self, owner: &Address, before: &Standing, after: &Standing) {
        if before.is_idle {
            self.idle.remove(&(before.last_use, owner.clone()));
        }
        if after.is_idle {
            self.idle.insert((after.last_use, owner.clone()));
        }
        if let Some(since) = before.away_since {
            self.away.remove(&(since, owner.clone()));
        }
        if let Some(since) = after.away_since {
            self.away.insert((since, owner.clone()));
        }
        if before.opened_by != after.opened_by {
            if let Some(opener) = &before.opened_by {
                self.count_sender(owner.beside(opener), |sender| sender.opened -= 1);
            }
            if let Some(opener) = &after.opened_by {
                self.count_sender(owner.beside(opener), |sender| sender.opened += 1);
            }
        }
        if let Some(call) = &owner.call {
            self.recount_call(call, before, after);
        }
    }

    fn recount_call(&mut self, call: &CallId, before: &Standing, after: &Standing) {
        let Some(of_call) = self.calls.get_mut(call) else { return };
        if of_call.busy == 0 {
            self.idle_calls.remove(&(of_call.last_use, call.clone()));
        }
        of_call.last_use = of_call.last_use.max(after.last_use);
        of_call.busy = of_call.busy + usize::from(before.is_idle) - usize::from(after.is_idle);
        if of_call.busy == 0 {
            self.idle_calls.insert((of_call.last_use, call.clone()));
        }
    }
}

impl Mailbox {
    fn standing(&self) -> Standing {
        Standing {
            last_use: self.last_use,
            is_idle: self.can_be_forgotten(),
            away_since: self.connection.is_none().then_some(self.absent_since),
            opened_by: self.opened_by.clone().filter(|_| self.session.is_none()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        message::SessionId,
        relay::{ConnectionId, MailboxId, Relay},
    };

    #[derive(Clone, Debug)]
    enum Op {
        Insert(u8, Option<u8>),
        Remove(u8),
        RemoveCall(u8),
        Push(u8, Option<u8>, u8),
        Confirm(u8, u64),
        Connect(u8),
        Disconnect(u8, u8),
        Join(u8),
        Use(u8),
    }

    fn op() -> impl Strategy<Value = Op> {
        let who = || 0..8_u8;
        prop_oneof![
            3 => (who(), prop::option::of(who())).prop_map(|(who, by)| Op::Insert(who, by)),
            1 => who().prop_map(Op::Remove),
            1 => who().prop_map(Op::RemoveCall),
            4 => (who(), prop::option::of(who()), any::<u8>()).prop_map(|(to, from, size)| Op::Push(to, from, size)),
            2 => (who(), 0..9_u64).prop_map(|(who, cursor)| Op::Confirm(who, cursor)),
            2 => who().prop_map(Op::Connect),
            2 => (who(), any::<u8>()).prop_map(|(who, now)| Op::Disconnect(who, now)),
            2 => who().prop_map(Op::Join),
            2 => who().prop_map(Op::Use),
        ]
    }

    fn owner(who: u8) -> Address {
        let call = (!who.is_multiple_of(3)).then(|| CallId::new(format!("c{}", who % 3)));
        Address { call, participant: name(who) }
    }

    fn name(who: u8) -> ParticipantId {
        format!("p{}", who % 5).into()
    }

    fn apply(mailboxes: &mut Mailboxes, op: Op, connection: ConnectionId, uses: u64) {
        match op {
            Op::Insert(who, by) if !mailboxes.contains(&owner(who)) => {
                let mut mailbox = Mailbox::new(MailboxId::new("1-1"), Duration::ZERO);
                mailbox.opened_by = by.map(name);
                mailboxes.insert(owner(who), mailbox);
            }
            Op::Insert(..) => {}
            Op::Remove(who) => drop(mailboxes.remove(&owner(who))),
            Op::RemoveCall(who) => {
                if let Some(call) = owner(who).call {
                    mailboxes.remove_call(&call);
                }
            }
            Op::Push(to, from, size) if mailboxes.contains(&owner(to)) => {
                mailboxes.push(&owner(to), from.map(name), vec![0; size.into()].into());
            }
            Op::Push(..) => {}
            Op::Confirm(who, cursor) => mailboxes.confirm(&owner(who), cursor),
            Op::Connect(who) => {
                mailboxes.change(&owner(who), |mailbox| mailbox.connection = Some(connection));
            }
            Op::Disconnect(who, now) => {
                mailboxes.change(&owner(who), |mailbox| {
                    mailbox.connection = None;
                    mailbox.absent_since = Duration::from_secs(now.into());
                });
            }
            Op::Join(who) => {
                mailboxes.change(&owner(who), |mailbox| mailbox.begin_session(&SessionId::new("s")));
            }
            Op::Use(who) => {
                mailboxes.change(&owner(who), |mailbox| mailbox.last_use = uses);
            }
        }
    }

    /// The counts, but for when a call was used last, which outlives the mailbox that was.
    fn counts(mailboxes: &Mailboxes) -> impl PartialEq + std::fmt::Debug {
        let calls =
            mailboxes.calls.iter().map(|(call, of_call)| (call.clone(), CallUse { last_use: 0, ..*of_call }));
        let idle_calls: BTreeSet<CallId> =
            mailboxes.idle_calls.iter().map(|(_, call)| call.clone()).collect();
        (
            (mailboxes.idle.clone(), mailboxes.away.clone(), mailboxes.senders.clone(), mailboxes.bytes),
            (calls.collect::<Vec<_>>(), idle_calls, mailboxes.idle_calls.len()),
        )
    }

    proptest! {
        #[test]
        fn the_counts_are_those_of_the_mailboxes(ops in prop::collection::vec(op(), 0..80)) {
            let connection = Relay::new(crate::relay::Limits::default(), Vec::new()).connect();
            let mut mailboxes = Mailboxes::default();
            for (uses, op) in (1..).zip(ops) {
                apply(&mut mailboxes, op, connection, uses);
            }
            let mut anew = Mailboxes::default();
            for (owner, mailbox) in mailboxes.iter() {
                anew.insert(owner.clone(), mailbox.clone());
            }
            prop_assert_eq!(counts(&mailboxes), counts(&anew));
        }
    }
}
