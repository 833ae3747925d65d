use std::time::Duration;

use super::Backoff;
use crate::message::MAX_MESSAGE_BYTES;

/// How long a [`FallbackTransport`](super::FallbackTransport) waits, when it changes its way, and how
/// much it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FallbackSettings {
    /// Which ways it may take.
    pub ways: AllowedWays,
    /// Longest wait for a stream to the relay.
    pub connect_within: Duration,
    /// Longest wait for the answer to a WebSocket upgrade. Beyond: REST.
    pub upgrade_within: Duration,
    /// Longest wait for the relay's `welcome` on a new WebSocket. Beyond: REST; a proxy that lets the
    /// upgrade pass and nothing after it looks like that.
    pub welcome_within: Duration,
    /// How often a heartbeat is sent on a WebSocket.
    pub heartbeat: Duration,
    /// How soon something must be heard after a heartbeat, and how long writing may take. Beyond, the
    /// connection counts as lost: it may be half-open (RFC 9293 §3.5.1).
    pub heartbeat_within: Duration,
    /// How long a message that was applied may stay unacknowledged on a WebSocket where nothing else is
    /// sent.
    pub acknowledge_within: Duration,
    /// How many messages that were applied may stay unacknowledged on a WebSocket.
    pub acknowledge_every: u32,
    /// Waits between attempts that failed.
    pub backoff: Backoff,
    /// Failed attempts in a row after which the transport gives up and closes; `None`: never.
    pub attempts: Option<u32>,
    /// So many WebSockets that stood and were lost within `cuts_within` are reason to fall back.
    pub cuts: u32,
    /// The time within which cuts count together.
    pub cuts_within: Duration,
    /// Waits before a WebSocket is tried from REST. They double with each try that does not lead to a
    /// WebSocket that lives for `cuts_within`.
    pub probe: Backoff,
    /// How long a poll asks the relay to wait, in whole seconds; at least 1 s.
    pub poll_wait: Duration,
    /// Longest wait for the answer to a post, and to a poll beyond its own wait.
    pub answer_within: Duration,
    /// The longest `Retry-After` (RFC 9110 §10.2.3) that is obeyed. A longer one is cut to this.
    pub longest_retry_after: Duration,
    /// Longest time that closing takes: to have everything confirmed that was handed over.
    pub flush_within: Duration,
    /// Messages that the relay has not confirmed. Beyond: `TransportError::QueueFull`.
    pub queue: usize,
    /// Events that wait to be taken by `recv`, at least 1. Beyond, mail stays at the relay.
    pub events: usize,
    /// Longest message, in bytes of JSON, sent or received. What is longer than the relay accepts comes
    /// back as an `error`.
    pub message_bytes: usize,
}

/// Which ways a [`FallbackTransport`](super::FallbackTransport) may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AllowedWays {
    /// A WebSocket where one gets through, REST where none does.
    #[default]
    Both,
    /// A WebSocket or nothing: what is refused or hangs is tried again later.
    WebSocket,
    /// REST from the beginning, without probes for a WebSocket.
    Rest,
}

impl Default for FallbackSettings {
    /// - both ways;
    /// - 10 s to connect, 5 s for an upgrade, 5 s for the welcome;
    /// - heartbeats every 15 s, noticed missing after 10 s: less than the minute after which many
    ///   middleboxes forget an idle connection;
    /// - acknowledged after 200 ms or 32 messages;
    /// - retries after 0.5 s, 1 s, 2 s … 15 s for ever;
    /// - REST after 3 cuts within 60 s, probes after 30 s, 1 min … 10 min;
    /// - polls of 25 s, 10 s for an answer, `Retry-After` up to 60 s;
    /// - 2 s to flush, 256 messages, 256 events, 64 KiB.
    fn default() -> Self {
        Self {
            ways: AllowedWays::Both,
            connect_within: Duration::from_secs(10),
            upgrade_within: Duration::from_secs(5),
            welcome_within: Duration::from_secs(5),
            heartbeat: Duration::from_secs(15),
            heartbeat_within: Duration::from_secs(10),
            acknowledge_within: Duration::from_millis(200),
            acknowledge_every: 32,
            backoff: Backoff { first: Duration::from_millis(500), longest: Duration::from_secs(15) },
            attempts: None,
            cuts: 3,
            cuts_within: Duration::from_secs(60),
            probe: Backoff { first: Duration::from_secs(30), longest: Duration::from_secs(600) },
            poll_wait: Duration::from_secs(25),
            answer_within: Duration::from_secs(10),
            longest_retry_after: Duration::from_secs(60),
            flush_within: Duration::from_secs(2),
            queue: 256,
            events: 256,
            message_bytes: MAX_MESSAGE_BYTES,
        }
    }
}
