//! What is to happen, in order: by time, and at one instant in the order in which it was planned.

use std::{cmp::Ordering, collections::BinaryHeap};

use timeline::VirtualTime;

#[derive(Debug)]
pub(crate) struct Events<E> {
    heap: BinaryHeap<Planned<E>>,
    next_sequence: u64,
}

impl<E> Events<E> {
    pub(crate) const fn new() -> Self {
        Self { heap: BinaryHeap::new(), next_sequence: 0 }
    }

    pub(crate) fn plan(&mut self, at: VirtualTime, event: E) {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        self.heap.push(Planned { at, sequence, event });
    }

    /// When the next event is due.
    pub(crate) fn next_at(&self) -> Option<VirtualTime> {
        self.heap.peek().map(|planned| planned.at)
    }

    /// The next event, with its time, if it is due at `now`.
    pub(crate) fn pop_due(&mut self, now: VirtualTime) -> Option<(VirtualTime, E)> {
        if self.next_at()? > now {
            return None;
        }
        self.heap.pop().map(|planned| (planned.at, planned.event))
    }
}

#[derive(Debug)]
struct Planned<E> {
    at: VirtualTime,
    sequence: u64,
    event: E,
}

/// The heap gives its greatest first, so the earliest is the greatest.
impl<E> Ord for Planned<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.sequence).cmp(&(self.at, self.sequence))
    }
}

impl<E> PartialOrd for Planned<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> PartialEq for Planned<E> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<E> Eq for Planned<E> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_events_by_time_then_by_planning() {
        let mut events = Events::new();
        for (ms, event) in [(2, 'c'), (1, 'a'), (2, 'd'), (1, 'b'), (3, 'e')] {
            events.plan(VirtualTime::from_millis(ms), event);
        }
        let due = std::iter::from_fn(|| events.pop_due(VirtualTime::from_millis(2)).map(|(_, event)| event));
        assert_eq!(due.collect::<String>(), "abcd");
        assert_eq!(events.next_at(), Some(VirtualTime::from_millis(3)));
    }
}
