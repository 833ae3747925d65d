//! `[signaller.limits]`, and the settings that limits and clients share the form of.

use std::time::Duration;

use signaller::{http::HttpLimits, relay::Limits};

use crate::format::{error::ProblemKind, reader::Value};

/// The shortest wait that may be set: the resolution of a world's clock.
const SHORTEST: Duration = Duration::from_millis(1);
/// The most of anything that may be kept.
const MOST: u64 = 1 << 24;

pub(super) fn limits(relay: &mut Limits, http: &mut HttpLimits, value: Value<'_>) {
    let Some(table) = value.table("[signaller.limits]") else { return };
    let size = |key, doc, place: &mut usize| table.set(key, doc, place, size);
    size("message-bytes", "Longest message, in bytes of JSON.", &mut relay.message_bytes);
    size("queue", "Messages that wait for one peer.", &mut relay.queue);
    size("participants", "Peers that are remembered.", &mut relay.participants);
    size("replies", "Errors that wait to be read by one connection.", &mut relay.replies);
    size("calls", "Calls that are remembered, where tokens are wanted.", &mut relay.calls);
    size("poll-bytes", "How many bytes of messages a poll is answered with.", &mut http.poll_bytes);
    size("connections", "Streams that are open at once.", &mut http.connections);
    let wait = |key, doc, place: &mut Duration| table.set(key, doc, place, wait);
    wait("idle", "How long a peer may be away before it is forgotten with its mail.", &mut relay.idle);
    wait("longest-poll-wait", "How long a poll may ask to wait.", &mut http.longest_poll_wait);
    let head_doc = "How long the head of a request may take, and a connection may be idle between two.";
    wait("head-within", head_doc, &mut http.head_within);
    wait("body-within", "How long the body of a request may take.", &mut http.body_within);
    wait("silence", "How long a WebSocket may be silent.", &mut http.silence);
    let stop_doc = "How long the last answers may take when it is restarted.";
    wait("stop-within", stop_doc, &mut http.stop_within);
    table.finish();
}

/// A wait of at least [`SHORTEST`], so that nothing goes round in circles.
pub(super) fn wait(value: Value<'_>) -> Option<Duration> {
    let wait = value.duration()?;
    if wait < SHORTEST {
        let (least, most) = ("1ms".to_owned(), "24h".to_owned());
        return value.problem(ProblemKind::OutOfRange { found: format!("{wait:?}"), least, most });
    }
    Some(wait)
}

/// A number of at least 1.
pub(super) fn size(value: Value<'_>) -> Option<usize> {
    value.integer(1..=MOST)
}
