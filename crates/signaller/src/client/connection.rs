//! One HTTP/1.1 connection of the client, for one request after the other.

use std::{pin::Pin, pin::pin, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Request, StatusCode, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::failure::Failure;

/// Drives its stream only while a request is under way, so that no task is needed for it.
pub(super) struct HttpConnection {
    sender: http1::SendRequest<Full<Bytes>>,
    driver: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// Whether the driver is done; it must not be asked again.
    ended: bool,
}

/// What was answered.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    /// `Retry-After` in seconds (RFC 9110 §10.2.3); a date is not read.
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Bytes,
}

impl HttpConnection {
    pub(super) async fn new<S>(stream: S) -> Result<Self, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let driver = Box::pin(async move {
            // The request that it fails for says so.
            let _ended = connection.await;
        });
        Ok(Self { sender, driver, ended: false })
    }

    /// Sends a request and reads the whole answer, of at most `limit` bytes. The connection is of no use
    /// after an error, or where this future was dropped.
    pub(super) async fn request(
        &mut self,
        request: Request<Full<Bytes>>,
        limit: usize,
    ) -> Result<Reply, Failure> {
        let Self { sender, driver, ended } = self;
        let mut exchange = pin!(exchange(sender, request, limit));
        if !*ended {
            tokio::select! {
                biased;
                reply = &mut exchange => return reply,
                () = driver => *ended = true,
            }
        }
        // The stream has ended; what it brought before may still make a whole answer.
        exchange.await
    }
}

async fn exchange(
    sender: &mut http1::SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
    limit: usize,
) -> Result<Reply, Failure> {
    sender.ready().await?;
    let answer = sender.send_request(request).await?;
    let (head, body) = answer.into_parts();
    let retry_after = head.headers.get(header::RETRY_AFTER);
    let retry_after =
        retry_after.and_then(|value| value.to_str().ok()?.parse().ok()).map(Duration::from_secs);
    let body = Limited::new(body, limit).collect().await.map_err(Failure::Body)?.to_bytes();
    Ok(Reply { status: head.status, retry_after, body })
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    /// What a server writes before it closes, and what the client makes of it with a limit of 5 bytes.
    async fn check(answer: &'static str, expect: Option<(u16, Option<u64>, &str)>) {
        let (near, mut far) = duplex(4096);
        let server = async move {
            let _asked = far.read(&mut [0; 1024]).await.unwrap();
            far.write_all(answer.as_bytes()).await.unwrap();
        };
        let client = async {
            let mut connection = HttpConnection::new(near).await.unwrap();
            connection.request(Request::new(Full::default()), 5).await
        };
        let (reply, ()) = tokio::join!(client, server);
        let reply = reply.ok();
        let got = reply.as_ref().map(|reply| {
            let body = std::str::from_utf8(&reply.body).unwrap();
            (reply.status.as_u16(), reply.retry_after.map(|wait| wait.as_secs()), body)
        });
        assert_eq!(got, expect, "{answer}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_whole_or_none_even_where_the_end_of_the_stream_follows_it() {
        check("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", Some((200, None, "hello"))).await;
        check("HTTP/1.1 429 No\r\nretry-after: 7\r\n\r\nno", Some((429, Some(7), "no"))).await;
        check("HTTP/1.1 503 No\r\nretry-after: soon\r\n\r\n", Some((503, None, ""))).await;
        check("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell", None).await;
        check("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nhello!", None).await;
        check("HTTP/1.1 200", None).await;
        check("", None).await;
    }
}
