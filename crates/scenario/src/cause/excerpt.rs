//! The lines of a run around the moment of a cause.

use diagnosis::Cause;
use timeline::{Entry, Timeline, transcript};

/// Lines before and after the moment.
const BEFORE: usize = 6;
const AFTER: usize = 6;

/// The transcript around the moment at which `cause` struck.
pub fn excerpt(timeline: &Timeline, cause: &Cause) -> Vec<String> {
    let entries = &timeline.entries;
    let next = entries.partition_point(|entry| entry.at < cause.at);
    let first = next.saturating_sub(BEFORE);
    let last = entries.len().min(next + AFTER);
    lines(&entries[first..last])
}

/// The last lines of the transcript up to a moment.
pub(crate) fn tail(timeline: &Timeline, at: timeline::VirtualTime, count: usize) -> Vec<String> {
    let end = timeline.entries.partition_point(|entry| entry.at <= at);
    lines(&timeline.entries[end.saturating_sub(count)..end])
}

fn lines(entries: &[Entry]) -> Vec<String> {
    let text = transcript(&Timeline { entries: entries.to_vec(), packets: Vec::new() });
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}
