use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::sync::Notify;

/// What handle and task share.
#[derive(Default)]
pub(super) struct Outbox {
    state: Mutex<OutboxState>,
    filled: Notify,
}

#[derive(Default)]
struct OutboxState {
    /// Messages that were not written yet, oldest first.
    waiting: VecDeque<Bytes>,
    /// Whether nobody sends them any more.
    ended: bool,
}

impl Outbox {
    /// Puts a message in line, unless `limit` messages stand there.
    pub(super) fn push(&self, message: Bytes, limit: usize) -> bool {
        let mut state = self.state();
        if state.waiting.len() >= limit {
            return false;
        }
        state.waiting.push_back(message);
        drop(state);
        self.filled.notify_one();
        true
    }

    pub(super) fn has_ended(&self) -> bool {
        self.state().ended
    }

    pub(super) fn first(&self) -> Option<Bytes> {
        self.state().waiting.front().cloned()
    }

    pub(super) fn remove_first(&self) {
        self.state().waiting.pop_front();
    }

    pub(super) fn end(&self) {
        self.state().ended = true;
    }

    /// Resolves after a message was put in line; at once where that happened since the last time.
    pub(super) async fn filled(&self) {
        self.filled.notified().await;
    }

    fn state(&self) -> MutexGuard<'_, OutboxState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
