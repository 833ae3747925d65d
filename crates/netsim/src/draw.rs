//! Counter-based randomness: a draw is a pure function of what it is for.
//!
//! The key of a draw names the seed, the host, the place (a half of its link, or the host itself) and
//! the transport; its counter is the ordinal of the packet there. So one more packet on one link shifts
//! no other draw, and a change of the signalling leaves the media's weather alone.

use std::time::Duration;

use timeline::Name;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::Probability;

/// Where draws are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Up,
    Down,
    Host,
    Gateway,
    /// The program on a host, with what it receives.
    Program,
}

/// What carries a payload over IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// RFC 768.
    Udp,
    /// RFC 9293.
    Tcp,
}

/// What a draw decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Loss,
    Jitter,
    Processing,
    FirstState,
    NextState,
    BurstLoss,
    Spread,
    Reordering,
    Duplication,
    Corruption,
    FlippedBit,
    Port,
    Handling,
}

/// One sequence of draws: packet after packet at one place.
#[derive(Clone, Debug)]
pub(crate) struct Draws {
    key: u64,
    ordinal: u64,
}

impl Draws {
    pub(crate) fn new(seed: u64, host: &Name, place: Place, transport: Transport) -> Self {
        let mut key = host.as_str().as_bytes().to_vec();
        // The name's own bytes cannot be taken for the two that follow: they stand at the end.
        key.extend([place as u8, transport as u8]);
        Self { key: xxh3_64_with_seed(&key, seed), ordinal: 0 }
    }

    /// The sequence of the same place on a host's later attachments to the network: the first one is number
    /// 0, which changes nothing.
    pub(crate) fn of_attachment(self, number: u64) -> Self {
        let key = if number == 0 { self.key } else { xxh3_64_with_seed(&number.to_le_bytes(), self.key) };
        Self { key, ..self }
    }

    /// The draws for the next packet.
    pub(crate) fn next_packet(&mut self) -> PacketDraws {
        let ordinal = self.ordinal;
        self.ordinal += 1;
        PacketDraws { key: self.key, ordinal }
    }
}

const BITS_OF_F64: u32 = 53;
const UNIT: f64 = 1.0 / (1u64 << BITS_OF_F64) as f64;

/// The draws for one packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PacketDraws {
    key: u64,
    ordinal: u64,
}

impl PacketDraws {
    fn bits(self, purpose: Purpose) -> u64 {
        let mut counter = [0; 9];
        counter[..8].copy_from_slice(&self.ordinal.to_le_bytes());
        counter[8] = purpose as u8;
        xxh3_64_with_seed(&counter, self.key)
    }

    /// True with the given probability. What happens at one probability happens at any higher one too.
    pub(crate) fn happens(self, purpose: Purpose, probability: Probability) -> bool {
        // The usual case costs no draw.
        probability > Probability::ZERO
            && (self.bits(purpose) >> (64 - BITS_OF_F64)) as f64 * UNIT < probability.get()
    }

    /// Uniform and strictly between 0 and 1.
    pub(crate) fn unit(self, purpose: Purpose) -> f64 {
        // One bit less than an f64 has room for, so that the half is exact and 1 is out of reach.
        ((self.bits(purpose) >> (65 - BITS_OF_F64)) as f64 + 0.5) * (2.0 * UNIT)
    }

    /// Uniform from 0 up to, and not including, `end`, which is not 0.
    pub(crate) fn below(self, purpose: Purpose, end: u64) -> u64 {
        ((u128::from(self.bits(purpose)) * u128::from(end)) >> 64) as u64
    }

    /// Uniform from `min` to `max`, both included, in nanoseconds.
    pub(crate) fn between(self, purpose: Purpose, min: Duration, max: Duration) -> Duration {
        if max <= min {
            return min;
        }
        let span = u64::try_from((max - min).as_nanos()).unwrap_or(u64::MAX);
        let choices = u128::from(span) + 1;
        let drawn = (u128::from(self.bits(purpose)) * choices) >> 64;
        min + Duration::from_nanos(u64::try_from(drawn).unwrap_or(span))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(draws: &mut Draws, len: usize) -> Vec<u64> {
        (0..len).map(|_| draws.next_packet().bits(Purpose::Loss)).collect()
    }

    #[test]
    fn every_part_of_the_key_matters() {
        let of = |seed, host: &str, place, transport| {
            sequence(&mut Draws::new(seed, &host.into(), place, transport), 4)
        };
        let base = of(1, "caller", Place::Up, Transport::Udp);
        assert_eq!(base, of(1, "caller", Place::Up, Transport::Udp));
        assert_ne!(base, of(2, "caller", Place::Up, Transport::Udp));
        assert_ne!(base, of(1, "callee", Place::Up, Transport::Udp));
        assert_ne!(base, of(1, "caller", Place::Down, Transport::Udp));
        assert_ne!(base, of(1, "caller", Place::Up, Transport::Tcp));
        let attached = |number| {
            let draws = Draws::new(1, &"caller".into(), Place::Up, Transport::Udp);
            sequence(&mut draws.of_attachment(number), 4)
        };
        assert_eq!(base, attached(0));
        assert_ne!(base, attached(1));
        assert_ne!(attached(2), attached(1));
        let packet = PacketDraws { key: 1, ordinal: 1 };
        assert_ne!(packet.bits(Purpose::Loss), packet.bits(Purpose::Jitter));
    }

    #[test]
    fn probabilities_are_nested_and_bounds_are_exact() {
        let mut draws = Draws::new(1, &"caller".into(), Place::Up, Transport::Udp);
        let (low, high) = (Probability::new(0.1).unwrap(), Probability::new(0.3).unwrap());
        for _ in 0..1000 {
            let packet = draws.next_packet();
            assert!(!packet.happens(Purpose::Loss, Probability::ZERO));
            assert!(packet.happens(Purpose::Loss, Probability::ONE));
            assert!(!packet.happens(Purpose::Loss, low) || packet.happens(Purpose::Loss, high));
        }
    }

    #[test]
    fn ranges_include_both_ends() {
        let mut draws = Draws::new(1, &"caller".into(), Place::Up, Transport::Udp);
        let [min, max] = [2, 4].map(Duration::from_nanos);
        let drawn: std::collections::BTreeSet<_> =
            (0..100).map(|_| draws.next_packet().between(Purpose::Jitter, min, max)).collect();
        assert_eq!(drawn.into_iter().collect::<Vec<_>>(), [2, 3, 4].map(Duration::from_nanos));
        assert_eq!(draws.next_packet().between(Purpose::Jitter, max, max), max);
    }
}
