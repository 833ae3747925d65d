//! Links that change by themselves.

use std::time::Duration;

use crate::Access;

/// What becomes of a host's link in the course of time: a train's tunnels, a satellite's handovers.
///
/// Each step replaces the whole access, also one that was changed by hand in between. A later schedule, and a
/// handover, end it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schedule {
    /// What the link becomes, and how long after the schedule's start; in any order.
    pub steps: Vec<(Duration, Access)>,
    /// What happens after the last step.
    pub ending: Ending,
}

/// What happens after the last step of a schedule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// The link stays as it is.
    #[default]
    Stay,
    /// The schedule begins again this long after it began. Steps that come later than this never happen; a
    /// period under a millisecond counts as one.
    RepeatEvery(Duration),
}
