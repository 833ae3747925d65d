//! What handle and task share.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use super::ledger::Ledger;
use crate::handle::Queue;

#[derive(Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    ledger: Ledger,
    /// Whether nobody sends any more.
    ended: bool,
}

impl Shared {
    /// Asks the ledger something, or tells it.
    pub(super) fn with<T>(&self, ask: impl FnOnce(&mut Ledger) -> T) -> T {
        ask(&mut self.state().ledger)
    }

    pub(super) fn end(&self) {
        self.state().ended = true;
    }

    /// Whoever waits for [`Shared::changed`] is to look again.
    pub(super) fn wake(&self) {
        self.changed.notify_one();
    }

    /// Resolves after [`Shared::wake`]; at once where that happened since the last time. For one caller
    /// at a time: whoever sends.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue for Shared {
    fn push(&self, id: u64, message: Bytes, limit: usize) -> bool {
        let pushed = self.with(|ledger| ledger.push(id, message, limit));
        self.wake();
        pushed
    }

    fn has_ended(&self) -> bool {
        self.state().ended
    }

    fn longest(&self, own: usize) -> usize {
        self.with(|ledger| ledger.longest(own))
    }

    fn closing(&self) {
        self.wake();
    }
}
