//! What REST answers.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};

use super::routes::App;
use crate::{
    delivery::{RestAnswer, RestError, status_of},
    message::{CallId, ErrorCode, ParticipantId},
    relay::{Refusal, RelayEvent},
};

/// What a client is asked to wait for where the relay has no room for it, in seconds.
const RETRY_WHEN_FULL_S: u64 = 5;

/// 200, or the status of the first error.
pub(super) fn answer(answer: &RestAnswer<'_>) -> Response {
    let Some(error) = answer.errors.first() else { return json(StatusCode::OK, answer.to_json()) };
    let status = StatusCode::from_u16(status_of(&error.code)).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = json(status, answer.to_json());
    match error.code {
        ErrorCode::Unauthorized => {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        ErrorCode::RelayFull => {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_WHEN_FULL_S.into());
        }
        _ => {}
    }
    response
}

/// The request as a whole is refused.
pub(super) fn refuse(code: ErrorCode, reason: impl Into<String>) -> Response {
    answer(&RestAnswer { errors: vec![RestError::new(code, reason)], ..RestAnswer::default() })
}

/// As [`refuse`], with a status that says more than the code.
pub(super) fn refuse_with(status: StatusCode, code: ErrorCode, reason: impl Into<String>) -> Response {
    let mut response = refuse(code, reason);
    *response.status_mut() = status;
    response
}

/// 429 with `Retry-After`.
pub(super) fn too_many_requests(retry_after: Duration) -> Response {
    let reason = "too many requests, as the scenario says";
    let mut response = refuse_with(StatusCode::TOO_MANY_REQUESTS, ErrorCode::Unavailable, reason);
    let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
    response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    response
}

/// A request is refused before the relay hears of it, which is reported.
pub(super) fn refused(
    app: &App,
    call: Option<CallId>,
    participant: Option<ParticipantId>,
    refusal: Refusal,
) -> Response {
    let Refusal { code, reason } = refusal.clone();
    app.relay.report(RelayEvent::Refused { call, participant, code, reason });
    refusal.into()
}

impl From<Refusal> for Response {
    fn from(Refusal { code, reason }: Refusal) -> Self {
        refuse(code, reason)
    }
}

fn json(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // Mail is for one reader (RFC 9111 §5.2.2.5).
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
