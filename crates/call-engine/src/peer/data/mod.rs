//! Data channels: an ordered and an unordered one, with messages that wait for them.
//!
//! Backpressure: an application that writes faster than the link carries fills two places, and both are bounded.
//! What was handed to a channel and is not acknowledged yet ([`DataSettings::buffered_bytes`]) is `bufferedAmount`
//! of W3C webrtc-pc §6.2, counted by `webrtc` 0.21.1 from the hand-over on (`outstanding_bytes`). At that mark the
//! engine holds messages back ([`DataSettings::queue`]), and goes on with each acknowledgement that makes room. What
//! finds no place there is refused.

mod outbox;
mod sender;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rtc::shared::error::Result;
use serde::Serialize;
use webrtc::{
    data_channel::{DataChannel, DataChannelEvent, RTCDataChannelInit, RTCDataChannelState},
    runtime::Notify,
};

pub(crate) use self::outbox::Outbox;
use self::sender::Sender;
use super::Peer;
use crate::{DataMessage, Delivery, EngineEvent, Observer};

/// Why a message was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DataRefusal {
    /// Too many wait already ([`DataSettings::queue`](crate::DataSettings::queue)).
    QueueFull,
    /// It is longer than the other side takes (`max-message-size`, RFC 8841 §6).
    TooLong,
}

/// `too many wait`, `it is too long`.
impl fmt::Display for DataRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::QueueFull => "too many wait",
            Self::TooLong => "it is too long",
        })
    }
}

/// A data channel that the other side opened and that is none of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the data channel {label} is none of ours")]
pub(crate) struct ForeignChannel {
    /// Its label.
    pub(crate) label: String,
}

impl Peer {
    /// Opens both channels, which the other side is told of in-band (RFC 8832). Channels that both sides
    /// open by themselves (`negotiated`) would save that, but `webrtc` 0.21.1 loses what arrives on one
    /// before its own SCTP handshake is complete.
    pub(crate) async fn open_data(&mut self, outbox: &Arc<Outbox>) -> Result<()> {
        for delivery in Delivery::ALL.iter().copied() {
            let ordered = delivery == Delivery::Ordered;
            let init = RTCDataChannelInit { ordered, ..RTCDataChannelInit::default() };
            let channel = self.connection.create_data_channel(delivery.as_str(), Some(init)).await?;
            self.serve_data(delivery, channel, outbox);
        }
        self.negotiation.changed();
        Ok(())
    }

    /// The other side opened a channel.
    ///
    /// # Errors
    /// A channel that is none of ours.
    pub(crate) async fn accept_data(
        &mut self,
        channel: &Arc<dyn DataChannel>,
        outbox: &Arc<Outbox>,
    ) -> std::result::Result<(), ForeignChannel> {
        let label = channel.label().await.unwrap_or_default();
        let delivery = Delivery::from_word(&label).ok_or(ForeignChannel { label })?;
        self.serve_data(delivery, channel.clone(), outbox);
        Ok(())
    }

    /// Whether there is a channel to send on.
    pub(crate) fn has_data(&self) -> bool {
        !self.data_served.is_empty()
    }

    /// Starts the tasks of a channel. The first one of its kind is sent on; should both sides have opened
    /// one, both are listened to.
    fn serve_data(&mut self, delivery: Delivery, channel: Arc<dyn DataChannel>, outbox: &Arc<Outbox>) {
        let gate = Arc::new(Opening::default());
        let receiving = receive(delivery, channel.clone(), gate.clone(), self.observer.clone());
        self.tasks.push(self.runtime.spawn(Box::pin(receiving)));
        if !self.data_served.contains(&delivery) {
            self.data_served.push(delivery);
            let observer = self.observer.clone();
            let sender = Sender { delivery, channel, outbox: outbox.clone(), observer, held_back: false };
            self.tasks.push(self.runtime.spawn(Box::pin(sender.run(gate))));
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
            DataChannelEvent::OnMessage(message) => {
                observer.on_data(delivery, &DataMessage::received(message.is_string, &message.data));
            }
            DataChannelEvent::OnClose => {
                return observer.on_event(EngineEvent::DataChannelClosed { delivery });
            }
            _ => {}
        }
    }
}
