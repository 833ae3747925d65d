//! The client's task: connect, join, send and receive, and again.

use std::{io, sync::Arc};

use bytes::Bytes;
use futures::StreamExt as _;
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{mpsc, watch},
    time::{self, Duration},
};

use super::{
    ClientSettings, Connector, Identity,
    frame::{self, Incoming, OutgoingFrames, frames},
    outbox::Outbox,
};
use crate::{
    message::{CallId, Envelope, ErrorCode, Message, RELAY, VERSION},
    transport::TransportEvent,
};

pub(super) struct Client {
    pub(super) identity: Identity,
    pub(super) settings: ClientSettings,
    pub(super) outbox: Arc<Outbox>,
    pub(super) events: mpsc::Sender<TransportEvent>,
    pub(super) closing: watch::Receiver<bool>,
}

/// How a connection ended.
enum End {
    /// The transport was closed, and everything is sent.
    Closed,
    /// The relay does not want this client: trying again is of no use.
    Refused { reason: String },
    /// It may work the next time.
    Lost { failure: Failure, had_joined: bool },
}

/// Why a connection failed. Its words are the reasons of [`TransportEvent::Down`].
#[derive(Debug, Error)]
enum Failure {
    #[error("no connection within {within:?}")]
    NoConnection { within: Duration },
    #[error("no `joined` within {within:?}")]
    NoJoined { within: Duration },
    #[error("the relay sent something else before `joined`")]
    NotJoined,
    #[error("{code}: {message}")]
    Refused { code: ErrorCode, message: String },
    #[error("the relay closed the connection")]
    Closed,
    #[error(transparent)]
    Stream(#[from] io::Error),
}

impl Client {
    /// Until the transport is closed, refused, or out of attempts.
    pub(super) async fn run(self, mut connector: impl Connector) {
        let mut failures = 0;
        loop {
            match self.connection(&mut connector).await {
                End::Closed => break,
                End::Refused { reason } => {
                    self.report(TransportEvent::Down { reason }).await;
                    break;
                }
                End::Lost { failure, had_joined } => {
                    self.report(TransportEvent::Down { reason: failure.to_string() }).await;
                    failures = if had_joined { 0 } else { failures + 1 };
                }
            }
            if failures > 0 && self.settings.attempts.is_some_and(|attempts| failures >= attempts) {
                break;
            }
            tokio::select! {
                biased;
                () = self.closed_and_sent() => break,
                () = time::sleep(self.settings.retry_after(failures)) => {}
            }
        }
        self.outbox.end();
    }

    /// One connection, from its making to its end.
    async fn connection(&self, connector: &mut impl Connector) -> End {
        let begun = tokio::select! {
            biased;
            () = self.closed_and_sent() => return End::Closed,
            begun = self.begin(connector) => begun,
        };
        let (mut incoming, mut outgoing) = match begun {
            Ok(frames) => frames,
            Err(end) => return end,
        };
        self.report(TransportEvent::Up).await;
        let sent = tokio::select! {
            biased;
            end = self.receive(&mut incoming) => return end,
            sent = self.send(&mut outgoing) => sent,
        };
        if let Err(error) = sent {
            return End::Lost { failure: error.into(), had_joined: true };
        }
        // A stream that is dropped with unread bytes in it resets the connection, and what was just sent
        // may be lost with it (RFC 1122 §4.2.2.13): wait for the relay's end.
        while let Some(Ok(_)) = incoming.next().await {}
        End::Closed
    }

    async fn begin<C: Connector>(
        &self,
        connector: &mut C,
    ) -> Result<(Incoming<C::Stream>, OutgoingFrames<C::Stream>), End> {
        let stream = self.connect(connector).await?;
        let (mut incoming, mut outgoing) = frames(stream, self.settings.message_bytes);
        let joining = self.join(&mut incoming, &mut outgoing);
        let within = self.settings.join_within;
        match time::timeout(within, joining).await {
            Ok(joined) => joined.map(|()| (incoming, outgoing)),
            Err(_) => Err(lost(Failure::NoJoined { within })),
        }
    }

