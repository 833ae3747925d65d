//! What came of a world, and why a host was not found.

use std::{collections::BTreeMap, fmt};

use determinism::Escape;
use thiserror::Error;
use timeline::{Digest, Name, PacketRecord, VirtualTime};

use crate::{Counts, Lateness};

/// What came of a world.
#[derive(Debug)]
pub struct Outcome<T> {
    /// What its main future returned; `None` where it was cut off.
    pub value: Option<T>,
    /// Why it ended.
    pub end: End,
    /// Every packet that a host handed to the network, in the order of sending.
    pub packets: Vec<PacketRecord>,
    /// What is in each of them, in the same order, where [`Payloads::Kept`](crate::Payloads::Kept) was asked for; else nothing.
    pub payloads: Vec<Box<[u8]>>,
    /// A hash over time, addresses, transport, length and bytes of all of them.
    pub digest: Digest,
    /// How long it lasted.
    pub elapsed: VirtualTime,
    /// How much it did.
    pub counts: Counts,
    /// Which sockets were still open.
    pub leftovers: Leftovers,
    /// How late packets were, in real time; `None` where time was virtual.
    pub lateness: Option<Lateness>,
    /// Which calls went past the world to the machine, or would have; none where that is allowed.
    pub escapes: Vec<Escape>,
}

/// Why a world ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Its main future returned.
    Finished,
    /// Virtual time reached the deadline.
    Deadline,
    /// It did more than its event budget allows.
    EventBudget,
    /// It went on and on at one instant: something sleeps for no time in a loop.
    Stalled,
    /// A program called the machine instead of the world: [`Outcome::escapes`].
    Escaped,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Finished => "finished",
            Self::Deadline => "cut off at the deadline",
            Self::EventBudget => "cut off, having used up its event budget",
            Self::Stalled => "cut off, going round in circles at one instant",
            Self::Escaped => "cut off, because a program called the machine instead of the world",
        })
    }
}

/// How many sockets were open per host: UDP sockets, TCP streams and listeners. Hosts with none are left
/// out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leftovers {
    /// When the main future was done, with all other tasks still there.
    pub at_end: BTreeMap<Name, usize>,
    /// When all tasks had been dropped: these are leaks, or part of the returned value.
    pub after_shutdown: BTreeMap<Name, usize>,
}

/// No host has this name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("no host is called {name}; there are {known}")]
pub struct UnknownHost {
    /// The name.
    pub name: Name,
    /// The names that there are, in words.
    pub known: String,
}
