//! What the engine of a pair sees of the mesh: a transport to one other participant, and an observer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::{
    StreamExt as _,
    channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded},
};
use signaller::{
    Outgoing, ParticipantId, Transport, TransportError, TransportEvent, transport::TransportFuture,
};

use rtc::rtp;

use crate::{
    CallState, DataMessage, Delivery, EngineEvent, MediaKind, Observer, ReceivedFrame, ReceivedPacket,
    RemoteTrack, State, Statistics,
};

/// The way of one pair's messages through the transport of its mesh.
pub(super) struct PairTransport {
    pub(super) outgoing: Line,
    pub(super) incoming: UnboundedReceiver<TransportEvent>,
}

/// The messages of all pairs on their way to the transport of their mesh.
///
/// A pair reports a message with its number before that transport has given it one. The transport counts what it
/// accepts, so the number is foreseen: it is wrong only where the transport refuses one of the messages in line, or
/// where somebody else sends through it meanwhile.
#[derive(Clone)]
pub(super) struct Line {
    numbers: Arc<Mutex<Numbers>>,
    outgoing: UnboundedSender<Outgoing>,
}

#[derive(Debug, Default)]
struct Numbers {
    /// The newest number that the transport gave.
    given: u64,
    in_line: u64,
}

impl Line {
    /// Where messages go, and where they come out.
    pub(super) fn new() -> (Self, UnboundedReceiver<Outgoing>) {
        let (outgoing, waiting) = unbounded();
        (Self { numbers: Arc::default(), outgoing }, waiting)
    }

    /// Puts a message in line; the number that it will get.
    fn push(&self, outgoing: Outgoing) -> Result<u64, TransportError> {
        let mut numbers = self.numbers();
        self.outgoing.unbounded_send(outgoing).map_err(|_| TransportError::Closed)?;
        numbers.in_line += 1;
        Ok(numbers.given + numbers.in_line)
    }

    /// A message came out.
    pub(super) fn came_out(&self) {
        let mut numbers = self.numbers();
        numbers.in_line = numbers.in_line.saturating_sub(1);
    }

    /// The transport gave a message this number.
    pub(super) fn given(&self, number: u64) {
        self.numbers().given = number;
    }

    fn numbers(&self) -> MutexGuard<'_, Numbers> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for PairTransport {
    fn send(&mut self, outgoing: Outgoing) -> Result<u64, TransportError> {
        self.outgoing.push(outgoing)
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
        let news = match &event {
            EngineEvent::IncomingCall { .. } => Some(News::Rings),
            EngineEvent::StateChanged { to: State::Call(CallState::Connecting), .. } => Some(News::HasMedia),
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

    fn on_rtp(&self, track: &RemoteTrack, packet: &rtp::Packet) {
        self.inner.on_rtp(track, packet);
    }

    fn on_frame_received(&self, frame: ReceivedFrame) {
        self.inner.on_frame_received(frame);
    }

    fn on_data(&self, delivery: Delivery, message: &DataMessage) {
        self.inner.on_data(delivery, message);
    }

    fn on_data_buffered(&self, delivery: Delivery, bytes: usize) {
        self.inner.on_data_buffered(delivery, bytes);
    }

    fn on_statistics(&self, statistics: Statistics) {
        self.inner.on_statistics(statistics);
    }
}

#[cfg(test)]
mod tests {
    use signaller::Message;

    use super::*;

    #[test]
    fn numbers_are_those_that_the_transport_gives() {
        let (line, mut waiting) = Line::new();
        let push = || line.push(Outgoing { call: "c".into(), to: "bob".into(), body: Message::Ringing });
        let mut comes_out = || {
            waiting.try_recv().expect("one is in line");
            line.came_out();
        };
        assert_eq!([push(), push()], [Ok(1), Ok(2)]);
        comes_out();
        line.given(1);
        assert_eq!(push(), Ok(3));
        // The second one is refused, so that its number goes to the third one.
        comes_out();
        comes_out();
        line.given(2);
        assert_eq!(push(), Ok(3));
        // The mesh itself sends one.
        comes_out();
        line.given(3);
        line.given(4);
        assert_eq!(push(), Ok(5));
    }
}
