//! What a change of the network asks of its caller.

use std::task::Waker;

use crate::{
    ids::{EndKey, HostIndex},
    kernel::Segment,
};

/// What callers are to do once they have let go of the network.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// Tasks to wake.
    pub(crate) wakers: Vec<Waker>,
    /// Segments to hand to the TCP stacks of hosts, in order.
    pub(crate) segments: Vec<(HostIndex, Segment)>,
}

impl Effects {
    pub(crate) fn reaches_a_host(&self) -> bool {
        !self.wakers.is_empty() || !self.segments.is_empty()
    }

    /// Resets a connection at one of its ends, in the name of the other one.
    pub(crate) fn reset(&mut self, end: EndKey) {
        self.segments.push((end.host, Segment::reset(end.peer, end.local)));
    }
}

/// What was released set something going, or may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stirred {
    Yes,
    No,
}
