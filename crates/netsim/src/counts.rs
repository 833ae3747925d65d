//! How much a world did.

use std::collections::BTreeMap;

use timeline::Name;

/// What happened in a world so far, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Per host, what its access link carried.
    pub hosts: BTreeMap<Name, AccessCounts>,
    /// Packets that hosts handed to the network, loopback over UDP included, retransmissions not.
    pub packets: u64,
    /// Stages of packets' ways that the pump has passed, retransmission timeouts included.
    pub events: u64,
    /// Timers that were set with [`World::sleep`](crate::World::sleep).
    pub timers: u64,
    /// TCP segments that were sent again after a retransmission timeout.
    pub retransmissions: u64,
    /// TCP connections that the user timeout (RFC 5482) ended.
    pub user_timeouts: u64,
}

/// What one host's access links carried, all that it had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccessCounts {
    /// From the host to the core.
    pub up: HalfCounts,
    /// From the core to the host.
    pub down: HalfCounts,
}

/// What one half of a link carried. Retransmitted TCP segments count every time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HalfCounts {
    /// Packets that entered it, whatever became of them.
    pub sent: u64,
    /// Those that were drawn as lost.
    pub lost: u64,
    /// Those that met it while it was down, or were longer than its MTU.
    pub dropped: u64,
    /// Those that found its queue full.
    pub queue_full: u64,
    /// Those that took a detour.
    pub reordered: u64,
    /// Those that a copy followed.
    pub duplicated: u64,
    /// Those that went on with a flipped bit. TCP segments count as lost instead.
    pub corrupted: u64,
}

impl std::ops::Add for HalfCounts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            sent: self.sent + other.sent,
            lost: self.lost + other.lost,
            dropped: self.dropped + other.dropped,
            queue_full: self.queue_full + other.queue_full,
            reordered: self.reordered + other.reordered,
            duplicated: self.duplicated + other.duplicated,
            corrupted: self.corrupted + other.corrupted,
        }
    }
}
