use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::sync::Notify;

use crate::handle::Queue;

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

impl Queue for Outbox {
    fn push(&self, _id: u64, message: Bytes, limit: usize) -> bool {
        let mut state = self.state();
        if state.waiting.len() >= limit {
            return false;
        }
        state.waiting.push_back(message);
        drop(state);
        self.filled.notify_one();
        true
    }

    fn has_ended(&self) -> bool {
        self.state().ended
    }

    fn longest(&self, own: usize) -> usize {
        own
    }

    /// The task hears of it by itself.
    fn closing(&self) {}
}
