//! The REST way.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::{
    Connector,
    connection::{HttpConnection, Reply},
    failure::Failure,
    ledger::Place,
    session::{Applied, Client, End},
};
use crate::{
    delivery::{FRAME_OVERHEAD_BYTES, RestAnswer, RestError},
    message::ErrorCode,
    transport::{TransportEvent, Way},
};

/// How often in a row a poll may be overtaken before that counts as a failure.
const OVERTAKEN: u32 = 3;

/// The longest answer to a poll beyond one message: the relay's `poll_bytes` and then some.
const ANSWER_BYTES: usize = 1024 * 1024;

/// What an answer said.
struct Answer {
    mailbox: String,
    confirmed: u64,
    message_bytes: usize,
    messages: Vec<(u64, Bytes)>,
}

/// Why a request was not carried out.
enum Failed {
    /// It may work later.
    Later { failure: Failure, retry_after: Option<Duration> },
    /// A later connection of this client has begun to read.
    Overtaken,
    /// The relay does not want this client.
    Refused(Failure),
}

impl<C: Connector> Client<C> {
    /// Until a WebSocket was made, or there is nothing more to do.
    pub(super) async fn rest(&self) -> End<C::Stream> {
        let (probing, is_probing) = watch::channel(false);
        tokio::select! {
            biased;
            end = self.poll_on(is_probing) => end,
            end = self.post_on() => end,
            socket = self.probe_on(probing) => socket,
        }
    }

    /// Polls, one request after the other.
    async fn poll_on(&self, mut is_probing: watch::Receiver<bool>) -> End<C::Stream> {
        let mut connection = None;
        let mut stands = false;
        let mut overtaken = 0;
        let mut turn = self.begin_turn();
        loop {
            let failed = match self.poll(&mut connection, turn, stands).await {
                Ok(answer) => {
                    overtaken = 0;
                    if !std::mem::replace(&mut stands, true) {
                        self.rest_stands().await;
                    }
                    if self.take(answer).await == Applied::Never {
                        // Nobody takes messages any more: only sending goes on.
                        std::future::pending::<()>().await;
                    }
                    continue;
                }
                Err(failed) => failed,
            };
            let (failure, retry_after) = match failed {
                Failed::Refused(failure) => return End::Refused { reason: failure.to_string() },
                Failed::Overtaken if overtaken < OVERTAKEN => {
                    overtaken += 1;
                    // By the probe, most likely: if it succeeds, this loop is not needed any more.
                    let _ended = is_probing.wait_for(|probing| !probing).await;
                    turn = self.begin_turn();
                    continue;
                }
                Failed::Overtaken => (Failure::OtherReader, None),
                Failed::Later { failure, retry_after } => (failure, retry_after),
            };
            stands = false;
            let wait = self.ways().poll_failed();
            self.report_down(Way::Rest, failure).await;
            if self.ways().gives_up() {
                return End::GaveUp;
            }
            sleep(self.wait(wait, retry_after)).await;
            turn = self.begin_turn();
        }
    }

    async fn rest_stands(&self) {
        self.ways().rest_stands();
        self.report_up(Way::Rest).await;
    }

    /// A probe may have begun another turn since: a poll that comes after it must not take its place.
    fn begin_turn(&self) -> u64 {
        self.shared.with(|ledger| ledger.begin_turn()).turn
    }

    /// One poll; the first of several only asks what is there, so that it is soon known to work.
    async fn poll(
        &self,
        connection: &mut Option<HttpConnection>,
        turn: u64,
        stands: bool,
    ) -> Result<Answer, Failed> {
        let wait = if stands { self.settings.poll_wait.max(Duration::from_secs(1)) } else { Duration::ZERO };
        let place = Place { turn, ..self.shared.with(|ledger| ledger.place()) };
        let path = self.target.messages(&self.identity, &place, Some(wait.as_secs()));
        let within = wait + self.settings.answer_within;
        self.ask(connection, "GET", &path, Bytes::new(), within).await
    }

    async fn take(&self, answer: Answer) -> Applied {
        self.welcome(&answer.mailbox, answer.confirmed, answer.message_bytes);
        self.shared.wake();
        self.report_too_long().await;
        for (place, message) in &answer.messages {
            if self.apply(*place, message).await == Applied::Never {
                return Applied::Never;
            }
        }
        Applied::Now
    }

    /// Posts what is handed over, until the transport is closed and nothing is left.
    async fn post_on(&self) -> End<C::Stream> {
        let mut connection = None;
        let mut failures = 0;
        loop {
            let batch = self.shared.with(|ledger| ledger.batch(ledger.longest(self.settings.message_bytes)));
            if batch.is_empty() {
                if self.is_closed_and_sent() {
                    return End::Closed;
                }
                self.shared.changed().await;
                continue;
            }
            let (failure, retry_after) = match self.post(&mut connection, &batch).await {
                Ok(true) => {
                    failures = 0;
                    continue;
                }
                Ok(false) => (Failure::NotConfirmed, None),
                Err(Failed::Refused(failure)) => return End::Refused { reason: failure.to_string() },
                Err(Failed::Overtaken) => (Failure::Overtaken, None),
                Err(Failed::Later { failure, retry_after }) => (failure, retry_after),
            };
            failures += 1;
            self.report(TransportEvent::Delayed { reason: format!("{}: {failure}", Way::Rest) }).await;
            sleep(self.wait(self.settings.backoff.after(failures), retry_after)).await;
        }
    }

