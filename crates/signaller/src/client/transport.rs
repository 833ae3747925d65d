use std::sync::{Arc, Mutex, atomic::AtomicBool};

use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time,
};

use super::{
    Connector, FallbackSettings, Identity, Jitter, Target, session::Client, shared::Shared, ways::Ways,
};
use crate::{
    message::{Envelope, Kind, MAX_ID, ParticipantId, VERSION},
    transport::{Outgoing, Transport, TransportError, TransportEvent, TransportFuture},
};

/// A participant's transport over WebSocket or REST, whichever gets through. One task owns all
/// connections; it ends when the transport is closed or dropped.
///
/// What was handed over is kept until the relay has confirmed it. A message that the relay refuses
/// comes back as an `error` with its id.
pub struct FallbackTransport {
    participant: ParticipantId,
    settings: FallbackSettings,
    next_id: u64,
    shared: Arc<Shared>,
    events: mpsc::Receiver<TransportEvent>,
    closing: watch::Sender<bool>,
    /// `None` once it has ended.
    task: Option<JoinHandle<()>>,
}

impl FallbackTransport {
    /// Starts to connect at once. Needs to be called within a tokio runtime with time. `connector` makes
    /// a fresh stream to the relay for each connection, of which there may be three at a time.
    pub fn spawn(
        identity: Identity,
        target: Target,
        settings: FallbackSettings,
        jitter: Jitter,
        connector: impl Connector,
    ) -> Self {
        let participant = identity.participant.clone();
        let shared = Arc::new(Shared::default());
        let (event_sender, events) = mpsc::channel(settings.events.max(1));
        let (closing, is_closing) = watch::channel(false);
        let client = Client {
            identity,
            target,
            settings,
            shared: Arc::clone(&shared),
            events: event_sender,
            closing: is_closing,
            up: AtomicBool::new(false),
            ways: Mutex::new(Ways::new(settings)),
            jitter: Mutex::new(jitter),
            connector: tokio::sync::Mutex::new(connector),
        };
        let task = Some(tokio::spawn(client.run()));
        Self { participant, settings, next_id: 1, shared, events, closing, task }
    }

    fn envelope(&self, outgoing: Outgoing) -> Envelope {
        let Outgoing { call, to, body } = outgoing;
        Envelope { version: VERSION, id: self.next_id, call, from: self.participant.clone(), to, body }
    }
}

impl Transport for FallbackTransport {
    fn send(&mut self, outgoing: Outgoing) -> Result<u64, TransportError> {
        let kind = Kind::of(&outgoing.body);
        if *self.closing.borrow() || self.shared.has_ended() || self.next_id > MAX_ID {
            return Err(TransportError::Closed);
        }
        if kind.is_for_relay() {
            return Err(TransportError::NotAllowed { kind });
        }
        let json = self.envelope(outgoing).to_json();
        let limit = self.shared.with(|ledger| ledger.longest(self.settings.message_bytes));
        let size = json.len();
        if size > limit {
            return Err(TransportError::TooLarge { size, limit });
        }
        if !self.shared.push(self.next_id, json.into(), self.settings.queue) {
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
            self.shared.wake();
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

impl Drop for FallbackTransport {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}
