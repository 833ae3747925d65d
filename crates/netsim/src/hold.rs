//! One direction of one TCP connection, as the network sees it: loss becomes delay.
//!
//! The TCP stack above neither retransmits nor reorders, so the network must lose none of its segments
//! and keep them in order. What a real sender would retransmit is held here, with all that follows it,
//! until a retransmission timeout (RFC 6298 §5: doubling while nothing gets through); what a real
//! receiver would keep until a gap is filled is kept here too.
//!
//! No input, no output, no clock: callers say what time it is, and plan the alarms that they are given.
//!
//! Invariants, held by the property test below, whatever is lost and whenever:
//! - sequenced segments arrive in the order in which they were accepted, each exactly once;
//! - nothing that was accepted is dropped, short of the user timeout and [`HoldQueue::clear`].

use std::{collections::BTreeMap, time::Duration};

use timeline::VirtualTime;

/// The first retransmission timeout of a segment on an established connection: Linux's least
/// (`TCP_RTO_MIN`), which rules wherever the round trip is shorter.
pub(crate) const RTO: Duration = Duration::from_millis(200);

/// The first retransmission timeout of a SYN or SYN-ACK (RFC 6298 §2.1).
pub(crate) const SYN_RTO: Duration = Duration::from_secs(1);

/// The longest retransmission timeout (RFC 6298 §2.5).
const MAX_RTO: Duration = Duration::from_secs(60);

/// Whether a segment's place matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// It arrives after all sequenced ones before it, and waits behind held ones.
    Sequenced,
    /// It may overtake: a bare acknowledgement.
    Loose,
}

/// A segment with its place in its flow.
#[derive(Debug)]
pub(crate) struct Parcel<T> {
    pub(crate) content: T,
    place: u64,
    sequence: Option<u64>,
    rto: Duration,
    losses: u32,
    first_loss: Option<VirtualTime>,
    was_held: bool,
}

impl<T> Parcel<T> {
    /// Whether it ever waited for a retransmission, its own or another's.
    pub(crate) const fn was_held(&self) -> bool {
        self.was_held
    }

    /// Whether it was lost itself, at least once.
    pub(crate) const fn was_lost(&self) -> bool {
        self.losses > 0
    }
}

/// When a held segment is to be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Alarm {
    pub(crate) at: VirtualTime,
    pub(crate) id: u64,
}

/// What an alarm means when it goes off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ring {
    /// Nothing: another one has taken its place.
    Stale,
    /// What is held goes out again: [`HoldQueue::pop`] until one is lost or none is left.
    Retransmit,
    /// The first held segment got nowhere for the whole user timeout.
    TimedOut,
}

#[derive(Debug)]
pub(crate) struct HoldQueue<T> {
    user_timeout: Duration,
    next_place: u64,
    next_sequence: u64,
    held: BTreeMap<u64, Parcel<T>>,
    alarm: u64,
    expected: u64,
    early: BTreeMap<u64, Parcel<T>>,
}

impl<T> HoldQueue<T> {
    pub(crate) const fn new(user_timeout: Duration) -> Self {
        Self {
            user_timeout,
            next_place: 0,
            next_sequence: 0,
            held: BTreeMap::new(),
            alarm: 0,
            expected: 0,
            early: BTreeMap::new(),
        }
    }

    /// Gives a segment that its sender hands over its place.
    pub(crate) fn accept(&mut self, order: Order, rto: Duration, content: T) -> Parcel<T> {
        let place = self.next_place;
        self.next_place += 1;
        let sequence = (order == Order::Sequenced).then_some(self.next_sequence);
        self.next_sequence += u64::from(sequence.is_some());
        Parcel { content, place, sequence, rto, losses: 0, first_loss: None, was_held: false }
    }

    /// Whether a segment may not go on, because an earlier one is held. Then it is [`HoldQueue::keep`]t.
    pub(crate) fn must_wait(&self, parcel: &Parcel<T>) -> bool {
        parcel.sequence.is_some()
            && self.held.first_key_value().is_some_and(|(&first, _)| first < parcel.place)
    }

    /// Holds a segment behind the ones that are held already.
    pub(crate) fn keep(&mut self, mut parcel: Parcel<T>) {
        parcel.was_held = true;
        self.held.insert(parcel.place, parcel);
    }

    /// Holds a segment that was lost. Where it becomes the first one held, its alarm is to be planned.
    pub(crate) fn lose(&mut self, now: VirtualTime, mut parcel: Parcel<T>) -> Option<Alarm> {
        parcel.losses += 1;
        let first_loss = *parcel.first_loss.get_or_insert(now);
        let backoff = parcel.rto.saturating_mul(1 << (parcel.losses - 1).min(16)).min(MAX_RTO);
        let at = (now + backoff).min(first_loss + self.user_timeout);
        let place = parcel.place;
        self.keep(parcel);
        let is_first = self.held.first_key_value().is_some_and(|(&first, _)| first == place);
        is_first.then(|| {
            self.alarm += 1;
            Alarm { at, id: self.alarm }
        })
    }

    /// The alarm `id` went off.
    pub(crate) fn ring(&mut self, now: VirtualTime, id: u64) -> Ring {
        let Some((_, first)) = self.held.first_key_value().filter(|_| id == self.alarm) else {
            return Ring::Stale;
        };
        match first.first_loss {
            Some(first_loss) if now >= first_loss + self.user_timeout => Ring::TimedOut,
            _ => Ring::Retransmit,
        }
    }

    /// Takes the first held segment out, to send it again.
    pub(crate) fn pop(&mut self) -> Option<Parcel<T>> {
        self.held.pop_first().map(|(_, parcel)| parcel)
    }

    /// A segment reached the receiver: adds to `ready` what its TCP can take now, in order.
    pub(crate) fn arrive(&mut self, parcel: Parcel<T>, ready: &mut Vec<Parcel<T>>) {
        let Some(sequence) = parcel.sequence else {
            ready.push(parcel);
            return;
        };
        if sequence != self.expected {
            self.early.insert(sequence, parcel);
            return;
        }
        self.expected += 1;
        ready.push(parcel);
        while let Some(parcel) = self.early.remove(&self.expected) {
            self.expected += 1;
            ready.push(parcel);
        }
    }

    /// Forgets what is held and what waits for a gap: the connection was reset.
    pub(crate) fn clear(&mut self) {
        self.held.clear();
        self.early.clear();
    }

    /// Whether nothing is held, nothing waits for a gap, and every sequenced segment has arrived.
    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        self.held.is_empty() && self.early.is_empty() && self.expected == self.next_sequence
    }
}

#[cfg(test)]
mod tests;
