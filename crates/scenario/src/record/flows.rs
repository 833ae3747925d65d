use std::{collections::BTreeSet, time::Duration};

use timeline::{CandidateRef, Event, VirtualTime};

/// The messages of one data channel as they arrived from one peer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DataFlow {
    /// How many arrived, each counted once.
    pub messages: u64,
    /// How many came after one that was sent later.
    pub overtaken: u64,
    /// How many came again.
    pub repeated: u64,
    /// When the last one arrived.
    pub last: Option<VirtualTime>,
    seen: BTreeSet<u64>,
}

impl DataFlow {
    /// Counts the message of this `number`, of those that its sender was told to send.
    pub fn message(&mut self, at: VirtualTime, number: u64) {
        self.last = Some(at);
        self.overtaken += u64::from(self.seen.last().is_some_and(|highest| number < *highest));
        match self.seen.insert(number) {
            true => self.messages += 1,
            false => self.repeated += 1,
        }
    }
}

/// The messages that a peer was told to send on one data channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DataSent {
    /// How many.
    pub messages: u64,
    /// Of those: refused by its engine, for too many waited or they were too long.
    pub refused: u64,
    /// The most bytes that were handed to the channel and not acknowledged, seen after each message.
    pub most_buffered: u64,
}

/// One sample of a peer's statistics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatisticsSample {
    /// When it was taken.
    pub at: VirtualTime,
    /// Of the selected pair, where it was measured.
    pub round_trip_time: Option<Duration>,
    /// Since the sample before, in bits a second.
    pub sent_bps: u64,
    /// Since the sample before, in bits a second.
    pub received_bps: u64,
    /// RTP packets that were lost on the way here since the call began; negative where more came twice.
    pub packets_lost: i64,
    /// The selected pair, where there is one.
    pub pair: Option<(CandidateRef, CandidateRef)>,
}

impl StatisticsSample {
    /// What an engine says, in whole bits.
    pub(crate) fn of(at: VirtualTime, said: &call_engine::Statistics) -> Self {
        Self {
            at,
            round_trip_time: said.round_trip_time,
            sent_bps: said.sent_bps.round() as u64,
            received_bps: said.received_bps.round() as u64,
            packets_lost: said.packets_lost,
            pair: said.selected_pair.clone(),
        }
    }

    /// The same as a line of the timeline.
    pub(crate) fn event(&self) -> Event {
        Event::Statistics {
            round_trip_ms: self.round_trip_time.and_then(|time| u64::try_from(time.as_millis()).ok()),
            sent_bps: self.sent_bps,
            received_bps: self.received_bps,
            packets_lost: self.packets_lost,
            pair: self.pair.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_counted_once_and_their_order_is_seen() {
        let mut flow = DataFlow::default();
        for (ms, number) in [(1, 0), (2, 2), (3, 1), (4, 2), (5, 3)] {
            flow.message(VirtualTime::from_millis(ms), number);
        }
        assert_eq!((flow.messages, flow.overtaken, flow.repeated), (4, 1, 1));
        assert_eq!(flow.last, Some(VirtualTime::from_millis(5)));
    }
}
