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
use tokio_tungstenite::tungstenite::{self, error::ProtocolError};

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
    let asked = match request::read(&app, &head.uri, &head.headers, EntryWay::Stream) {
        Ok(asked) => asked,
        Err(refused) => return *refused,
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
    connection.stored().await;
    let control = head.extensions.get::<StreamControl>().cloned().unwrap_or_default();
    within_limits(upgrade, app.relay.settings().limits.message_bytes).on_upgrade(async move |socket| {
        if let Some((fault, report)) = fault {
            control.misbehave(fault, report);
        }
        Session { app, connection, control, pong: Pong::default() }.run(socket, welcome).await;
    })
}

/// No more of a client's frames is kept than one message, and no more of what it does not read than one frame and
/// [`PONG_BYTES`].
fn within_limits(upgrade: WebSocketUpgrade, message_bytes: usize) -> WebSocketUpgrade {
    let longest = message_bytes.saturating_add(FRAME_OVERHEAD_BYTES);
    upgrade
        .max_message_size(longest)
        .max_frame_size(longest)
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(longest.max(LONGEST_OWN_BYTES).saturating_add(PONG_BYTES))
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

/// The longest frame that holds no client's message, in bytes: an error, with the names of its parties.
const LONGEST_OWN_BYTES: usize = 8 * 1024;

/// How many bytes of answers to pings of the WebSocket itself (RFC 6455 §5.5.2) are kept for a client that does not
/// read them. Beyond, it is closed.
const PONG_BYTES: usize = 8 * 1024;

/// The head of a server's short frame.
const PONG_HEAD_BYTES: usize = 2;

struct Session {
    app: App,
    connection: RelayConnection,
    control: StreamControl,
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
    /// The client has closed, and is to be answered (RFC 6455 §5.5.1).
    Closed,
    /// It is gone.
    Gone,
    /// It has sent nothing for too long, or pings and reads no answers.
    Unbearable,
    TooLarge,
    /// Text that is not UTF-8.
    NotText,
    /// Something else that RFC 6455 forbids.
    Protocol,
}

/// How the conversation is to end.
enum Goodbye {
    /// The client has closed: its close frame is answered.
    Answer,
    /// With this code, where somebody may hear it (RFC 6455 §7.4.1); then the client's close frame is waited for.
    Say(u16),
    /// With this code, and nothing is waited for: the client is not heard any longer, or has another connection by now.
    Leave(u16),
    /// Without a word.
    Silent,
}

impl Session {
    async fn run(self, socket: WebSocket, welcome: Welcome) {
        let (mut sink, mut stream) = socket.split();
        let goodbye = self.converse(&mut sink, &mut stream, welcome).await;
        // The relay has nothing more for it, nor it for the relay.
        let Self { app, connection, .. } = self;
        drop(connection);
        let (code, is_answered) = match goodbye {
            Goodbye::Silent => return,
            Goodbye::Answer => (None, true),
            Goodbye::Say(code) => (Some(code), true),
            Goodbye::Leave(code) => (Some(code), false),
        };
        // Whether the client takes notice is its own affair.
        let _in_time = timeout(app.relay.settings().drain_within, async {
            if let Some(code) = code {
                sink.send(Frame::Close(Some(CloseFrame { code, reason: Default::default() }))).await?;
            }
            // Reading is what sends the answer to a close frame, and hears the one to ours.
            while is_answered && let Some(Ok(_)) = stream.next().await {}
            sink.close().await
        })
        .await;
    }

    /// Until the connection is over.
    async fn converse(
        &self,
        sink: &mut SplitSink<WebSocket, Frame>,
        stream: &mut SplitStream<WebSocket>,
        welcome: Welcome,
    ) -> Goodbye {
        tokio::select! {
            biased;
            ended = self.read(stream) => match ended {
                Ended::Closed => Goodbye::Answer,
                Ended::Gone => Goodbye::Silent,
                Ended::Unbearable => Goodbye::Leave(close_code::POLICY),
                Ended::TooLarge => Goodbye::Say(close_code::SIZE),
                Ended::NotText => Goodbye::Say(close_code::INVALID),
                Ended::Protocol => Goodbye::Say(close_code::PROTOCOL),
            },
            code = self.write(sink, welcome) => code.map_or(Goodbye::Silent, Goodbye::Leave),
            how = self.app.stop.stopping() => match how {
                Stopping::Gracefully => Goodbye::Say(close_code::AWAY),
                Stopping::AtOnce => Goodbye::Silent,
            },
        }
    }

    async fn read(&self, stream: &mut SplitStream<WebSocket>) -> Ended {
        let mut unread_pongs = 0;
        loop {
            let Ok(frame) = timeout(self.app.settings.limits.silence, stream.next()).await else {
                return Ended::Unbearable;
            };
            match frame {
                Some(Ok(Frame::Text(text))) => self.take(&text),
                Some(Ok(Frame::Binary(_))) => self.refuse("a binary frame is no message".to_owned()),
                Some(Ok(Frame::Ping(payload))) => {
                    let is_read = !self.control.is_blocked();
                    unread_pongs = if is_read { 0 } else { unread_pongs + payload.len() + PONG_HEAD_BYTES };
                    if unread_pongs > PONG_BYTES {
                        return Ended::Unbearable;
                    }
                }
                Some(Ok(Frame::Pong(_))) => {}
                Some(Ok(Frame::Close(_))) => return Ended::Closed,
                Some(Err(error)) => return Ended::of(error),
                None => return Ended::Gone,
            }
            self.connection.has_room().await;
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

impl Ended {
    fn of(error: axum::Error) -> Self {
        let error = error.into_inner();
        match error.downcast_ref::<tungstenite::Error>() {
            Some(tungstenite::Error::Capacity(_)) => Self::TooLarge,
            Some(tungstenite::Error::Utf8(_)) => Self::NotText,
            Some(tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => Self::Gone,
            Some(tungstenite::Error::Protocol(_)) => Self::Protocol,
            _ => Self::Gone,
        }
    }
}

/// A client whose application does not listen may take its time, as long as it is heard of.
async fn send(sink: &mut SplitSink<WebSocket, Frame>, frame: ServerFrame) -> Option<()> {
    sink.send(Frame::Text(frame.to_json().into())).await.ok()
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
