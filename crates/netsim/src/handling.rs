//! The time that a program takes to handle its messages: one after the other, each drawn by its number.

use std::time::Duration;

use timeline::{Name, VirtualTime};

use crate::draw::{Draws, Place, Purpose, Transport};

/// When a program on one host has handled each of the messages that it receives.
///
/// Computing costs no virtual time by itself, so that whatever was sent together would be handled together,
/// in every seed. Real programs are a fraction of a millisecond apart, and sometimes the next timer lies
/// between them. A message takes a time that is uniform from 0 to the given one, drawn by (seed, host,
/// received, number of the message, handling); a message waits for those before it.
///
/// A world's clock has whole milliseconds: a message is handled in the millisecond in which its time is
/// over. One that comes alone and takes less than a millisecond is handled at once.
#[derive(Debug)]
pub struct Handling {
    at_most: Duration,
    busy_until: VirtualTime,
    draws: Draws,
}

const MILLISECOND: Duration = Duration::from_millis(1);

impl Handling {
    /// Of the program on `host` in the world of `seed`. `at_most` may be zero: then nothing takes time.
    pub fn new(seed: u64, host: &Name, at_most: Duration) -> Self {
        let draws = Draws::new(seed, host, Place::Program, Transport::Tcp);
        Self { at_most, busy_until: VirtualTime::ZERO, draws }
    }

    /// How long after `now` the next message is handled, in whole milliseconds.
    pub fn next_message(&mut self, now: VirtualTime) -> Duration {
        let takes = self.draws.next_packet().between(Purpose::Handling, Duration::ZERO, self.at_most);
        self.busy_until = self.busy_until.max(now) + takes;
        let late = self.busy_until.since(now);
        late - Duration::from_nanos(u64::from(late.subsec_nanos() % MILLISECOND.subsec_nanos()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_MOST: Duration = Duration::from_micros(750);

    fn times(seed: u64, host: &str, at_most: Duration, at_ms: &[u64]) -> Vec<u128> {
        let mut handling = Handling::new(seed, &host.into(), at_most);
        at_ms.iter().map(|&ms| handling.next_message(VirtualTime::from_millis(ms)).as_millis()).collect()
    }

    #[test]
    fn a_lone_message_is_handled_at_once_and_a_burst_is_drawn_apart() {
        for seed in 1..=100 {
            assert_eq!(times(seed, "phone", AT_MOST, &[10, 20, 30]), [0, 0, 0]);
        }
        let apart = (1..=1000).filter(|&seed| times(seed, "phone", AT_MOST, &[10, 10])[1] > 0).count();
        // The sum of two such times is over a millisecond in 2 of 9 cases.
        assert!((170..=275).contains(&apart), "{apart} of 1000");
    }

    #[test]
    fn messages_are_handled_in_their_order() {
        for seed in 1..=100 {
            let burst = times(seed, "phone", Duration::from_millis(3), &[10; 20]);
            assert!(burst.is_sorted(), "{burst:?}");
        }
    }

    #[test]
    fn zero_is_no_time_at_all() {
        assert_eq!(times(1, "phone", Duration::ZERO, &[10; 20]), [0; 20]);
    }

    #[test]
    fn each_host_and_each_seed_has_times_of_its_own() {
        let burst = |seed, host| times(seed, host, Duration::from_millis(3), &[10; 20]);
        assert_eq!(burst(1, "phone"), burst(1, "phone"));
        assert_ne!(burst(1, "phone"), burst(1, "laptop"));
        assert_ne!(burst(1, "phone"), burst(2, "phone"));
    }
}
