//! The client's task: take a way, keep to it while it stands, take another.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    sync::{mpsc, watch},
    time::{self, Instant},
};

use super::{
    Connector, FallbackSettings, Identity, Jitter, Target,
    failure::Failure,
    ledger::TooLong,
    shared::Shared,
    ways::{Loss, Ways},
    websocket::Socket,
};
use crate::{
    message::{CallId, Envelope, ErrorCode, Message, RELAY, VERSION},
    transport::{TransportEvent, Way},
};

pub(super) struct Client<C: Connector> {
    pub(super) identity: Identity,
    pub(super) target: Target,
    pub(super) settings: FallbackSettings,
    pub(super) shared: Arc<Shared>,
    pub(super) events: mpsc::Sender<TransportEvent>,
    pub(super) closing: watch::Receiver<bool>,
    /// Whether `Up` was reported, and no `Down` since.
    pub(super) up: AtomicBool,
    pub(super) ways: Mutex<Ways>,
    pub(super) jitter: Mutex<Jitter>,
    /// One stream is made at a time.
    pub(super) connector: tokio::sync::Mutex<C>,
}

/// How a way ended.
pub(super) enum End<S> {
    /// The transport was closed, and everything is confirmed.
    Closed,
    /// The relay does not want this client: trying again is of no use.
    Refused { reason: String },
    /// A WebSocket was lost, or not made.
    Lost { loss: Loss, failure: Failure },
    /// There were as many failures as are allowed.
    GaveUp,
    /// From REST, a WebSocket was made.
    Upgraded(Box<Socket<S>>),
}

/// What became of a message that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Applied {
    /// It was given to the application.
    Now,
    /// It had been before.
    Before,
    /// The transport is being closed, and nobody takes messages: it stays at the relay.
    Never,
}

impl<C: Connector> Client<C> {
    /// Until the transport is closed, refused, or out of attempts. What takes kilobytes and is soon over is boxed, so
    /// that the task has no room for it while it only receives.
    pub(super) async fn run(self) {
        let mut made = None;
        loop {
            let way = self.ways().way();
            let end = match way {
                Way::WebSocket => self.websocket(made.take()).await,
                Way::Rest => Box::pin(self.rest()).await,
            };
            match end {
                End::Closed | End::GaveUp => break,
                End::Upgraded(socket) => made = Some(*socket),
                End::Refused { reason } => {
                    self.report_down(way, reason).await;
                    break;
                }
                End::Lost { loss, failure } => {
                    self.report_down(way, failure).await;
                    if !self.wait_after(loss).await {
                        break;
                    }
                }
            }
        }
        self.shared.end();
    }

    /// Whether there is another attempt.
    async fn wait_after(&self, loss: Loss) -> bool {
        let wait = self.ways().websocket_lost(loss, Instant::now());
        if self.ways().gives_up() {
            return false;
        }
        let Some(wait) = wait else { return true };
        tokio::select! {
            biased;
            () = self.closed_and_sent() => false,
            () = time::sleep(self.jittered(wait)) => true,
        }
    }

    /// Gives a message of the mailbox to the application, unless it has it.
    pub(super) async fn apply(&self, place: u64, message: &Bytes) -> Applied {
        if !self.shared.with(|ledger| ledger.is_new(place)) {
            return Applied::Before;
        }
        let room = tokio::select! {
            biased;
            room = self.events.reserve() => room,
            () = self.closing() => return Applied::Never,
        };
        // Nobody takes events any more: the handle is gone, and this task about to be.
        let Ok(room) = room else { return Applied::Never };
        // From here to the end nothing waits: the cursor moves with the message.
        self.shared.with(|ledger| ledger.applied(place));
        room.send(self.event(message));
        Applied::Now
    }

    /// What the relay says about this client whenever it comes in.
    pub(super) fn welcome(&self, mailbox: &str, confirmed: u64, message_bytes: usize) {
        self.shared.with(|ledger| {
            ledger.welcome(mailbox, confirmed);
            ledger.relay_accepts(message_bytes);
        });
    }

    /// Tells the application of the messages that are longer than the relay accepts.
    pub(super) async fn report_too_long(&self) {
        while let Some(TooLong { id, size, limit }) = self.shared.with(|ledger| ledger.take_too_long()) {
            let message = format!("the message has {size} bytes, more than the {limit} that are accepted");
            let body = Message::Error { code: ErrorCode::TooLarge, message, about: Some(id) };
            let (call, to) = (CallId::none(), self.identity.participant.clone());
            let error = Envelope { version: VERSION, id, call, from: RELAY.into(), to, body };
            self.report(TransportEvent::Message(error)).await;
        }
    }

    /// Something of the relay's own, or a message.
    pub(super) fn event(&self, message: &Bytes) -> TransportEvent {
        match Envelope::from_json_within(message, self.settings.message_bytes) {
            Ok(envelope) => TransportEvent::Message(envelope),
            Err(error) => TransportEvent::Unreadable { error },
        }
    }

    /// Waits for room if nobody takes the events, but not once the transport is being closed.
    pub(super) async fn report(&self, event: TransportEvent) {
        tokio::select! {
            biased;
            _ = self.events.send(event) => {}
            () = self.closing() => {}
        }
    }

    /// The relay is reached on this way.
    pub(super) async fn report_up(&self, way: Way) {
        if !self.up.swap(true, Ordering::Relaxed) {
            self.report(TransportEvent::Up).await;
        }
        self.report(TransportEvent::Via { way }).await;
    }

    pub(super) async fn report_down(&self, way: Way, reason: impl fmt::Display) {
        self.up.store(false, Ordering::Relaxed);
        self.report(TransportEvent::Down { reason: format!("{way}: {reason}") }).await;
    }

    /// Makes a stream to the relay.
    pub(super) async fn connect(&self) -> Result<C::Stream, Failure> {
        let within = self.settings.connect_within;
        let connecting = async { self.connector.lock().await.connect().await };
        match time::timeout(within, connecting).await {
            Ok(connected) => Ok(connected?),
            Err(_) => Err(Failure::NoConnection { within }),
        }
    }

    /// Resolves once the transport is being closed and everything is confirmed.
    pub(super) async fn closed_and_sent(&self) {
        while !self.is_closed_and_sent() {
            self.shared.changed().await;
        }
    }

    pub(super) fn is_closed_and_sent(&self) -> bool {
        *self.closing.borrow() && self.shared.with(|ledger| ledger.is_empty())
    }

    /// Resolves once the transport is being closed, or its handle is gone.
    async fn closing(&self) {
        let _ = self.closing.clone().wait_for(|closing| *closing).await;
    }

    pub(super) fn jittered(&self, wait: Duration) -> Duration {
        self.jitter.lock().unwrap_or_else(PoisonError::into_inner).apply(wait)
    }

    pub(super) fn ways(&self) -> MutexGuard<'_, Ways> {
        self.ways.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
