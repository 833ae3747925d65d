//! Posting and polling.

use axum::{
    body::{Body, to_bytes},
    extract::State,
    http::{HeaderMap, Request, Uri},
    response::Response,
};
use serde_json::value::RawValue;
use tokio::time::{sleep, timeout};

use super::{
    answer, request,
    routes::App,
    settings::body_bytes,
    stop::{Stop, Stopping},
};
use crate::{
    delivery::{RestAnswer, RestError, RestMail},
    message::{Envelope, ErrorCode, Message, ParticipantId},
    relay::{EntryWay, Refusal, RelayConnection, RestFault, RestRequest, Welcome},
};

pub(super) async fn poll(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Response {
    let asked = match request::read(&app, &uri, &headers, EntryWay::Poll) {
        Ok(asked) => asked,
        Err(refused) => return *refused,
    };
    let who = asked.entry.participant.clone();
    let limits = app.settings.limits;
    let wait = asked.wait.unwrap_or(limits.poll_wait).min(limits.longest_poll_wait);
    let carry_out = async {
        let connection = app.relay.connect();
        let welcome = connection.enter(&asked.entry)?;
        let mail = tokio::select! {
            biased;
            mail = connection.mail(limits.poll_bytes) => mail.ok_or_else(|| overtaken(&connection))?,
            () = ends(&app.stop) => Vec::new(),
            () = sleep(wait) => Vec::new(),
        };
        let (welcome, mail) = (&welcome, &mail);
        let answer = answer::answer(&RestAnswer {
            messages: Some(mail.iter().filter_map(|(place, message)| rest_mail(*place, message)).collect()),
            ..greeting(&app, welcome, connection.confirmed())
        });
        connection.stored().await;
        Ok(answer)
    };
    with_faults(&app, &who, RestRequest::Poll, carry_out).await
}

pub(super) async fn post(State(app): State<App>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let asked = match request::read(&app, &head.uri, &head.headers, EntryWay::Post) {
        Ok(asked) => asked,
        Err(refused) => return *refused,
    };
    let who = asked.entry.participant.clone();
    let carry_out = async {
        let body = read_body(&app, body).await?;
        let messages = divide(&body)?;
        let connection = app.relay.connect();
        let welcome = connection.enter(&asked.entry)?;
        connection.has_room().await;
        let errors = receive(&connection, &messages);
        let answer = RestAnswer { errors, ..greeting(&app, &welcome, connection.confirmed()) };
        let answer = answer::answer(&answer);
        connection.stored().await;
        Ok(answer)
    };
    with_faults(&app, &who, RestRequest::Post, carry_out).await
}

/// Lets the scenario have its say.
async fn with_faults(
    app: &App,
    who: &ParticipantId,
    request: RestRequest,
    carry_out: impl Future<Output = Result<Response, Refusal>>,
) -> Response {
    let fault = app.relay.rest_fault(who, request);
    let unavailable = || answer::refuse(ErrorCode::Unavailable, "a fault, as the scenario says");
    match fault {
        Some(RestFault::TooManyRequests { retry_after }) => return answer::too_many_requests(retry_after),
        Some(RestFault::ServerError) => return unavailable(),
        Some(RestFault::Slow(by)) => sleep(by).await,
        Some(RestFault::AnswerLost) | None => {}
    }
    let answer = carry_out.await.unwrap_or_else(Response::from);
    if fault == Some(RestFault::AnswerLost) { unavailable() } else { answer }
}

async fn read_body(app: &App, body: Body) -> Result<bytes::Bytes, Refusal> {
    let limit = body_bytes(app.relay.settings().limits.message_bytes);
    match timeout(app.settings.limits.body_within, to_bytes(body, limit)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) => {
            let source = std::error::Error::source(&error);
            if source.is_some_and(|source| source.is::<http_body_util::LengthLimitError>()) {
                let reason = format!("the body has more than the {limit} bytes that are accepted");
                return Err(Refusal { code: ErrorCode::TooLarge, reason });
            }
            Err(Refusal { code: ErrorCode::Malformed, reason: format!("the body did not arrive: {error}") })
        }
        Err(_) => {
            let reason = format!("the body did not arrive within {:?}", app.settings.limits.body_within);
            Err(Refusal { code: ErrorCode::Malformed, reason })
        }
    }
}

/// The messages of a body, as they came: one envelope, or an array of them.
fn divide(body: &[u8]) -> Result<Vec<&[u8]>, Refusal> {
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'[') {
        return Ok(vec![body]);
    }
    let messages: Vec<&RawValue> = serde_json::from_slice(body).map_err(|error| Refusal {
        code: ErrorCode::Malformed,
        reason: format!("the body is not an array of messages: {error}"),
    })?;
    Ok(messages.into_iter().map(|message| message.get().as_bytes()).collect())
}

fn receive(connection: &RelayConnection, messages: &[&[u8]]) -> Vec<RestError> {
    let mut errors = Vec::new();
    for message in messages {
        connection.receive(message);
        errors.extend(connection.answers().iter().filter_map(|answer| rest_error(answer)));
        if connection.is_closing() {
            let reason = "too much of your own mail waits: read it first";
            errors.push(RestError::new(ErrorCode::QueueFull, reason));
            break;
        }
    }
    errors
}

/// Why a poll lost its mailbox: the relay has told it so only if another client came.
fn overtaken(connection: &RelayConnection) -> Refusal {
    let told = connection.answers().iter().find_map(|answer| rest_error(answer));
    match told {
        Some(RestError { code, message, .. }) => Refusal { code, reason: message },
        None => {
            let reason = "a later connection of this session has begun to read".to_owned();
            Refusal { code: ErrorCode::Stale, reason }
        }
    }
}

fn rest_error(answer: &[u8]) -> Option<RestError> {
    match Envelope::from_json(answer).ok()?.body {
        Message::Error { code, message, about } => Some(RestError { code, message, about }),
        _ => None,
    }
}

fn rest_mail(place: u64, message: &[u8]) -> Option<RestMail<'_>> {
    // The relay has read it as JSON before.
    Some(RestMail { place, message: serde_json::from_slice(message).ok()? })
}

fn greeting<'a>(app: &App, welcome: &Welcome, confirmed: u64) -> RestAnswer<'a> {
    RestAnswer {
        mailbox: Some(welcome.mailbox.to_string()),
        confirmed: Some(confirmed),
        message_bytes: Some(app.relay.settings().limits.message_bytes),
        ..RestAnswer::default()
    }
}

/// Resolves when the server stops; a poll then has its answer early.
async fn ends(stop: &Stop) {
    match stop.stopping().await {
        Stopping::Gracefully => {}
        Stopping::AtOnce => std::future::pending().await,
    }
}
