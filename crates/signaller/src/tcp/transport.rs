use std::sync::Arc;

use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time,
};

use super::{ClientSettings, Connector, Identity, outbox::Outbox, session::Client};
use crate::{
    message::{Envelope, Kind, MAX_ID, ParticipantId, VERSION},
    transport::{Outgoing, Transport, TransportError, TransportEvent, TransportFuture},
};

/// A participant's transport over byte streams. One task owns the stream, joins on each new one, and
/// connects again when one is lost; it ends when the transport is closed or dropped.
///
/// What was handed over is kept until it was written, across reconnects. A message that was written to
/// a connection which then died is lost.
pub struct TcpTransport {
    participant: ParticipantId,
    settings: ClientSettings,
    next_id: u64,
    outbox: Arc<Outbox>,
    events: mpsc::Receiver<TransportEvent>,
    closing: watch::Sender<bool>,
    /// `None` once it has ended.
    task: Option<JoinHandle<()>>,
}

impl TcpTransport {
    /// Starts to connect at once. Needs to be called within a tokio runtime with time.
    pub fn spawn(identity: Identity, settings: ClientSettings, connector: impl Connector) -> Self {
        let participant = identity.participant.clone();
        let outbox = Arc::new(Outbox::default());
        let (event_sender, events) = mpsc::channel(settings.events.max(1));
        let (closing, is_closing) = watch::channel(false);
        let client = Client {
            identity,
            settings,
            outbox: Arc::clone(&outbox),
            events: event_sender,
            closing: is_closing,
        };
        let task = Some(tokio::spawn(client.run(connector)));
        Self { participant, settings, next_id: 1, outbox, events, closing, task }
    }

    fn envelope(&self, outgoing: Outgoing) -> Envelope {
        let Outgoing { call, to, body } = outgoing;
        Envelope { version: VERSION, id: self.next_id, call, from: self.participant.clone(), to, body }
    }
}

impl Transport for TcpTransport {
    fn send(&mut self, outgoing: Outgoing) -> Result<u64, TransportError> {
        let kind = Kind::of(&outgoing.body);
        if *self.closing.borrow() || self.outbox.has_ended() || self.next_id > MAX_ID {
            return Err(TransportError::Closed);
        }
        if kind.is_for_relay() {
            return Err(TransportError::NotAllowed { kind });
        }
        let json = self.envelope(outgoing).to_json();
        let (size, limit) = (json.len(), self.settings.message_bytes);
        if size > limit {
            return Err(TransportError::TooLarge { size, limit });
        }
        if !self.outbox.push(json.into(), self.settings.queue) {
            return Err(TransportError::QueueFull { limit: self.settings.queue });
        }
        let id = self.next_id;
        self.next_id += 1;
        Ok(id)
    }

    fn recv(&mut self) -> TransportFuture<'_, Option<TransportEvent>> {
        Box::pin(self.events.recv())
    }

    fn close(&mut self) -> TransportFuture<'_, ()> {
        Box::pin(async move {
            self.closing.send_replace(true);
            let Some(task) = self.task.as_mut() else { return };
            if time::timeout(self.settings.flush_within, &mut *task).await.is_err() {
                task.abort();
                // It ends with "cancelled", which is what was asked for.
                let _ = task.await;
            }
            self.task = None;
        })
    }
}

impl Drop for TcpTransport {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}
