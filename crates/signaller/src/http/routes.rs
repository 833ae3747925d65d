use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderValue, Method, StatusCode, Uri, header},
    middleware::{from_fn_with_state, map_response},
    response::Response,
    routing::get,
};

use super::{HttpSettings, answer, cors, rest, stop::Stop, websocket};
use crate::{
    delivery::{MESSAGES_PATH, WEBSOCKET_PATH},
    message::ErrorCode,
    relay::SharedRelay,
};

/// What every handler knows.
#[derive(Clone)]
pub(super) struct App {
    pub(super) relay: SharedRelay,
    pub(super) settings: Arc<HttpSettings>,
    pub(super) stop: Stop,
}

/// The endpoints of `relay`. WebSockets end with their clients: what [`serve`](super::serve) does about
/// stopping, about limits on streams and about faults of a stream is missing here.
pub fn router(relay: SharedRelay, settings: HttpSettings) -> Router {
    routes(App { relay, settings: Arc::new(settings), stop: Stop::never() })
}

pub(super) fn routes(app: App) -> Router {
    let clock = app.settings.clock.clone();
    let date = move |mut response: Response| {
        // hyper leaves a date that is there alone, and would otherwise write the machine's own.
        if let Ok(date) = HeaderValue::from_str(&clock.http_date()) {
            response.headers_mut().insert(header::DATE, date);
        }
        std::future::ready(response)
    };
    // `get` alone would take HEAD as well, which must change nothing (RFC 9110 §9.2.1); a poll does.
    let mut router = Router::new()
        .route(WEBSOCKET_PATH, get(websocket::upgrade).head(not_allowed))
        .route(MESSAGES_PATH, get(rest::poll).head(not_allowed).post(rest::post))
        .fallback(not_found)
        .method_not_allowed_fallback(not_allowed);
    if !app.settings.pages.is_off() {
        router = router.layer(from_fn_with_state(app.clone(), cors::check));
    }
    router.layer(map_response(date)).with_state(app)
}

async fn not_found(uri: Uri) -> Response {
    let reason = format!("there is no `{}`; there are {WEBSOCKET_PATH} and {MESSAGES_PATH}", uri.path());
    answer::refuse(ErrorCode::NotFound, reason)
}

async fn not_allowed(method: Method, uri: Uri) -> Response {
    let reason = format!("`{}` takes no {method}", uri.path());
    let mut response = answer::refuse_with(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::NotAllowed, reason);
    let allowed = if uri.path() == WEBSOCKET_PATH { "GET" } else { "GET, POST" };
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    response
}
