//! Requests by hand, for what no client of ours would ask.

use futures::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message as Frame, client::IntoClientRequest as _},
};

use crate::{
    http_rig::{HttpRig, Pipe},
    rig::soon,
};

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Its head, in lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Status and, where there is one, the code of the first error: `403 forbidden`.
    pub(crate) fn line(&self) -> String {
        let code = self.json()["errors"][0]["code"].as_str().map(str::to_owned);
        [Some(self.status.to_string()), code].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// Sends these bytes on a pipe of their own and reads what comes until the end.
pub(crate) async fn send(rig: &HttpRig, request: &[u8]) -> Option<Answer> {
    let mut pipe = rig.pipe();
    pipe.write_all(request).await.ok()?;
    let mut bytes = Vec::new();
    soon(pipe.read_to_end(&mut bytes)).await.ok()?;
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().unwrap();
    Some(Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() })
}

pub(crate) async fn get(rig: &HttpRig, path: &str, headers: &str) -> Answer {
    let request = format!("GET {path} HTTP/1.1\r\nhost: relay.test\r\nconnection: close\r\n{headers}\r\n");
    send(rig, request.as_bytes()).await.unwrap()
}

pub(crate) async fn post(rig: &HttpRig, query: &str, headers: &str, body: &[u8]) -> Answer {
    let length = body.len();
    let head = format!(
        "POST /v1/messages?{query} HTTP/1.1\r\nhost: relay.test\r\nconnection: close\r\n\
         content-length: {length}\r\n{headers}\r\n"
    );
    send(rig, &[head.as_bytes(), body].concat()).await.unwrap()
}

/// A WebSocket with a query and a token, or the status with which it was refused.
pub(crate) async fn websocket(rig: &HttpRig, query: &str, token: Option<&str>) -> Result<Socket, u16> {
    let mut request = format!("ws://relay.test/v1/ws?{query}").into_client_request().unwrap();
    if let Some(token) = token {
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    match soon(client_async(request, rig.pipe())).await {
        Ok((socket, _)) => Ok(Socket(socket)),
        Err(Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

pub(crate) struct Socket(pub(crate) WebSocketStream<Pipe>);

impl Socket {
    pub(crate) async fn send(&mut self, text: impl Into<String>) {
        // The relay may have closed already; what it said last is still to be read.
        let _sent = self.0.send(Frame::Text(text.into().into())).await;
    }

    /// The next frame, in words; `end` once the relay has closed.
    pub(crate) async fn frame(&mut self) -> String {
        match soon(self.0.next()).await {
            Some(Ok(Frame::Text(text))) => words(&serde_json::from_str(&text).unwrap()),
            Some(Ok(Frame::Close(Some(close)))) => format!("close {}", u16::from(close.code)),
            Some(Ok(other)) => format!("{other:?}"),
            Some(Err(_)) | None => "end".to_owned(),
        }
    }
}

fn words(frame: &Value) -> String {
    let kind = frame["type"].as_str().unwrap();
    match kind {
        "welcome" => format!("welcome {} confirmed {}", frame["mailbox"], frame["confirmed"]),
        "mail" => {
            let message = &frame["message"];
            let about = match &message["body"]["code"] {
                Value::Null => format!("#{}", message["id"]),
                code => format!("{code} about {}", message["body"]["about"]),
            };
            format!("mail {} {} {about}", frame["place"], message["body"]["type"])
        }
        "answer" => format!("answer {}", frame["message"]["body"]["code"]),
        "confirmed" => format!("confirmed {}", frame["id"]),
        "pong" => format!("pong {}", frame["nonce"]),
        other => other.to_owned(),
    }
    .replace('"', "")
}
