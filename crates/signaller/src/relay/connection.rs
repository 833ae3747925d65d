use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Notify;

use super::{ConnectionId, Entry, Next, Refusal, SharedRelay, Welcome};
use crate::message::ErrorCode;

/// One client's connection to a [`SharedRelay`], without the bytes' way to it: what an endpoint drives.
/// Dropping it ends it.
pub struct RelayConnection {
    relay: SharedRelay,
    id: ConnectionId,
    wake: Arc<Notify>,
}

impl RelayConnection {
    pub(super) fn new(relay: SharedRelay, id: ConnectionId, wake: Arc<Notify>) -> Self {
        Self { relay, id, wake }
    }

    /// The client says who it is; it acknowledges what it gets from here on. Not for framed TCP, which
    /// joins with its first message.
    ///
    /// # Errors
    /// As for [`Relay::enter`](super::Relay::enter).
    pub fn enter(&self, entry: &Entry) -> Result<Welcome, Refusal> {
        self.relay.act_for(|relay| relay.enter(self.id, entry))
    }

    /// The client has applied everything up to `cursor`.
    pub fn acknowledge(&self, cursor: u64) {
        self.relay.ask(|relay| relay.acknowledge(self.id, cursor));
    }

    /// The highest id that the relay has from this client.
    pub fn confirmed(&self) -> u64 {
        self.relay.ask(|relay| relay.confirmed(self.id))
    }

    /// What waits for a client that polls, as soon as something does: no more than `bytes`, but at least
    /// one message. `None` when the connection is to be closed. Cancel-safe; for one caller at a time.
    pub async fn mail(&self, bytes: usize) -> Option<Vec<(u64, Bytes)>> {
        loop {
            let (mail, is_closing) = self.relay.tell(|relay| {
                let (mail, written) = relay.mail(self.id, bytes);
                ((mail, relay.is_closing(self.id)), written)
            });
            if is_closing {
                return None;
            }
            if !mail.is_empty() {
                return Some(mail);
            }
            self.wake.notified().await;
        }
    }

    /// The client sent one message.
    pub fn receive(&self, bytes: &[u8]) {
        self.relay.act(|relay| relay.handle(self.id, bytes));
    }

    /// The client sent something that is no message at all: it is told why.
    pub(crate) fn refuse(&self, code: ErrorCode, reason: String) {
        self.relay.act(|relay| relay.refuse_input(self.id, Refusal { code, reason }));
    }

    /// Whether the connection is to be closed as soon as its answers are written.
    pub(crate) fn is_closing(&self) -> bool {
        self.relay.ask(|relay| relay.is_closing(self.id))
    }

    /// The client announced a message that is longer than the relay accepts, and the next one cannot be
    /// found.
    pub(crate) fn receive_oversized(&self) {
        self.relay.act(|relay| relay.handle_oversized(self.id));
    }

    /// The client sends nothing more. [`RelayConnection::next`] gives the answers that are left, then
    /// `None`.
    pub fn finish(&self) {
        self.relay.act(|relay| relay.finish(self.id));
    }

    /// The next message for a client that does not acknowledge, `None` when the connection is to be
    /// closed. Gives the same message until [`RelayConnection::written`] is called. Cancel-safe; for one
    /// caller at a time.
    pub async fn next(&self) -> Option<Bytes> {
        loop {
            match self.next_for_acknowledgement().await? {
                Next::Message(bytes) => return Some(bytes),
                Next::Mail { message, .. } => return Some(message),
                Next::Confirmed { .. } | Next::Wait | Next::Close => self.written(),
            }
        }
    }

    /// What is next to be written to a client that acknowledges: an answer of the relay, mail, or a
    /// confirmation; `None` when the connection is to be closed. Otherwise as [`RelayConnection::next`].
    pub(crate) async fn next_for_acknowledgement(&self) -> Option<Next> {
        loop {
            match self.relay.ask(|relay| relay.next(self.id)) {
                Next::Wait => self.wake.notified().await,
                Next::Close => return None,
                next => {
                    self.stored().await;
                    return Some(next);
                }
            }
        }
    }

    /// Resolves when everything that the relay knows now is written down, where it has a
    /// [`Journal`](super::Journal): what a client is told must be true after a power loss as well. Whoever answers
    /// a client with more than [`RelayConnection::next_for_acknowledgement`] gives waits for it first.
    pub(crate) async fn stored(&self) {
        self.relay.stored().await;
    }

    /// Resolves when the journal is not too far behind to take more from this client.
    pub async fn has_room(&self) {
        self.relay.journal_has_room().await;
    }

    /// The answers of the relay that wait now, which are thereby taken: for a connection that only
    /// sends.
    pub fn answers(&self) -> Vec<Bytes> {
        self.relay.ask(|relay| {
            let mut answers = Vec::new();
            while let Next::Message(answer) = relay.next(self.id) {
                // An answer is no mail: nothing is to be done.
                let _nothing = relay.written(self.id);
                answers.push(answer);
            }
            answers
        })
    }

    /// What was given out last was written.
    pub fn written(&self) {
        self.relay.tell(|relay| ((), relay.written(self.id)));
    }
}

impl Drop for RelayConnection {
    fn drop(&mut self) {
        self.relay.disconnect(self.id);
    }
}
