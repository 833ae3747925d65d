//! The application's end of a transport that has a task: what all of them share.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time,
};

use crate::{
    message::{Envelope, MAX_ID, ParticipantId, VERSION},
    transport::{Outgoing, Transport, TransportError, TransportEvent, TransportFuture},
};

/// Where a handle leaves its messages for its task.
pub(crate) trait Queue: Send + Sync + 'static {
    /// Puts a message in line, unless `limit` messages stand there.
    fn push(&self, id: u64, message: Bytes, limit: usize) -> bool;

    /// Whether nobody sends them any more.
    fn has_ended(&self) -> bool;

    /// The longest message that may be sent, in bytes, where `own` is the transport's own limit.
    fn longest(&self, own: usize) -> usize;

    /// The transport is being closed.
    fn closing(&self);
}

/// What a handle keeps, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HandleSettings {
    /// Messages that wait to be sent.
    pub(crate) queue: usize,
    /// Events that wait to be taken, at least 1.
    pub(crate) events: usize,
    /// Longest message in bytes of JSON.
    pub(crate) message_bytes: usize,
    /// Longest time that closing takes.
    pub(crate) flush_within: Duration,
}

/// The handle. Its task ends when it is closed or dropped.
pub(crate) struct Handle<Q> {
    participant: ParticipantId,
    settings: HandleSettings,
    next_id: u64,
    queue: Arc<Q>,
    events: mpsc::Receiver<TransportEvent>,
    closing: watch::Sender<bool>,
    /// `None` once it has ended.
    task: Option<JoinHandle<()>>,
}

/// The other end of a handle.
pub(crate) struct TaskEnd {
    pub(crate) events: mpsc::Sender<TransportEvent>,
    /// Whether the transport is being closed; its sender goes with the handle.
    pub(crate) closing: watch::Receiver<bool>,
}

impl<Q: Queue> Handle<Q> {
    /// A handle whose task `task` makes. Needs to be called within a tokio runtime.
    pub(crate) fn spawn<F>(
        participant: ParticipantId,
        settings: HandleSettings,
        queue: Arc<Q>,
        task: impl FnOnce(TaskEnd) -> F,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (event_sender, events) = mpsc::channel(settings.events.max(1));
        let (closing, is_closing) = watch::channel(false);
        let task = tokio::spawn(task(TaskEnd { events: event_sender, closing: is_closing }));
        Self { participant, settings, next_id: 1, queue, events, closing, task: Some(task) }
    }

    fn envelope(&self, outgoing: Outgoing) -> Envelope {
        let Outgoing { call, to, body } = outgoing;
        Envelope { version: VERSION, id: self.next_id, call, from: self.participant.clone(), to, body }
    }
}

impl<Q: Queue> Transport for Handle<Q> {
    fn send(&mut self, outgoing: Outgoing) -> Result<u64, TransportError> {
        let kind = outgoing.body.kind();
        if *self.closing.borrow() || self.queue.has_ended() || self.next_id > MAX_ID {
            return Err(TransportError::Closed);
        }
        if outgoing.body.is_for_relay() {
            return Err(TransportError::NotAllowed { kind });
        }
        let json = self.envelope(outgoing).to_json();
        let (size, limit) = (json.len(), self.queue.longest(self.settings.message_bytes));
        if size > limit {
            return Err(TransportError::TooLarge { size, limit });
        }
        if !self.queue.push(self.next_id, json.into(), self.settings.queue) {
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
            self.queue.closing();
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

impl<Q> Drop for Handle<Q> {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}