    async fn connect<C: Connector>(&self, connector: &mut C) -> Result<C::Stream, End> {
        let within = self.settings.connect_within;
        match time::timeout(within, connector.connect()).await {
            Ok(connected) => connected.map_err(lost),
            Err(_) => Err(lost(Failure::NoConnection { within })),
        }
    }

    /// Says who we are, and waits until the relay has heard it.
    async fn join<S: AsyncRead + AsyncWrite>(
        &self,
        incoming: &mut Incoming<S>,
        outgoing: &mut OutgoingFrames<S>,
    ) -> Result<(), End> {
        let Identity { participant, session } = self.identity.clone();
        let body = Message::Join { session };
        let call = CallId::none();
        let join = Envelope { version: VERSION, id: 1, call, from: participant, to: RELAY.into(), body };
        frame::write(outgoing, join.to_json().into()).await.map_err(lost)?;
        loop {
            let frame = next_frame(incoming).await.map_err(lost)?;
            match Envelope::from_json_within(&frame, self.settings.message_bytes) {
                Ok(Envelope { from, body: Message::Joined, .. }) if from == *RELAY => return Ok(()),
                Ok(Envelope { from, body: Message::Error { code, message, .. }, .. }) if from == *RELAY => {
                    let may_work_later = code == ErrorCode::RelayFull;
                    let refused = Failure::Refused { code, message };
                    return Err(if may_work_later {
                        lost(refused)
                    } else {
                        End::Refused { reason: refused.to_string() }
                    });
                }
                Ok(_) => return Err(lost(Failure::NotJoined)),
                Err(error) => self.report(TransportEvent::Unreadable { error }).await,
            }
        }
    }

    /// Reports what arrives, until the stream ends.
    async fn receive<S: AsyncRead>(&self, incoming: &mut Incoming<S>) -> End {
        loop {
            let frame = match next_frame(incoming).await {
                Ok(frame) => frame,
                Err(failure) => return End::Lost { failure, had_joined: true },
            };
            match Envelope::from_json_within(&frame, self.settings.message_bytes) {
                Ok(Envelope {
                    from,
                    body: Message::Error { code: ErrorCode::Replaced, message, .. },
                    ..
                }) if from == *RELAY => {
                    return End::Refused { reason: message };
                }
                Ok(envelope) => self.report(TransportEvent::Message(envelope)).await,
                Err(error) => self.report(TransportEvent::Unreadable { error }).await,
            }
        }
    }

    /// Sends what is handed over, until the transport is closed and nothing is left.
    async fn send<S: AsyncWrite>(&self, outgoing: &mut OutgoingFrames<S>) -> io::Result<()> {
        loop {
            if let Some(message) = self.outbox.first() {
                frame::write(outgoing, message).await?;
                self.outbox.remove_first();
            } else if self.is_closing() {
                return frame::close(outgoing).await;
            } else {
                tokio::select! {
                    biased;
                    () = self.outbox.filled() => {}
                    () = self.closing() => {}
                }
            }
        }
    }

    /// Waits for room if nobody takes the events, but not once the transport is being closed.
    async fn report(&self, event: TransportEvent) {
        tokio::select! {
            biased;
            _ = self.events.send(event) => {}
            () = self.closing() => {}
        }
    }

    /// Resolves once the transport is being closed and nothing waits to be sent.
    async fn closed_and_sent(&self) {
        self.closing().await;
        if self.outbox.first().is_some() {
            std::future::pending::<()>().await;
        }
    }

    /// Resolves once the transport is being closed, or its handle is gone.
    async fn closing(&self) {
        let _ = self.closing.clone().wait_for(|closing| *closing).await;
    }

    fn is_closing(&self) -> bool {
        *self.closing.borrow() || self.closing.has_changed().is_err()
    }
}

/// An attempt that failed before the relay had answered.
fn lost(failure: impl Into<Failure>) -> End {
    End::Lost { failure: failure.into(), had_joined: false }
}

async fn next_frame<S: AsyncRead>(incoming: &mut Incoming<S>) -> Result<Bytes, Failure> {
    match incoming.next().await {
        Some(Ok(frame)) => Ok(frame.freeze()),
        Some(Err(error)) => Err(error.into()),
        None => Err(Failure::Closed),
    }
}
