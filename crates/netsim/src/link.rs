//! What a link does to packets, as a user writes it down.

mod delay;
mod loss;
mod rate;
mod schedule;

use std::{fmt, time::Duration};

use thiserror::Error;

pub use delay::{Correlation, InvalidCorrelation, InvalidTailIndex, Reordering, Spread, TailIndex};
pub use loss::{GilbertElliott, InvalidBursts};
pub use rate::{QueueLimit, Rate};
pub use schedule::{Ending, Schedule};

/// A probability: a number from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Probability(f64);

impl Probability {
    /// Never.
    pub const ZERO: Self = Self(0.0);
    /// Always.
    pub const ONE: Self = Self(1.0);

    /// The probability `value`.
    ///
    /// # Errors
    /// Where `value` is not a number from 0 to 1.
    pub fn new(value: f64) -> Result<Self, InvalidProbability> {
        if (0.0..=1.0).contains(&value) { Ok(Self(value)) } else { Err(InvalidProbability(value)) }
    }

    /// The number, from 0 to 1.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Probability {
    type Error = InvalidProbability;

    fn try_from(value: f64) -> Result<Self, Self::Error> {
        Self::new(value)
    }
}

/// Per cent, with as many digits as are needed: `5 %`, `0.1 %`.
impl fmt::Display for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per_cent = (self.0 * 1e8).round() / 1e6;
        write!(f, "{per_cent} %")
    }
}

/// A number that is no probability.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[error("{0} is not a probability: it must be a number from 0 to 1")]
pub struct InvalidProbability(
    /// The number.
    pub f64,
);

/// Whether a link carries packets at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// It does, as its model says.
    Up,
    /// It drops all of them.
    Down,
}

/// The direction of an access link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Half {
    /// From the host to the core of the network.
    Up,
    /// From the core to the host.
    Down,
}

impl fmt::Display for Half {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Up => "uplink",
            Self::Down => "downlink",
        })
    }
}

/// What one half of an access link does to the packets that cross it.
///
/// A packet meets, in this order: the link that is down, the MTU, the queue, the rate, the losses, and then
/// the delay. So a lost packet has used its share of the rate, as it does on the air.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinkModel {
    /// How long every packet takes. Kept to the nanosecond along a packet's way and rounded up to the
    /// next millisecond once, where it arrives.
    pub delay: Duration,
    /// What is added to the delay: uniform from zero to this. UDP datagrams may overtake each other
    /// by it; the segments of one TCP connection do not.
    pub jitter: Duration,
    /// How many packets vanish, each on its own. A lost TCP segment is retransmitted, so to its
    /// receiver it is late.
    pub loss: Probability,
    /// Whether the link carries packets at all.
    pub up: bool,
    /// Losses in bursts, next to `loss`.
    pub bursts: Option<GilbertElliott>,
    /// What varies around the delay, next to `jitter`.
    pub spread: Spread,
    /// How much the varying parts of the delay, `jitter` and `spread`, resemble those of the packet before.
    pub correlation: Correlation,
    /// How fast the link is; `None` for as fast as one likes.
    pub rate: Option<Rate>,
    /// Datagrams that take a detour. A TCP segment that takes it holds up those behind it.
    pub reordering: Option<Reordering>,
    /// How many datagrams arrive twice, the second right behind the first. TCP would discard the second, so
    /// it has none.
    pub duplication: Probability,
    /// How many datagrams arrive with one bit of their payload flipped. A TCP segment fails its checksum and
    /// counts as lost.
    pub corruption: Probability,
    /// The longest IP packet, in bytes; `None` for any. A longer datagram is dropped: nothing is fragmented,
    /// and nobody is told (a black hole of path MTU discovery, RFC 2923 §2.1). TCP segments are never too
    /// long: the stacks cut them to 1500 bytes, and smaller ones would differ in number only.
    pub mtu_bytes: Option<u32>,
}

impl LinkModel {
    /// A link that is up, loses nothing and delays every packet by `delay`.
    pub const fn with_delay(delay: Duration) -> Self {
        Self {
            delay,
            jitter: Duration::ZERO,
            loss: Probability::ZERO,
            up: true,
            bursts: None,
            spread: Spread::None,
            correlation: Correlation::NONE,
            rate: None,
            reordering: None,
            duplication: Probability::ZERO,
            corruption: Probability::ZERO,
            mtu_bytes: None,
        }
    }
}

/// The link between a host and the core of the network; the core itself takes no time and loses
/// nothing.
///
/// A packet from A to B crosses A's `up` and then B's `down`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Access {
    /// From the host to the core.
    pub up: LinkModel,
    /// From the core to the host.
    pub down: LinkModel,
}

impl Access {
    /// Both halves alike.
    pub const fn symmetric(half: LinkModel) -> Self {
        Self { up: half, down: half }
    }

    /// One half.
    pub const fn half(&self, half: Half) -> &LinkModel {
        match half {
            Half::Up => &self.up,
            Half::Down => &self.down,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_checked() {
        for good in [0.0, 0.3, 1.0] {
            assert_eq!(Probability::new(good).unwrap().get(), good);
        }
        for bad in [-0.1, 1.000_001, f64::NAN, f64::INFINITY] {
            assert!(Probability::new(bad).is_err());
        }
        assert_eq!(Probability::new(0.05).unwrap().to_string(), "5 %");
        assert_eq!(Probability::new(0.001).unwrap().to_string(), "0.1 %");
        assert_eq!(
            Probability::new(1.5).unwrap_err().to_string(),
            "1.5 is not a probability: it must be a number from 0 to 1"
        );
    }
}
