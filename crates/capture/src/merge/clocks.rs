//! Clocks of several files, brought together by the messages that they share.

use std::collections::BTreeMap;

use super::messages::Joined;

/// What is known of one recording's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    /// Microseconds that it is ahead of the reference; 0 where nothing demands a correction.
    pub(super) ahead_us: i64,
    /// Half the time of the shortest way there and back, which bounds the error of a correction; `None`
    /// where nothing was corrected, or messages went one way only.
    pub(super) uncertainty_us: Option<i64>,
    /// Whether messages tie it to the reference.
    pub(super) tied: bool,
}

/// Entries of one event in two logs of one machine stand in either order, and a busy server writes its log
/// some time after the bytes have left; that much is no contradiction.
const SLACK_US: i64 = 50_000;

/// The clocks of `recordings` (indices), by the messages that more than one of them saw.
pub(super) fn align(recordings: &[usize], messages: &[Joined]) -> BTreeMap<usize, Clock> {
    let shortest = shortest_ways(messages);
    let ties = |recording: usize| {
        shortest.keys().filter(|(from, to)| *from == recording || *to == recording).count()
    };
    let mut clocks: BTreeMap<usize, Clock> = BTreeMap::new();
    // The one that most others share messages with; the first of several.
    let Some(reference) = recordings.iter().copied().rev().max_by_key(|recording| ties(*recording)) else {
        return clocks;
    };
    clocks.insert(reference, Clock { ahead_us: 0, uncertainty_us: None, tied: true });
    loop {
        let best = recordings
            .iter()
            .filter(|recording| !clocks.contains_key(recording))
            .flat_map(|recording| clocks.keys().map(move |known| (*known, *recording)))
            .filter_map(|(known, recording)| {
                let there = shortest.get(&(known, recording)).copied();
                let back = shortest.get(&(recording, known)).copied();
                Some((quality(there, back)?, known, recording, offset(there, back)))
            })
            .min();
        let Some((_, known, recording, (ahead, uncertainty_us))) = best else { break };
        let ahead_us = clocks[&known].ahead_us.saturating_add(ahead);
        clocks.insert(recording, Clock { ahead_us, uncertainty_us, tied: true });
    }
    for recording in recordings {
        clocks.entry(*recording).or_insert(Clock { ahead_us: 0, uncertainty_us: None, tied: false });
    }
    clocks
}

/// The shortest time that any message took from a place in one recording to a later place in another, by the
/// two clocks: the difference of the clocks plus the way.
fn shortest_ways(messages: &[Joined]) -> BTreeMap<(usize, usize), i64> {
    let mut shortest: BTreeMap<(usize, usize), i64> = BTreeMap::new();
    for message in messages {
        for early in &message.seen {
            // Of one stage in two files each bounds the other.
            for late in message.seen.iter().filter(|late| late.stage >= early.stage) {
                if early.recording != late.recording {
                    let took = late.at.micros_since(early.at);
                    let known = shortest.entry((early.recording, late.recording)).or_insert(took);
                    *known = took.min(*known);
                }
            }
        }
    }
    shortest
}

/// Smaller is better; `None` where no message went either way.
fn quality(there: Option<i64>, back: Option<i64>) -> Option<i64> {
    match (there, back) {
        (Some(there), Some(back)) => Some(there.saturating_add(back).max(0)),
        (None, None) => None,
        _ => Some(i64::MAX),
    }
}

/// How far the second clock is ahead, given the shortest way to it and back. A clock that nothing contradicts
/// is left alone.
fn offset(there: Option<i64>, back: Option<i64>) -> (i64, Option<i64>) {
    let at_most = there.unwrap_or(i64::MAX);
    let at_least = back.map_or(i64::MIN, |back| -back);
    if at_least.saturating_sub(SLACK_US) <= 0 && 0 <= at_most.saturating_add(SLACK_US) {
        return (0, None);
    }
    match (there, back) {
        (Some(there), Some(back)) => {
            (there.saturating_sub(back) / 2, Some((there.saturating_add(back) / 2).max(0)))
        }
        (Some(there), None) => (there, None),
        (None, Some(back)) => (back.saturating_neg(), None),
        (None, None) => (0, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(there_ms: Option<i64>, back_ms: Option<i64>, ahead_ms: i64, uncertainty_ms: Option<i64>) {
        let us = |ms: i64| ms * 1000;
        let expect = (us(ahead_ms), uncertainty_ms.map(us));
        assert_eq!(offset(there_ms.map(us), back_ms.map(us)), expect);
    }

    #[test]
    fn a_clock_is_moved_only_where_messages_would_arrive_before_they_were_sent() {
        check(Some(30), Some(2), 0, None);
        check(Some(70), Some(-50), 0, None);
        check(Some(71), Some(-51), 61, Some(10));
        check(Some(3010), Some(-2990), 3000, Some(10));
        check(Some(-2990), Some(3010), -3000, Some(10));
        check(Some(-500), None, -500, None);
        check(None, Some(-500), 500, None);
        check(Some(500), None, 0, None);
    }
}
