//! One half of an access link at work.

use std::time::Duration;

use timeline::Name;

use crate::{
    HalfCounts, LinkModel,
    draw::{Draws, Place, Purpose, Transport},
};

/// A half-link, its draws, and what it has carried.
///
/// UDP and TCP have draws of their own, so that a change in one shifts nothing in the other.
#[derive(Debug)]
pub(super) struct HalfLink {
    pub(super) model: LinkModel,
    pub(super) counts: HalfCounts,
    udp: Draws,
    tcp: Draws,
}

/// Whether a packet can be lost at random.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exposure {
    /// As the link's model says.
    Full,
    /// Not at random, only by a link that is down.
    Spared,
}

/// What became of a packet on a half-link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crossing {
    /// It arrives at the other end after this time.
    Passes(Duration),
    /// It was drawn as lost.
    Lost,
    /// The link is down.
    Down,
}

impl HalfLink {
    pub(super) fn new(seed: u64, host: &Name, place: Place, model: LinkModel) -> Self {
        let draws = |transport| Draws::new(seed, host, place, transport);
        Self { model, counts: HalfCounts::default(), udp: draws(Transport::Udp), tcp: draws(Transport::Tcp) }
    }

    /// Sends the next packet across.
    pub(super) fn cross(&mut self, transport: Transport, exposure: Exposure) -> Crossing {
        let draws = match transport {
            Transport::Udp => self.udp.next_packet(),
            Transport::Tcp => self.tcp.next_packet(),
        };
        self.counts.sent += 1;
        if !self.model.up {
            self.counts.dropped += 1;
            return Crossing::Down;
        }
        if exposure == Exposure::Full && draws.happens(Purpose::Loss, self.model.loss) {
            self.counts.lost += 1;
            return Crossing::Lost;
        }
        let jitter = draws.between(Purpose::Jitter, Duration::ZERO, self.model.jitter);
        Crossing::Passes(self.model.delay + jitter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Probability;

    fn half() -> HalfLink {
        let model = LinkModel {
            delay: Duration::from_millis(10),
            jitter: Duration::from_millis(5),
            loss: Probability::new(0.2).unwrap(),
            up: true,
        };
        HalfLink::new(1, &"caller".into(), Place::Up, model)
    }

    #[test]
    fn tcp_leaves_the_weather_of_udp_alone() {
        let (mut quiet, mut busy) = (half(), half());
        for i in 0..1000 {
            for _ in 0..i % 3 {
                busy.cross(Transport::Tcp, Exposure::Full);
            }
            let [quiet, busy] =
                [&mut quiet, &mut busy].map(|half| half.cross(Transport::Udp, Exposure::Full));
            assert_eq!(quiet, busy);
        }
    }

    #[test]
    fn a_time_without_link_does_not_shift_the_weather_after_it() {
        let (mut steady, mut flapping) = (half(), half());
        for i in 0..1000 {
            flapping.model.up = !(100..200).contains(&i);
            let expect = steady.cross(Transport::Udp, Exposure::Full);
            let found = flapping.cross(Transport::Udp, Exposure::Full);
            assert_eq!(found, if flapping.model.up { expect } else { Crossing::Down });
        }
        assert_eq!(flapping.counts.dropped, 100);
        assert_eq!(flapping.counts.sent, 1000);
    }

    #[test]
    fn spared_packets_are_only_stopped_by_a_link_that_is_down() {
        let mut half = half();
        half.model.loss = Probability::ONE;
        assert!(matches!(half.cross(Transport::Tcp, Exposure::Spared), Crossing::Passes(_)));
        assert_eq!(half.cross(Transport::Tcp, Exposure::Full), Crossing::Lost);
        half.model.up = false;
        assert_eq!(half.cross(Transport::Tcp, Exposure::Spared), Crossing::Down);
    }
}
