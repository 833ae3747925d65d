//! Messages that a rule holds back.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::{
    message::ParticipantId,
    relay::{address::Address, event::Passage},
};

/// A message that a rule holds back. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeldId(u64);

/// All messages that rules hold back now, in the order in which they came.
#[derive(Debug, Default)]
pub(in crate::relay) struct HeldMessages {
    messages: BTreeMap<HeldId, Held>,
    made: u64,
}

#[derive(Clone, Debug)]
pub(in crate::relay) struct Held {
    pub(in crate::relay) passage: Passage,
    pub(in crate::relay) to: Address,
    pub(in crate::relay) bytes: Bytes,
    pub(super) until: HeldUntil,
}

/// What ends it, besides its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeldUntil {
    TimePasses,
    /// The next message of its sender to its addressee.
    NextMessage,
}

impl HeldMessages {
    pub(super) fn add(&mut self, message: Held) -> HeldId {
        let id = HeldId(self.made);
        self.made += 1;
        self.messages.insert(id, message);
        id
    }

    pub(super) fn take(&mut self, id: HeldId) -> Option<Held> {
        self.messages.remove(&id)
    }

    /// Those that the next message from `from` to `to` overtakes.
    pub(super) fn overtaken_by(&self, from: &ParticipantId, to: &Address) -> Vec<HeldId> {
        let overtaken = self.messages.iter().filter(|(_, held)| {
            held.until == HeldUntil::NextMessage && held.to == *to && held.passage.from == *from
        });
        overtaken.map(|(id, _)| *id).collect()
    }

    pub(in crate::relay) fn iter(&self) -> impl Iterator<Item = &Held> {
        self.messages.values()
    }

    pub(in crate::relay) fn clear(&mut self) {
        self.messages.clear();
    }
}
