//! The relay's end of a WebSocket.

use std::sync::{Mutex, PoisonError};

use axum::{
    body::Body,
    extract::{
        FromRequestParts as _, State, WebSocketUpgrade,
        ws::{CloseFrame, Message as Frame, WebSocket, close_code},
    },
    http::{Request, StatusCode},
    response::Response,
};
use futures::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use tokio::{sync::Notify, time::timeout};

use super::{
    answer, request,
    routes::App,
    stop::Stopping,
    stream::{StreamControl, Struck},
};
use crate::{
    delivery::{ClientBody, ClientFrame, FRAME_OVERHEAD_BYTES, READ_BUFFER_BYTES, ServerFrame},
    message::{ErrorCode, ParticipantId},
    relay::{EntryWay, Next, RelayConnection, RelayEvent, SharedRelay, WebSocketFault, Welcome},
};

pub(super) async fn upgrade(State(app): State<App>, request: Request<Body>) -> Response {
    let (mut head, _body) = request.into_parts();
    let asked = match request::read(&app.relay, &app.settings, &head.uri, &head.headers, EntryWay::Stream) {
        Ok(asked) => asked,
        Err(refusal) => return refusal.into(),
    };
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut head, &()).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => {
            let reason = format!("this is no WebSocket upgrade (RFC 6455 §4.2.1): {rejection}");
            return answer::refuse(ErrorCode::Malformed, reason);
        }
    };
    let fault = app.relay.websocket_fault(&asked.entry.participant);
    let fault = fault.map(|fault| (fault, reporter(&app.relay, &asked.entry.participant, fault)));
    let fault = match fault {
        Some((WebSocketFault::Refused { status }, report)) => {
            report();
            return refused(status);
        }
        Some((WebSocketFault::Hangs, report)) => {
            report();
            return std::future::pending().await;
        }
        other => other,
    };
    let connection = app.relay.connect();
    let welcome = match connection.enter(&asked.entry) {
        Ok(welcome) => welcome,
        Err(refusal) => return refusal.into(),
    };
    let control = head.extensions.get::<StreamControl>().cloned().unwrap_or_default();
    let longest = app.relay.settings().limits.message_bytes.saturating_add(FRAME_OVERHEAD_BYTES);
    let upgrade = upgrade.max_message_size(longest).max_frame_size(longest);
    upgrade.read_buffer_size(READ_BUFFER_BYTES).on_upgrade(async move |socket| {
        if let Some((fault, report)) = fault {
            control.misbehave(fault, report);
        }
        Session { app, connection, pong: Pong::default() }.run(socket, welcome).await;
    })
}

/// Tells the relay's observer that the fault has struck.
fn reporter(relay: &SharedRelay, who: &ParticipantId, fault: WebSocketFault) -> Struck {
    let (relay, participant) = (relay.clone(), who.clone());
    Box::new(move || relay.report(RelayEvent::WebSocketFault { participant, fault }))
}

fn refused(status: u16) -> Response {
    let status = StatusCode::from_u16(status)
        .ok()
        .filter(|status| status.is_client_error() || status.is_server_error())
        .unwrap_or(StatusCode::FORBIDDEN);
    answer::refuse_with(status, ErrorCode::Unavailable, "no WebSocket here, as the scenario says")
}

struct Session {
    app: App,
    connection: RelayConnection,
    pong: Pong,
}

/// The last ping that was not answered yet.
#[derive(Default)]
struct Pong {
    nonce: Mutex<Option<u64>>,
    asked: Notify,
}

/// Why reading ended.
enum Ended {
    /// The client has closed, or is gone.
    Gone,
    Silent,
    TooLarge,
}

impl Session {
    async fn run(self, socket: WebSocket, welcome: Welcome) {
        let (mut sink, stream) = socket.split();
        let Some(code) = self.converse(&mut sink, stream, welcome).await else { return };
        // Whether the client takes notice is its own affair.
        let close = Frame::Close(Some(CloseFrame { code, reason: Default::default() }));
        let _closed = timeout(self.app.relay.settings().drain_within, async {
            sink.send(close).await?;
            sink.close().await
        })
        .await;
    }

