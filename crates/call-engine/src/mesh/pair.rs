//! What the engine of a pair sees of the mesh: a transport to one other participant, and an observer.

use std::sync::Arc;

use futures::{
    StreamExt as _,
    channel::mpsc::{UnboundedReceiver, UnboundedSender},
};
use signaller::{
    Outgoing, ParticipantId, Transport, TransportError, TransportEvent, transport::TransportFuture,
};

use crate::{
    CallState, EngineEvent, MediaKind, Observer, ReceivedPacket, StateMachine, Statistics, peer::Delivery,
};

/// The way of one pair's messages through the transport of its mesh.
pub(super) struct PairTransport {
    /// How many messages were handed over.
    pub(super) count: u64,
    pub(super) outgoing: UnboundedSender<Outgoing>,
    pub(super) incoming: UnboundedReceiver<TransportEvent>,
}

impl Transport for PairTransport {
    /// The id counts this pair's messages; the envelope gets that of the mesh's transport.
    fn send(&mut self, outgoing: Outgoing) -> Result<u64, TransportError> {
        self.outgoing.unbounded_send(outgoing).map_err(|_| TransportError::Closed)?;
        self.count += 1;
        Ok(self.count)
    }

    fn recv(&mut self) -> TransportFuture<'_, Option<TransportEvent>> {
        Box::pin(self.incoming.next())
    }

    fn close(&mut self) -> TransportFuture<'_, ()> {
        Box::pin(async { self.incoming.close() })
    }
}

/// What a mesh has to know of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// It rings.
    Rings,
    /// Its devices are open.
    HasMedia,
    /// Its call is over.
    Released,
}

/// Tells the mesh what it has to know, and the application everything.
pub(super) struct Watch {
    pub(super) remote: ParticipantId,
    pub(super) inner: Arc<dyn Observer>,
    pub(super) news: UnboundedSender<(ParticipantId, News)>,
}

impl Observer for Watch {
    fn on_event(&self, event: EngineEvent) {
        let is_connecting = |to: &str| to == CallState::Connecting.as_str();
        let news = match &event {
            EngineEvent::IncomingCall { .. } => Some(News::Rings),
            EngineEvent::StateChanged { machine: StateMachine::Call, to, .. } if is_connecting(to) => {
                Some(News::HasMedia)
            }
            EngineEvent::Released { .. } => Some(News::Released),
            _ => None,
        };
        self.inner.on_event(event);
        if let Some(news) = news {
            // A mesh that is gone does not ask.
            let _ = self.news.unbounded_send((self.remote.clone(), news));
        }
    }

    fn on_frame_sent(&self, kind: MediaKind, bytes: usize) {
        self.inner.on_frame_sent(kind, bytes);
    }

    fn on_packet_received(&self, packet: ReceivedPacket) {
        self.inner.on_packet_received(packet);
    }

    fn on_data(&self, delivery: Delivery, message: &[u8]) {
        self.inner.on_data(delivery, message);
    }

    fn on_data_buffered(&self, delivery: Delivery, bytes: usize) {
        self.inner.on_data_buffered(delivery, bytes);
    }

    fn on_statistics(&self, statistics: Statistics) {
        self.inner.on_statistics(statistics);
    }
}
