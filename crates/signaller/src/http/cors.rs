//! Tells browsers which pages may read answers (Fetch standard, CORS protocol).

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::Response,
};

use super::{answer, request, routes::App};

/// How long a browser may remember what a page may do, in seconds.
const REMEMBER_S: u64 = 600;

pub(super) async fn check(State(app): State<App>, request: Request, next: Next) -> Response {
    let reader = match app.settings.pages.check(request.headers()) {
        Ok(reader) => reader,
        Err(refusal) => {
            let (participant, call) = request::claimed(request.uri());
            return with_vary(answer::refused(&app, call, participant, refusal));
        }
    };
    let asks_first = request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match &reader {
        Some(_) if request.method() == Method::OPTIONS && asks_first => preflight(),
        _ => next.run(request).await,
    };
    if let Some(reader) = reader {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, reader);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after, date"));
    }
    with_vary(response)
}

fn preflight() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    let allowed = HeaderValue::from_static("authorization, content-type");
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, REMEMBER_S.into());
    response
}

/// An answer to one page is none to another.
fn with_vary(mut response: Response) -> Response {
    response.headers_mut().append(header::VARY, HeaderValue::from_static("origin"));
    response
}
