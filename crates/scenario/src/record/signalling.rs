//! What became of each signalling message, whatever carried it.

use std::collections::BTreeMap;

use timeline::{MessageKind, Name, VirtualTime};

use timeline::words;

/// Every message that an application handed over, and how each peer reached the signaller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignallingRecord {
    messages: Vec<MessageRecord>,
    /// Where a message stands among them, by its sender and the number that the sender gave it.
    places: BTreeMap<(Name, u64), usize>,
    deliveries: u64,
    peers: BTreeMap<Name, PeerSignalling>,
    stores_lost: Vec<VirtualTime>,
}

/// One message between two applications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRecord {
    /// Who sent it.
    pub from: Name,
    /// Who is to get it.
    pub to: Name,
    /// Its sender's number for it: 1, 2, 3 …
    pub id: u64,
    /// Its type.
    pub kind: MessageKind,
    /// What tells it from others of its type.
    pub detail: String,
    /// When its application handed it over.
    pub handed_over: VirtualTime,
    /// When the signaller accepted it.
    pub accepted: Option<VirtualTime>,
    /// What the signaller did to it besides passing it on.
    pub fate: Option<Fate>,
    /// When the other application took it, and in which place among all that were taken in the run.
    pub taken: Vec<(VirtualTime, u64)>,
    /// Whether it waited at the signaller when the run ended.
    pub waits: bool,
}

words! {
    /// What a signaller can do to a message besides passing it on.
    pub enum Fate {
        /// A rule of the scenario kept it back.
        Held = "held",
        /// A rule of the scenario dropped it.
        Dropped = "dropped",
        /// A rule of the scenario passed it on twice.
        Duplicated = "duplicated",
        /// It was refused, and its sender told.
        Refused = "refused",
        /// Its addressee stayed away for so long that it was forgotten.
        Forgotten = "forgotten",
    }
}

/// How one peer reached the signaller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerSignalling {
    /// The ways it took, in order, and since when: one entry per connection that was welcomed.
    pub ways: Vec<(VirtualTime, String)>,
    /// When the signaller was out of its reach, one entry per attempt.
    pub downs: Vec<VirtualTime>,
}

impl PeerSignalling {
    /// The ways it took, in order, without those that it merely took again.
    pub(crate) fn ways_taken(&self) -> Vec<&str> {
        let mut ways: Vec<&str> = self.ways.iter().map(|(_, way)| way.as_str()).collect();
        ways.dedup();
        ways
    }
}

impl SignallingRecord {
    /// All messages, in the order in which they were handed over.
    pub fn messages(&self) -> &[MessageRecord] {
        &self.messages
    }

    /// How `peer` reached the signaller; `None` if it never tried.
    pub fn peer(&self, peer: &Name) -> Option<&PeerSignalling> {
        self.peers.get(peer)
    }

    /// When the signaller lost what it kept.
    pub(crate) fn stores_lost(&self) -> &[VirtualTime] {
        &self.stores_lost
    }

    /// The message to which `from` gave the number `id`.
    pub fn get(&self, from: &Name, id: u64) -> Option<&MessageRecord> {
        self.messages.get(*self.places.get(&(from.clone(), id))?)
    }

    pub(crate) fn handed_over(&mut self, message: MessageRecord) {
        self.places.insert((message.from.clone(), message.id), self.messages.len());
        self.messages.push(message);
    }

    /// An application took a message.
    pub(crate) fn taken(&mut self, from: &Name, id: u64, at: VirtualTime) {
        let place = self.deliveries;
        self.deliveries += 1;
        if let Some(message) = self.message(from, id) {
            message.taken.push((at, place));
        }
    }

    /// The signaller accepted a message.
    pub(crate) fn accepted(&mut self, from: &Name, id: u64, at: VirtualTime) {
        if let Some(message) = self.message(from, id) {
            message.accepted.get_or_insert(at);
        }
    }

    /// The signaller did something to a message.
    pub(crate) fn fated(&mut self, from: &Name, id: u64, fate: Fate) {
        if let Some(message) = self.message(from, id) {
            message.fate = Some(fate);
        }
    }

    /// The signaller has forgotten what it kept for `peer`.
    pub(crate) fn forgotten(&mut self, peer: &Name) {
        let left = |message: &&mut MessageRecord| {
            message.to == *peer && message.accepted.is_some() && message.taken.is_empty()
        };
        self.messages.iter_mut().filter(left).for_each(|message| message.fate = Some(Fate::Forgotten));
    }

    /// A message waits at the signaller at the end of the run.
    pub(crate) fn waits(&mut self, from: &Name, id: u64) {
        if let Some(message) = self.message(from, id) {
            message.waits = true;
        }
    }

    pub(crate) fn store_lost(&mut self, at: VirtualTime) {
        self.stores_lost.push(at);
    }

    pub(crate) fn way(&mut self, peer: &Name, way: String, at: VirtualTime) {
        self.peers.entry(peer.clone()).or_default().ways.push((at, way));
    }

    pub(crate) fn down(&mut self, peer: &Name, at: VirtualTime) {
        self.peers.entry(peer.clone()).or_default().downs.push(at);
    }

    fn message(&mut self, from: &Name, id: u64) -> Option<&mut MessageRecord> {
        let place = *self.places.get(&(from.clone(), id))?;
        self.messages.get_mut(place)
    }
}
