//! The queue in which messages wait for their channel.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use webrtc::runtime::Notify;

use crate::{DataMessage, DataSettings, Delivery};

/// The messages of a call that wait for its data channels. They outlive a peer connection, so that one
/// that was not handed over yet goes out on the next.
#[derive(Debug)]
pub(crate) struct Outbox {
    lanes: [Lane; 2],
    /// [`DataSettings::buffered_bytes`].
    pub(super) buffered_bytes: usize,
}

/// The messages of one channel.
#[derive(Debug)]
pub(super) struct Lane {
    limit: usize,
    waiting: Mutex<VecDeque<DataMessage>>,
    changed: Notify,
}

impl Outbox {
    pub(crate) fn new(settings: DataSettings) -> Self {
        let lane = || Lane { limit: settings.queue, waiting: Mutex::default(), changed: Notify::new() };
        Self { lanes: [lane(), lane()], buffered_bytes: settings.buffered_bytes }
    }

    /// Keeps a message until its channel takes it. False where as many wait as may.
    pub(crate) fn push(&self, delivery: Delivery, message: DataMessage) -> bool {
        let lane = self.lane(delivery);
        let mut waiting = lane.waiting();
        if waiting.len() >= lane.limit {
            return false;
        }
        waiting.push_back(message);
        lane.changed.notify_waiters();
        true
    }

    pub(super) const fn lane(&self, delivery: Delivery) -> &Lane {
        match delivery {
            Delivery::Ordered => &self.lanes[0],
            Delivery::Unordered => &self.lanes[1],
        }
    }
}

impl Lane {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<DataMessage>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The oldest message was handed over, or refused. True where no other waits.
    pub(super) fn drop_oldest(&self) -> bool {
        let mut waiting = self.waiting();
        waiting.pop_front();
        waiting.is_empty()
    }

    /// The oldest message, once there is one. It stays.
    pub(super) async fn oldest(&self) -> DataMessage {
        loop {
            let changed = self.changed.listen();
            if let Some(message) = self.waiting().front() {
                return message.clone();
            }
            changed.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;

    #[test]
    fn an_outbox_is_bounded_and_keeps_what_was_not_handed_over() {
        let outbox = Outbox::new(DataSettings { queue: 2, buffered_bytes: 1 });
        assert!(outbox.push(Delivery::Ordered, vec![1].into()));
        assert!(outbox.push(Delivery::Ordered, vec![2].into()));
        assert!(!outbox.push(Delivery::Ordered, vec![3].into()), "a third message waits");
        assert!(outbox.push(Delivery::Unordered, vec![4].into()), "the lanes have room of their own");
        let lane = outbox.lane(Delivery::Ordered);
        assert_eq!(block_on(lane.oldest()).as_bytes(), [1]);
        assert_eq!(block_on(lane.oldest()).as_bytes(), [1], "it stays until it is handed over");
        assert!(!lane.drop_oldest(), "the second one waits");
        assert_eq!(block_on(lane.oldest()).as_bytes(), [2]);
        assert!(lane.drop_oldest());
    }
}
