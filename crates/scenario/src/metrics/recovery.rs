//! How long connections that were lost took to carry again.

use std::{collections::BTreeMap, time::Duration};

use timeline::{CallState, ConnectionState, Event, Name, State, VirtualTime};

use crate::{plan::Plan, record::RunRecord};

/// How long before a loss a fault of the network counts as its cause. `webrtc` 0.21.1 says `disconnected` 5 s
/// after the last answer to its consent checks, which it sends every 2 s.
const FAULT_SHOWS_WITHIN: Duration = Duration::from_secs(10);

/// A connection of one side that was lost, and stands again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// Whose: a peer, or `PEER/REMOTE` in a call of several.
    pub of: Name,
    /// When it was lost.
    pub from: VirtualTime,
    /// When it stood again.
    pub to: VirtualTime,
}

impl Recovery {
    /// How long it took.
    pub fn took(&self) -> Duration {
        self.to.since(self.from)
    }
}

/// The recoveries of a run, in the order in which they came to their end.
///
/// A connection that has stood is *lost* when its connection state leaves `connected` while its call goes on, or
/// when its call is `reconnecting`, whichever is first. That shows seconds after packets ceased to arrive.
/// So, where the network was touched by the script within ten seconds before, the first such fault since the
/// connection last stood is the moment of the loss. It *stands again* when the connection state is `connected`
/// and the call is not `reconnecting`: checks are answered and keys agreed upon, so that media passes.
///
/// What is not recovered until its call ends has no recovery time.
pub fn recoveries(record: &RunRecord) -> Vec<Recovery> {
    let mut faults = Vec::new();
    let mut sides: BTreeMap<&Name, Side> = BTreeMap::new();
    let mut recoveries = Vec::new();
    for entry in &record.timeline.entries {
        match &entry.event {
            Event::Fault { .. } if entry.actor.as_str() == Plan::NETWORK => faults.push(entry.at),
            Event::Transition { to, .. } => {
                let side = sides.entry(&entry.actor).or_default();
                if let Some(from) = side.moved(entry.at, *to, &faults) {
                    recoveries.push(Recovery { of: entry.actor.clone(), from, to: entry.at });
                }
            }
            _ => {}
        }
    }
    recoveries
}

/// The longest recovery of a run; `None` where nothing was recovered.
pub(crate) fn longest_recovery(record: &RunRecord) -> Option<Duration> {
    recoveries(record).iter().map(Recovery::took).max()
}

/// What is known of one side's connection.
#[derive(Clone, Copy, Debug, Default)]
enum Side {
    /// It never stood, or its call is over.
    #[default]
    None,
    /// It stands since then.
    Stands { since: VirtualTime },
    /// It was lost then.
    Lost { from: VirtualTime, is_connected: bool, is_reconnecting: bool },
}

impl Side {
    /// A machine of this side entered `state`. If that ends a recovery: when it began.
    fn moved(&mut self, at: VirtualTime, state: State, faults: &[VirtualTime]) -> Option<VirtualTime> {
        let (mut is_connected, mut is_reconnecting) = match *self {
            Self::None => (false, false),
            Self::Stands { .. } => (true, false),
            Self::Lost { is_connected, is_reconnecting, .. } => (is_connected, is_reconnecting),
        };
        match state {
            State::Call(CallState::Ended(_)) | State::Connection(ConnectionState::Closed) => {
                *self = Self::None;
                return None;
            }
            State::Call(state) => is_reconnecting = state == CallState::Reconnecting,
            State::Connection(state) => is_connected = state == ConnectionState::Connected,
            State::Signaling(_) | State::Gathering(_) | State::Ice(_) => return None,
        }
        let stands = is_connected && !is_reconnecting;
        match *self {
            Self::None if stands => *self = Self::Stands { since: at },
            Self::Stands { since } if !stands => {
                *self = Self::Lost { from: lost(since, at, faults), is_connected, is_reconnecting };
            }
            Self::Lost { from, .. } if stands => {
                *self = Self::Stands { since: at };
                return Some(from);
            }
            Self::Lost { from, .. } => *self = Self::Lost { from, is_connected, is_reconnecting },
            Self::None | Self::Stands { .. } => {}
        }
        None
    }
}

