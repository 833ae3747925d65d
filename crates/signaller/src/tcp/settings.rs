use std::{io, time::Duration};

use tokio::io::{AsyncRead, AsyncWrite};

use crate::message::{MAX_MESSAGE_BYTES, ParticipantId, SessionId};

/// As whom a transport joins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The participant.
    pub participant: ParticipantId,
    /// This run of its client. Another one for each [`TcpTransport`](super::TcpTransport): within a
    /// session the relay drops ids that it has seen.
    pub session: SessionId,
}

/// How long a transport waits, and how much it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientSettings {
    /// Longest wait for a connection.
    pub connect_within: Duration,
    /// Longest wait for the relay's `joined` on a new connection.
    pub join_within: Duration,
    /// Wait before the next attempt after a connection was lost, and after the first failed attempt.
    pub first_retry: Duration,
    /// The wait doubles with each further failed attempt, up to this. No jitter: the caller's seed has
    /// no say here.
    pub longest_retry: Duration,
    /// Failed attempts in a row after which the transport gives up and closes; `None`: never.
    pub attempts: Option<u32>,
    /// Longest time that closing takes: to send what waits, and to see the relay close its end.
    pub flush_within: Duration,
    /// Messages that wait to be sent. Beyond: `TransportError::QueueFull`.
    pub queue: usize,
    /// Events that wait to be taken by `recv`, at least 1. Beyond, the stream is not read, so that its
    /// sender waits.
    pub events: usize,
    /// Longest message, in bytes of JSON, sent or received. Should be the relay's limit.
    pub message_bytes: usize,
}

/// Makes streams to a relay. Closures that give a future of a stream are connectors.
pub trait Connector: Send + 'static {
    /// What it makes.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// A new stream to the relay. Dropped where it takes longer than
    /// [`ClientSettings::connect_within`].
    ///
    /// # Errors
    /// Whatever the network says; the transport tries again.
    fn connect(&mut self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

impl Default for ClientSettings {
    /// 10 s to connect, 10 s to join; retries after 500 ms, 1 s, 2 s … 15 s for ever; 2 s to flush;
    /// 256 messages, 256 events, 64 KiB.
    fn default() -> Self {
        Self {
            connect_within: Duration::from_secs(10),
            join_within: Duration::from_secs(10),
            first_retry: Duration::from_millis(500),
            longest_retry: Duration::from_secs(15),
            attempts: None,
            flush_within: Duration::from_secs(2),
            queue: 256,
            events: 256,
            message_bytes: MAX_MESSAGE_BYTES,
        }
    }
}

impl ClientSettings {
    /// The wait after `failures` failed attempts in a row; 0 stands for a connection that was lost.
    pub(super) fn retry_after(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        self.first_retry.saturating_mul(1 << doublings).min(self.longest_retry)
    }
}

impl<F, Connecting, S> Connector for F
where
    F: FnMut() -> Connecting + Send + 'static,
    Connecting: Future<Output = io::Result<S>> + Send,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = S;

    fn connect(&mut self) -> impl Future<Output = io::Result<S>> + Send {
        self()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_double_up_to_the_longest() {
        let settings = ClientSettings::default();
        let waits = [0, 1, 2, 3, 5, 6, 40].map(|failures| settings.retry_after(failures).as_millis());
        assert_eq!(waits, [500, 500, 1000, 2000, 8000, 15_000, 15_000]);
    }
}
