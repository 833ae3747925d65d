//! How fast a link is, and what waits in front of it.

use std::{num::NonZeroU64, time::Duration};

/// The speed of a half-link, and the queue in front of it: first in, first out, tail drop.
///
/// UDP and TCP share both. A packet counts with its headers: 28 or 48 bytes over a UDP payload (IPv4, IPv6),
/// 40 or 60 over a TCP payload. Bare acknowledgements and resets of TCP take their share of the rate, but
/// always find room in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Bits a second.
    pub bps: NonZeroU64,
    /// What the queue holds.
    pub queue: QueueLimit,
}

/// When a queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueLimit {
    /// A packet is dropped if it and what waits before it, the rest of the packet that is being sent included,
    /// are more than these bytes.
    Bytes(u64),
    /// A packet is dropped if it would wait for longer than this until it is being sent.
    Time(Duration),
}

impl Rate {
    /// How long `bytes` take, rounded up to the nanosecond.
    pub(crate) fn time_for(self, bytes: u64) -> Duration {
        let nanos = (u128::from(bytes) * 8 * 1_000_000_000).div_ceil(u128::from(self.bps.get()));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// How many bytes take `time`, rounded up.
    fn bytes_in(self, time: Duration) -> u64 {
        let bytes = (time.as_nanos() * u128::from(self.bps.get())).div_ceil(8 * 1_000_000_000);
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// Whether a packet of `bytes` finds room behind what takes `backlog` to send.
    pub(crate) fn has_room(self, backlog: Duration, bytes: u64) -> bool {
        match self.queue {
            QueueLimit::Bytes(limit) => self.bytes_in(backlog).saturating_add(bytes) <= limit,
            QueueLimit::Time(limit) => backlog <= limit,
        }
    }
}