/// When a connection that stood since `since`, and shows its loss at `shows`, was lost.
fn lost(since: VirtualTime, shows: VirtualTime, faults: &[VirtualTime]) -> VirtualTime {
    let could_be = |fault: &&VirtualTime| **fault >= since && shows.since(**fault) <= FAULT_SHOWS_WITHIN;
    faults.iter().find(could_be).copied().unwrap_or(shows)
}

#[cfg(test)]
mod tests {
    use timeline::Machine::{self, Call, Connection};

    use super::*;
    use crate::testing::Sketch;

    /// What a run adds to a call that goes well and ends at 4 s.
    enum Moment {
        Fault(u64),
        Enters(u64, &'static str, Machine, &'static str),
    }
    use Moment::{Enters, Fault};

    /// The caller's connection breaks.
    const fn breaks(at: u64) -> Moment {
        Enters(at, "caller", Connection, "disconnected")
    }

    /// The caller's connection stands, again.
    const fn stands(at: u64) -> Moment {
        Enters(at, "caller", Connection, "connected")
    }

    #[track_caller]
    fn check(moments: &[Moment], expect: &[(&str, u64, u64)]) {
        let sketch = Sketch::connected().with(|sketch| {
            sketch.transition(1560, "callee", Connection, "connecting", "connected");
            for moment in moments {
                match moment {
                    Fault(at) => sketch.fault(*at),
                    Enters(at, peer, machine, to) => {
                        sketch.transition(*at, peer, *machine, machine.initial().as_str(), to)
                    }
                }
            }
        });
        let found = recoveries(&sketch.record());
        let found: Vec<(&str, u64, u64)> = found
            .iter()
            .map(|Recovery { of, from, to }| (of.as_str(), from.as_millis(), to.as_millis()))
            .collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn a_call_that_goes_well_recovers_nothing() {
        check(&[], &[]);
        check(&[Fault(2000)], &[]);
    }

    #[test]
    fn a_recovery_lasts_from_the_loss_until_the_connection_stands_again() {
        let healed = [breaks(2000), stands(2700)];
        check(&healed, &[("caller", 2000, 2700)]);
        let restarted = [
            Enters(2000, "caller", Call, "reconnecting"),
            Enters(2001, "caller", Connection, "connecting"),
            stands(2500),
            Enters(2501, "caller", Call, "connected"),
        ];
        check(&restarted, &[("caller", 2000, 2501)]);
    }

    #[test]
    fn each_side_and_each_loss_counts() {
        let moments = [
            breaks(2000),
            Enters(2100, "callee", Connection, "failed"),
            Enters(2300, "callee", Connection, "connected"),
            stands(2400),
            breaks(3000),
            stands(3100),
        ];
        check(&moments, &[("callee", 2100, 2300), ("caller", 2000, 2400), ("caller", 3000, 3100)]);
    }

    #[test]
    fn the_first_fault_since_the_connection_stood_is_the_loss() {
        check(&[Fault(1700), Fault(1900), breaks(2000), stands(2500)], &[("caller", 1700, 2500)]);
        // One before the connection stood, and one after the loss, are none of it.
        check(&[Fault(1300), breaks(2000), Fault(2100), stands(2500)], &[("caller", 2000, 2500)]);
        // One that another recovery has answered for is not the next one's.
        let twice = [Fault(1700), breaks(2000), stands(2500), breaks(3000), stands(3200)];
        check(&twice, &[("caller", 1700, 2500), ("caller", 3000, 3200)]);
    }

    #[test]
    fn a_fault_counts_as_the_cause_for_ten_seconds() {
        let since =
            |ms| lost(VirtualTime::ZERO, VirtualTime::from_millis(ms), &[VirtualTime::from_millis(5)]);
        assert_eq!(since(10_005).as_millis(), 5);
        assert_eq!(since(10_006).as_millis(), 10_006);
    }

    #[test]
    fn what_ends_before_it_stands_again_is_no_recovery() {
        let ends = [breaks(2000), Enters(3000, "caller", Call, "ended: connection-lost"), stands(3001)];
        check(&ends, &[]);
        check(&[Enters(2000, "caller", Connection, "closed")], &[]);
    }

    #[test]
    fn a_connection_that_never_stood_was_not_lost() {
        let rebuilt = [
            Enters(1300, "caller", Connection, "failed"),
            Enters(1301, "caller", Call, "reconnecting"),
            Enters(1500, "caller", Call, "connected"),
        ];
        check(&rebuilt, &[]);
    }
}