    /// Until the connection is over; with which code it is to be closed, where somebody may hear it
    /// (RFC 6455 §7.4.1).
    async fn converse(
        &self,
        sink: &mut SplitSink<WebSocket, Frame>,
        stream: SplitStream<WebSocket>,
        welcome: Welcome,
    ) -> Option<u16> {
        tokio::select! {
            biased;
            ended = self.read(stream) => match ended {
                Ended::Gone => None,
                Ended::Silent => Some(close_code::POLICY),
                Ended::TooLarge => Some(close_code::SIZE),
            },
            code = self.write(sink, welcome) => code,
            how = self.app.stop.stopping() => match how {
                Stopping::Gracefully => Some(close_code::AWAY),
                Stopping::AtOnce => None,
            },
        }
    }

    async fn read(&self, mut stream: SplitStream<WebSocket>) -> Ended {
        loop {
            let Ok(frame) = timeout(self.app.settings.limits.silence, stream.next()).await else {
                return Ended::Silent;
            };
            match frame {
                Some(Ok(Frame::Text(text))) => self.take(&text),
                Some(Ok(Frame::Binary(_))) => self.refuse("a binary frame is no message".to_owned()),
                Some(Ok(Frame::Ping(_) | Frame::Pong(_))) => {}
                Some(Ok(Frame::Close(_))) | None => return Ended::Gone,
                Some(Err(error)) => {
                    let error = error.into_inner();
                    let is_oversized =
                        error.downcast_ref::<tokio_tungstenite::tungstenite::Error>().is_some_and(|error| {
                            matches!(error, tokio_tungstenite::tungstenite::Error::Capacity(_))
                        });
                    return if is_oversized { Ended::TooLarge } else { Ended::Gone };
                }
            }
        }
    }

    fn take(&self, text: &str) {
        let frame = match ClientFrame::from_json(text) {
            Ok(frame) => frame,
            Err(error) => return self.refuse(error.to_string()),
        };
        if let Some(cursor) = frame.cursor {
            self.connection.acknowledge(cursor);
        }
        match frame.body {
            ClientBody::Message(message) => self.connection.receive(message),
            ClientBody::Ack => {}
            ClientBody::Ping { nonce } => self.pong.ask(nonce),
        }
    }

    fn refuse(&self, reason: String) {
        self.connection.refuse(ErrorCode::Malformed, reason);
    }

    /// Until the connection is to be closed, with which code; `None` when the stream failed.
    async fn write(&self, sink: &mut SplitSink<WebSocket, Frame>, welcome: Welcome) -> Option<u16> {
        let Welcome { mailbox, confirmed } = welcome;
        let message_bytes = self.app.relay.settings().limits.message_bytes;
        let mailbox = mailbox.to_string();
        send(sink, ServerFrame::Welcome { mailbox, confirmed, message_bytes }).await?;
        loop {
            tokio::select! {
                biased;
                nonce = self.pong.taken() => send(sink, ServerFrame::Pong { nonce }).await?,
                next = self.connection.next_for_acknowledgement() => {
                    let frame = match next {
                        Some(Next::Message(message)) => ServerFrame::Answer { message },
                        Some(Next::Mail { place, message }) => ServerFrame::Mail { place, message },
                        Some(Next::Confirmed { id }) => ServerFrame::Confirmed { id },
                        Some(Next::Wait | Next::Close) | None => return Some(close_code::NORMAL),
                    };
                    send(sink, frame).await?;
                    self.connection.written();
                }
            }
        }
    }
}

impl Pong {
    fn ask(&self, nonce: u64) {
        *self.nonce.lock().unwrap_or_else(PoisonError::into_inner) = Some(nonce);
        self.asked.notify_one();
    }

    /// Cancel-safe.
    async fn taken(&self) -> u64 {
        loop {
            if let Some(nonce) = self.nonce.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return nonce;
            }
            self.asked.notified().await;
        }
    }
}

async fn send(sink: &mut SplitSink<WebSocket, Frame>, frame: ServerFrame) -> Option<()> {
    sink.send(Frame::Text(frame.to_json().into())).await.ok()
}
