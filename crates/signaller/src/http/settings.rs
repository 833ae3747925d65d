use std::time::Duration;

use super::{Clock, Pages};
use crate::delivery::FRAME_OVERHEAD_BYTES;

/// How the endpoints run. What they share with other transports stands in
/// [`RelaySettings`](crate::relay::RelaySettings).
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Tells the time for `Date` headers and for the expiry of tokens.
    pub clock: Clock,
    /// What they allow.
    pub limits: HttpLimits,
    /// Which web pages may use them.
    pub pages: Pages,
}

/// What the endpoints allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpLimits {
    /// How long a poll waits for mail where it does not say. It then has an empty answer.
    pub poll_wait: Duration,
    /// How long a poll may ask to wait. Beyond: it waits this long.
    pub longest_poll_wait: Duration,
    /// How many bytes of messages a poll is answered with; one message may have more. Our client takes
    /// 1 MiB beyond one message.
    pub poll_bytes: usize,
    /// How long the head of a request may take to arrive, from the first moment at which one could
    /// come. Beyond: the connection is closed, and so is one that has been idle for this long.
    pub head_within: Duration,
    /// How long the body of a request may take to arrive. Beyond: 400, and the connection is closed.
    pub body_within: Duration,
    /// How long a WebSocket may be silent. Beyond: it is closed. Clients send heartbeats more often.
    pub silence: Duration,
    /// Streams that are open at once, WebSockets included. Beyond: a new one is closed without a word.
    pub connections: usize,
    /// How long the last answers may take once the server was told to stop.
    pub stop_within: Duration,
}

impl HttpSettings {
    /// The default [`HttpLimits`]; pages are of no interest.
    pub fn new(clock: Clock) -> Self {
        Self { clock, limits: HttpLimits::default(), pages: Pages::default() }
    }
}

impl Default for HttpLimits {
    /// Polls of 25 s, at most 60 s, of 128 KiB; 30 s for a head, 10 s for a body; WebSockets may be
    /// silent for 60 s; 4096 connections; 5 s to stop.
    fn default() -> Self {
        Self {
            poll_wait: Duration::from_secs(25),
            longest_poll_wait: Duration::from_secs(60),
            poll_bytes: 128 * 1024,
            head_within: Duration::from_secs(30),
            body_within: Duration::from_secs(10),
            silence: Duration::from_secs(60),
            connections: 4096,
            stop_within: Duration::from_secs(5),
        }
    }
}

/// The longest body of a POST where a message may have `message_bytes`: one such message, alone or as
/// the only one of an array.
pub(super) const fn body_bytes(message_bytes: usize) -> usize {
    message_bytes.saturating_add(FRAME_OVERHEAD_BYTES)
}
