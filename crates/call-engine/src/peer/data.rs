//! Data channels: an ordered and an unordered one, with messages that wait for them.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::BytesMut;
use rtc::shared::error::Result;
use webrtc::{
    data_channel::{DataChannel, DataChannelEvent, RTCDataChannelInit, RTCDataChannelState},
    runtime::Notify,
};

use super::Peer;
use crate::{DataSettings, EngineEvent, Observer};

/// In which order messages arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Delivery {
    /// As they were sent; one that is lost holds up the others until it is there.
    Ordered,
    /// As they come. None is lost.
    Unordered,
}

/// `ordered`, `unordered`.
impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ordered => "ordered",
            Self::Unordered => "unordered",
        })
    }
}

/// The messages of a call that wait for its data channels. They outlive a peer connection, so that one
/// that was not handed over yet goes out on the next.
#[derive(Debug)]
pub(crate) struct Outbox {
    lanes: [Lane; 2],
}

#[derive(Debug)]
struct Lane {
    limit: usize,
    waiting: Mutex<VecDeque<Vec<u8>>>,
    changed: Notify,
}

impl Delivery {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Ordered, Self::Unordered];

    /// The label of its channel.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ordered => "ordered",
            Self::Unordered => "unordered",
        }
    }

    fn of_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|delivery| delivery.as_str() == label)
    }
}

impl Outbox {
    pub(crate) fn new(settings: DataSettings) -> Self {
        let lane = || Lane { limit: settings.queue, waiting: Mutex::default(), changed: Notify::new() };
        Self { lanes: [lane(), lane()] }
    }

    /// Keeps a message until its channel takes it. False where as many wait as may.
    pub(crate) fn push(&self, delivery: Delivery, message: Vec<u8>) -> bool {
        let lane = self.lane(delivery);
        let mut waiting = lane.waiting();
        if waiting.len() >= lane.limit {
            return false;
        }
        waiting.push_back(message);
        lane.changed.notify_waiters();
        true
    }

    const fn lane(&self, delivery: Delivery) -> &Lane {
        match delivery {
            Delivery::Ordered => &self.lanes[0],
            Delivery::Unordered => &self.lanes[1],
        }
    }
}

impl Lane {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Vec<u8>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn oldest(&self) -> Vec<u8> {
        loop {
            let changed = self.changed.listen();
            if let Some(message) = self.waiting().front() {
                return message.clone();
            }
            changed.await;
        }
    }
}

impl Peer {
    /// Opens both channels, which the other side is told of in-band (RFC 8832). Channels that both sides
    /// open by themselves (`negotiated`) would save that, but `webrtc` 0.21.1 loses what arrives on one
    /// before its own SCTP handshake is complete.
    pub(crate) async fn open_data(&mut self, outbox: &Arc<Outbox>) -> Result<()> {
        for delivery in Delivery::ALL {
            let ordered = delivery == Delivery::Ordered;
            let init = RTCDataChannelInit { ordered, ..RTCDataChannelInit::default() };
            let channel = self.connection.create_data_channel(delivery.as_str(), Some(init)).await?;
            self.serve_data(delivery, channel, outbox);
        }
        self.negotiation.changed();
        Ok(())
    }

    /// The other side opened a channel: false where it is none of ours.
    pub(crate) async fn accept_data(&mut self, channel: Arc<dyn DataChannel>, outbox: &Arc<Outbox>) -> bool {
        let Some(delivery) = channel.label().await.ok().and_then(|label| Delivery::of_label(&label)) else {
            return false;
        };
        self.serve_data(delivery, channel, outbox);
        true
    }

    /// Starts the tasks of a channel. The first one of its kind is sent on; should both sides have opened
    /// one, both are listened to.
    fn serve_data(&mut self, delivery: Delivery, channel: Arc<dyn DataChannel>, outbox: &Arc<Outbox>) {
        let gate = Arc::new(Opening::default());
        let receiving = receive(delivery, channel.clone(), gate.clone(), self.observer.clone());
        self.tasks.push(self.runtime.spawn(Box::pin(receiving)));
        if !self.data_served.contains(&delivery) {
            self.data_served.push(delivery);
            let sending = send(delivery, channel, gate, outbox.clone(), self.observer.clone());
            self.tasks.push(self.runtime.spawn(Box::pin(sending)));
        }
    }
}

/// Whether a channel is open.
#[derive(Default)]
struct Opening {
    open: AtomicBool,
    changed: Notify,
}

impl Opening {
    /// True where it was not open before.
    fn set(&self) -> bool {
        let was_open = self.open.swap(true, Ordering::Relaxed);
        self.changed.notify_waiters();
        !was_open
    }

    async fn wait(&self) {
        loop {
            let changed = self.changed.listen();
            if self.open.load(Ordering::Relaxed) {
                return;
            }
            changed.await;
        }
    }
}

async fn receive(
    delivery: Delivery,
    channel: Arc<dyn DataChannel>,
    gate: Arc<Opening>,
    observer: Arc<dyn Observer>,
) {
    // One that the other side opened is open already.
    if matches!(channel.ready_state().await, Ok(RTCDataChannelState::Open)) && gate.set() {
        observer.on_event(EngineEvent::DataChannelOpen { delivery });
    }
    while let Some(event) = channel.poll().await {
        match event {
            DataChannelEvent::OnOpen if gate.set() => {
                observer.on_event(EngineEvent::DataChannelOpen { delivery });
            }
            DataChannelEvent::OnMessage(message) => observer.on_data(delivery, &message.data),
            DataChannelEvent::OnClose => {
                return observer.on_event(EngineEvent::DataChannelClosed { delivery });
            }
            _ => {}
        }
    }
}

/// Hands messages over one by one, each when the channel has room for it.
async fn send(
    delivery: Delivery,
    channel: Arc<dyn DataChannel>,
    gate: Arc<Opening>,
    outbox: Arc<Outbox>,
    observer: Arc<dyn Observer>,
) {
    gate.wait().await;
    let lane = outbox.lane(delivery);
    loop {
        let message = lane.oldest().await;
        if let Err(error) = channel.send(BytesMut::from(message.as_slice())).await {
            // What was not handed over stays for the next peer connection.
            let what = format!("the {} data channel takes no messages: {error}", delivery.as_str());
            return observer.on_event(EngineEvent::Problem { what });
        }
        lane.waiting().pop_front();
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;

    #[test]
    fn an_outbox_is_bounded_and_keeps_what_was_not_handed_over() {
        let outbox = Outbox::new(DataSettings { queue: 2, buffered_bytes: 1 });
        assert!(outbox.push(Delivery::Ordered, vec![1]));
        assert!(outbox.push(Delivery::Ordered, vec![2]));
        assert!(!outbox.push(Delivery::Ordered, vec![3]), "a third message waits");
        assert!(outbox.push(Delivery::Unordered, vec![4]), "the lanes have room of their own");
        let lane = outbox.lane(Delivery::Ordered);
        assert_eq!(block_on(lane.oldest()), [1]);
        assert_eq!(block_on(lane.oldest()), [1], "it stays until it is handed over");
        lane.waiting().pop_front();
        assert_eq!(block_on(lane.oldest()), [2]);
    }
}
