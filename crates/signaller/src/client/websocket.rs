//! The WebSocket way.

use futures::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use hyper::header;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        self, Message as Frame, client::IntoClientRequest as _, error::ProtocolError,
        protocol::WebSocketConfig,
    },
};

use super::{
    Connector,
    failure::Failure,
    pulse::Pulse,
    session::{Applied, Client, End},
    ways::Loss,
};
use crate::{
    delivery::{ClientBody, ClientFrame, FRAME_OVERHEAD_BYTES, READ_BUFFER_BYTES, ServerFrame},
    message::{Envelope, ErrorCode, Message},
    transport::Way,
};

pub(super) type Socket<S> = WebSocketStream<S>;

impl<C: Connector> Client<C> {
    /// One WebSocket, `made` or to be made, from its beginning to its end.
    pub(super) async fn websocket(&self, made: Option<Socket<C::Stream>>) -> End<C::Stream> {
        let socket = match made {
            Some(socket) => socket,
            None => {
                let made = tokio::select! {
                    biased;
                    () = self.closed_and_sent() => return End::Closed,
                    made = Box::pin(self.establish()) => made,
                };
                match made {
                    Ok(socket) => socket,
                    Err((loss, failure)) => return End::Lost { loss, failure },
                }
            }
        };
        self.ways().websocket_stands(Instant::now());
        self.converse(socket).await
    }

    /// A stream, an upgrade, and the relay's welcome.
    pub(super) async fn establish(&self) -> Result<Socket<C::Stream>, (Loss, Failure)> {
        let stream = self.connect().await.map_err(|failure| (Loss::NoStream, failure))?;
        let mut socket = self.upgrade(stream).await?;
        let within = self.settings.welcome_within;
        match timeout(within, self.be_welcomed(&mut socket)).await {
            Ok(welcomed) => welcomed.map(|()| socket).map_err(|failure| (Loss::Cut, failure)),
            Err(_) => Err((Loss::Hung, Failure::NoWelcome { within })),
        }
    }

    async fn upgrade(&self, stream: C::Stream) -> Result<Socket<C::Stream>, (Loss, Failure)> {
        let place = self.shared.with(|ledger| ledger.begin_turn());
        let no_request = |error: tungstenite::Error| (Loss::NoStream, error.into());
        let mut request =
            self.target.websocket(&self.identity, &place).into_client_request().map_err(no_request)?;
        if let Some(token) = self.target.bearer() {
            request.headers_mut().insert(header::AUTHORIZATION, token);
        }
        let longest = Some(self.settings.message_bytes.saturating_add(FRAME_OVERHEAD_BYTES));
        let config = WebSocketConfig::default()
            .max_message_size(longest)
            .max_frame_size(longest)
            .read_buffer_size(READ_BUFFER_BYTES);
        let within = self.settings.upgrade_within;
        match timeout(within, client_async_with_config(request, stream, Some(config))).await {
            Ok(Ok((socket, _answer))) => Ok(socket),
            Ok(Err(error)) => Err(loss_of(error)),
            Err(_) => Err((Loss::Hung, Failure::UpgradeUnanswered { within })),
        }
    }

    async fn be_welcomed(&self, socket: &mut Socket<C::Stream>) -> Result<(), Failure> {
        loop {
            match text(socket.next().await)? {
                Some(ServerFrame::Welcome { mailbox, confirmed, message_bytes }) => {
                    self.welcome(&mailbox, confirmed, message_bytes);
                    return Ok(());
                }
                Some(_) => return Err(Failure::NotWelcome),
                None => {}
            }
        }
    }

    async fn converse(&self, socket: Socket<C::Stream>) -> End<C::Stream> {
        let (mut sink, mut stream) = socket.split();
        let pulse = Pulse::default();
        let ended = tokio::select! {
            biased;
            ended = self.receive(&mut stream, &pulse) => ended,
            ended = self.transmit(&mut sink, &pulse) => ended,
        };
        match ended {
            Ok(Over::Closed) => {
                // The relay answers the close frame (RFC 6455 §7.1.1); `flush_within` ends the wait.
                while let Some(Ok(_)) = stream.next().await {}
                End::Closed
            }
            Ok(Over::Refused { reason }) => End::Refused { reason },
            Err(failure) => End::Lost { loss: Loss::Cut, failure },
        }
    }

