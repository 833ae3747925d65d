//! The task that hands messages to a channel, and holds them back where as much is buffered as may.

use std::sync::Arc;

use bytes::BytesMut;
use rtc::shared::error::{Error, Result};
use webrtc::data_channel::DataChannel;

use super::{DataRefusal, Opening, Outbox, outbox::Lane};
use crate::{DataMessage, Delivery, EngineEvent, Observer};

/// Hands the messages of a lane over one by one, each when its channel has room for it.
pub(super) struct Sender {
    pub(super) delivery: Delivery,
    pub(super) channel: Arc<dyn DataChannel>,
    pub(super) outbox: Arc<Outbox>,
    pub(super) observer: Arc<dyn Observer>,
    /// The application was told that messages are held back.
    pub(super) held_back: bool,
}

impl Sender {
    /// A message that is longer than the other side takes is refused, as `send()` does (W3C webrtc-pc §6.2),
    /// and holds up no other.
    pub(super) async fn run(mut self, gate: Arc<Opening>) {
        gate.wait().await;
        let delivery = self.delivery;
        loop {
            let message = self.lane().oldest().await;
            match self.hand_over(&message).await {
                Ok(()) => {}
                Err(Error::ErrOutboundPacketTooLarge) => {
                    self.tell(EngineEvent::DataRefused { delivery, why: DataRefusal::TooLong });
                }
                // What was not handed over stays for the next peer connection.
                Err(error) => {
                    let what = format!("the {delivery} data channel takes no messages: {error}");
                    return self.tell(EngineEvent::Problem { what });
                }
            }
            if self.lane().drop_oldest() && std::mem::take(&mut self.held_back) {
                self.tell(EngineEvent::DataCaughtUp { delivery });
            }
        }
    }

    async fn hand_over(&mut self, message: &DataMessage) -> Result<()> {
        let delivery = self.delivery;
        let buffered = self.channel.outstanding_bytes().await?;
        if buffered >= self.outbox.buffered_bytes && !std::mem::replace(&mut self.held_back, true) {
            self.tell(EngineEvent::DataHeldBack { delivery, buffered });
        }
        match message {
            DataMessage::Text(text) => self.channel.send_text(text).await?,
            DataMessage::Binary(bytes) => self.channel.send(BytesMut::from(&bytes[..])).await?,
        }
        // A channel that closes right after has taken the message all the same.
        if let Ok(buffered) = self.channel.outstanding_bytes().await {
            self.observer.on_data_buffered(delivery, buffered);
        }
        Ok(())
    }

    fn lane(&self) -> &Lane {
        self.outbox.lane(self.delivery)
    }

    fn tell(&self, event: EngineEvent) {
        self.observer.on_event(event);
    }
}
