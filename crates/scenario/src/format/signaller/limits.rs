//! `[signaller.limits]`, and the settings that limits and clients share the form of.

use std::time::Duration;

use signaller::{http::HttpLimits, relay::Limits};

use crate::format::{
    error::{ProblemKind, Problems},
    reader::{Table, Value},
};

/// The shortest wait that may be set: the resolution of a world's clock.
const SHORTEST: Duration = Duration::from_millis(1);
/// The most of anything that may be kept.
const MOST: u64 = 1 << 24;

pub(super) fn limits(relay: &mut Limits, http: &mut HttpLimits, value: Value<'_>, problems: &Problems) {
    let Some(mut table) = value.table("[signaller.limits]", problems) else { return };
    sizes(
        [
            ("message-bytes", &mut relay.message_bytes),
            ("queue", &mut relay.queue),
            ("participants", &mut relay.participants),
            ("replies", &mut relay.replies),
            ("calls", &mut relay.calls),
            ("poll-bytes", &mut http.poll_bytes),
            ("connections", &mut http.connections),
        ],
        &mut table,
        problems,
    );
    waits(
        [
            ("idle", &mut relay.idle),
            ("longest-poll-wait", &mut http.longest_poll_wait),
            ("head-within", &mut http.head_within),
            ("body-within", &mut http.body_within),
            ("silence", &mut http.silence),
            ("stop-within", &mut http.stop_within),
        ],
        &mut table,
        problems,
    );
    table.finish(problems);
}

/// Waits by their keys: each at least [`SHORTEST`], so that nothing goes round in circles.
pub(super) fn waits<const N: usize>(
    settings: [(&'static str, &mut Duration); N],
    table: &mut Table<'_>,
    problems: &Problems,
) {
    for (key, setting) in settings {
        let Some((wait, at)) = table.duration(key, problems) else { continue };
        if wait < SHORTEST {
            let (least, most) = ("1ms".to_owned(), "24h".to_owned());
            problems.add(ProblemKind::OutOfRange { found: format!("{wait:?}"), least, most }, at);
        }
        *setting = wait;
    }
}

/// Numbers by their keys: each at least 1.
pub(super) fn sizes<const N: usize>(
    settings: [(&'static str, &mut usize); N],
    table: &mut Table<'_>,
    problems: &Problems,
) {
    for (key, setting) in settings {
        let size = table.integer(key, 1..=MOST, problems);
        if let Some(size) = size.and_then(|size| usize::try_from(size).ok()) {
            *setting = size;
        }
    }
}