    /// Until the stream ends; why.
    async fn receive<S>(
        &self,
        stream: &mut SplitStream<WebSocketStream<S>>,
        pulse: &Pulse,
    ) -> Result<Over, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        pulse.waits();
        self.report_up(Way::WebSocket).await;
        self.report_too_long().await;
        pulse.goes_on();
        let mut deaf = false;
        loop {
            let frame = text(stream.next().await)?;
            pulse.heard();
            match frame {
                Some(ServerFrame::Mail { place, message }) if !deaf => {
                    pulse.waits();
                    deaf = self.apply(place, &message).await == Applied::Never;
                    pulse.goes_on();
                    if !deaf {
                        pulse.applied(Instant::now());
                    }
                    self.shared.wake();
                }
                Some(ServerFrame::Confirmed { id }) => {
                    self.shared.with(|ledger| ledger.confirm(id));
                    self.shared.wake();
                }
                Some(ServerFrame::Answer { message }) => {
                    if let Some(reason) = replaced(&message) {
                        return Ok(Over::Refused { reason });
                    }
                    pulse.waits();
                    self.report(self.event(&message)).await;
                    pulse.goes_on();
                }
                _ => {}
            }
        }
    }

    /// Sends what is handed over, acknowledgements and heartbeats, until the transport is closed and
    /// nothing is left.
    async fn transmit<S>(
        &self,
        sink: &mut SplitSink<WebSocketStream<S>, Frame>,
        pulse: &Pulse,
    ) -> Result<Over, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let within = self.settings.heartbeat_within;
        let mut sent = 0;
        let mut nonce = 0;
        let mut heartbeat = Heartbeat::Next { at: Instant::now() + self.settings.heartbeat };
        loop {
            if let Some((id, message)) = self.shared.with(|ledger| ledger.after(sent)) {
                self.write(sink, ClientBody::Message(&message), pulse).await?;
                sent = id;
                continue;
            }
            if self.is_closed_and_sent() {
                return self.say_goodbye(sink, pulse).await;
            }
            let acknowledge =
                pulse.acknowledge_at(self.settings.acknowledge_within, self.settings.acknowledge_every);
            tokio::select! {
                biased;
                () = self.shared.changed() => {}
                () = at(acknowledge) => self.write(sink, ClientBody::Ack, pulse).await?,
                () = sleep_until(heartbeat.at()) => match heartbeat {
                    Heartbeat::Next { at } => {
                        nonce += 1;
                        pulse.listen();
                        self.write(sink, ClientBody::Ping { nonce }, pulse).await?;
                        heartbeat = Heartbeat::Sent { at: at + within, next: at + self.settings.heartbeat };
                    }
                    Heartbeat::Sent { .. } if !pulse.is_alive() => {
                        return Err(Failure::Silent { within });
                    }
                    Heartbeat::Sent { at, next } => heartbeat = Heartbeat::Next { at: next.max(at) },
                },
            }
        }
    }

    /// The last acknowledgement and a close frame.
    async fn say_goodbye<S>(
        &self,
        sink: &mut SplitSink<WebSocketStream<S>, Frame>,
        pulse: &Pulse,
    ) -> Result<Over, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.write(sink, ClientBody::Ack, pulse).await?;
        let within = self.settings.heartbeat_within;
        match timeout(within, sink.send(Frame::Close(None))).await {
            Ok(sent) => Ok(sent.map(|()| Over::Closed)?),
            Err(_) => Err(Failure::Stuck { within }),
        }
    }

    /// Every frame takes the cursor with it.
    async fn write<S>(
        &self,
        sink: &mut SplitSink<WebSocketStream<S>, Frame>,
        body: ClientBody<'_>,
        pulse: &Pulse,
    ) -> Result<(), Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let within = self.settings.heartbeat_within;
        let cursor = Some(self.shared.with(|ledger| ledger.place()).cursor);
        pulse.acknowledged();
        let frame = Frame::Text(ClientFrame { body, cursor }.to_json().into());
        match timeout(within, sink.send(frame)).await {
            Ok(sent) => Ok(sent?),
            Err(_) => Err(Failure::Stuck { within }),
        }
    }
}

/// How a conversation ended that was not lost.
enum Over {
    Closed,
    Refused { reason: String },
}

#[derive(Clone, Copy)]
enum Heartbeat {
    /// The next one is to be sent.
    Next { at: Instant },
    /// Something is to be heard by then.
    Sent { at: Instant, next: Instant },
}

impl Heartbeat {
    const fn at(&self) -> Instant {
        match self {
            Self::Next { at } | Self::Sent { at, .. } => *at,
        }
    }
}

/// What an upgrade that failed says about the way.
fn loss_of(error: tungstenite::Error) -> (Loss, Failure) {
    let loss = match &error {
        tungstenite::Error::Http(answer) => {
            return (Loss::Refused, Failure::UpgradeRefused { status: answer.status() });
        }
        // The stream ended too soon.
        tungstenite::Error::Protocol(ProtocolError::HandshakeIncomplete) => Loss::Cut,
        // The answer is not one that RFC 6455 §4.2.2 allows: somebody between does not know it.
        tungstenite::Error::Protocol(_) => Loss::Refused,
        _ => Loss::Cut,
    };
    (loss, error.into())
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

/// The frame in a WebSocket message; `None` where there is none to look at.
fn text(received: Option<Result<Frame, tungstenite::Error>>) -> Result<Option<ServerFrame>, Failure> {
    match received {
        Some(Ok(Frame::Text(text))) => Ok(ServerFrame::from_json(&text)?),
        Some(Ok(Frame::Close(Some(close)))) => Err(Failure::ClosedWith { code: close.code.into() }),
        Some(Ok(Frame::Close(None))) | None => Err(Failure::Closed),
        Some(Ok(_)) => Ok(None),
        Some(Err(error)) => Err(error.into()),
    }
}

/// Whether the relay says that another client has come.
fn replaced(message: &[u8]) -> Option<String> {
    match Envelope::from_json(message).ok()?.body {
        Message::Error { code: ErrorCode::Replaced, message, .. } => Some(message),
        _ => None,
    }
}
