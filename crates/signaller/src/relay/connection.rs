use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Notify;

use super::{ConnectionId, Next, SharedRelay};

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

    /// The client sent one message.
    pub fn receive(&self, bytes: &[u8]) {
        self.relay.act(|relay| relay.handle(self.id, bytes));
    }

    /// The client announced a message that is longer than the relay accepts, and the next one cannot be
    /// found.
    pub fn receive_oversized(&self) {
        self.relay.act(|relay| relay.handle_oversized(self.id));
    }

    /// The client sends nothing more. [`RelayConnection::next`] gives the answers that are left, then
    /// `None`.
    pub fn finish(&self) {
        self.relay.act(|relay| relay.finish(self.id));
    }

    /// The next message for the client, `None` when the connection is to be closed. Gives the same
    /// message until [`RelayConnection::written`] is called. Cancel-safe; for one caller at a time.
    pub async fn next(&self) -> Option<Bytes> {
        loop {
            match self.relay.ask(|relay| relay.next(self.id)) {
                Next::Message(bytes) => return Some(bytes),
                Next::Wait => self.wake.notified().await,
                Next::Close => return None,
            }
        }
    }

    /// The message that [`RelayConnection::next`] gave was written.
    pub fn written(&self) {
        self.relay.ask(|relay| relay.written(self.id));
    }
}

impl Drop for RelayConnection {
    fn drop(&mut self) {
        self.relay.disconnect(self.id);
    }
}