    /// Posts messages; whether the relay has at least the first of them.
    async fn post(&self, connection: &mut Option<HttpConnection>, batch: &[Bytes]) -> Result<bool, Failed> {
        let place = self.shared.with(|ledger| ledger.place());
        let path = self.target.messages(&self.identity, &place, None);
        let body = [b"[", batch.join(&b","[..]).as_slice(), b"]"].concat();
        let before = self.shared.with(|ledger| ledger.after(0)).map(|(id, _)| id);
        let answer = self.ask(connection, "POST", &path, body.into(), self.settings.answer_within).await?;
        self.shared.with(|ledger| ledger.confirm(answer.confirmed));
        let after = self.shared.with(|ledger| ledger.after(0)).map(|(id, _)| id);
        Ok(before != after)
    }

    /// Tries to make a WebSocket, again and again.
    async fn probe_on(&self, probing: watch::Sender<bool>) -> End<C::Stream> {
        if !self.ways().probes() {
            std::future::pending::<()>().await;
        }
        loop {
            let wait = self.ways().probe_after();
            sleep(self.jittered(wait)).await;
            probing.send_replace(true);
            if let Ok(socket) = self.establish().await {
                self.ways().websocket_stands(tokio::time::Instant::now());
                return End::Upgraded(Box::new(socket));
            }
            probing.send_replace(false);
        }
    }

    fn wait(&self, wait: Duration, retry_after: Option<Duration>) -> Duration {
        let asked = retry_after.unwrap_or_default().min(self.settings.longest_retry_after);
        self.jittered(wait).max(asked)
    }

    /// One request, on the connection there is or on a new one.
    async fn ask(
        &self,
        connection: &mut Option<HttpConnection>,
        method: &str,
        path: &str,
        body: Bytes,
        within: Duration,
    ) -> Result<Answer, Failed> {
        let late = |_| Failed::from(Failure::Unanswered { within });
        if let Some(mut idle) = connection.take() {
            let exchange = self.exchange(&mut idle, method, path, body.clone());
            // The relay may have closed it while it was idle: an error says nothing about a new one.
            if let Ok(reply) = timeout(within, exchange).await.map_err(late)? {
                *connection = Some(idle);
                return read(reply);
            }
        }
        let stream = self.connect().await?;
        let mut new = HttpConnection::new(stream).await?;
        let exchange = self.exchange(&mut new, method, path, body);
        let reply = timeout(within, exchange).await.map_err(late)??;
        *connection = Some(new);
        read(reply)
    }

    async fn exchange(
        &self,
        connection: &mut HttpConnection,
        method: &str,
        path: &str,
        body: Bytes,
    ) -> Result<Reply, Failure> {
        let builder = self.target.request(method, path);
        let request: Request<Full<Bytes>> = builder.body(Full::new(body))?;
        let message_bytes = self.settings.message_bytes.saturating_add(FRAME_OVERHEAD_BYTES);
        connection.request(request, message_bytes.saturating_add(ANSWER_BYTES)).await
    }
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        Self::Later { failure, retry_after: None }
    }
}

fn read(reply: Reply) -> Result<Answer, Failed> {
    let Reply { status, retry_after, body } = reply;
    let answer: Option<RestAnswer<'_>> = serde_json::from_slice(&body).ok();
    let Some(answer) = answer else {
        return Err(Failed::Later { failure: Failure::NotOfARelay { status }, retry_after });
    };
    if let RestAnswer {
        mailbox: Some(mailbox),
        confirmed: Some(confirmed),
        message_bytes: Some(message_bytes),
        ..
    } = answer
    {
        let mail = answer.messages.unwrap_or_default();
        let mail =
            mail.iter().map(|mail| (mail.place, Bytes::copy_from_slice(mail.message.get().as_bytes())));
        return Ok(Answer { mailbox, confirmed, message_bytes, messages: mail.collect() });
    }
    Err(match answer.errors.into_iter().next() {
        Some(RestError { code: ErrorCode::Stale, .. }) => Failed::Overtaken,
        Some(RestError { code, message, .. }) => {
            let is_final = matches!(
                code,
                ErrorCode::Replaced | ErrorCode::Unauthorized | ErrorCode::Forbidden | ErrorCode::WrongSender
            );
            let failure = Failure::Refused { code, message };
            if is_final { Failed::Refused(failure) } else { Failed::Later { failure, retry_after } }
        }
        None => Failed::Later { failure: Failure::Incomplete { status }, retry_after },
    })
}
