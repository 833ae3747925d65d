//! The backend: `POST /tokens/{call}/{participant}` gives a token, and the signaller takes it.

use std::sync::Arc;

use axum::{Router, extract::Path, routing::post};
use signaller::{
    CallId,
    access::{Grant, Secret},
    http::{self, HttpSettings},
    relay::{RelaySettings, SharedRelay},
};
use webrtc_turmoil::{TurmoilListener, clock};

/// Where it listens.
pub const PORT: u16 = 80;

/// For how long a token is valid, in seconds.
const TOKEN_S: u64 = 3600;

/// The host's software. turmoil starts it again after a `bounce`.
///
/// # Errors
/// Where the port is in use.
pub async fn serve() -> turmoil::Result {
    let secret = Secret::new("only the backend knows these bytes")?;
    // A backend that starts again has lost what waited: another epoch tells its clients.
    let epoch = clock().now().as_secs();
    let settings = RelaySettings { secret: Some(secret.clone()), epoch, ..RelaySettings::default() };
    let relay = SharedRelay::new(settings, Arc::new(|_| {}));
    let token = move |Path((call, participant)): Path<(String, String)>| async move {
        let grant = Grant {
            call: CallId::new(call),
            participant: participant.into(),
            expires_s: clock().now().as_secs() + TOKEN_S,
        };
        secret.issue(&grant).as_str().to_owned()
    };
    let routes = Router::new()
        .route("/tokens/{call}/{participant}", post(token))
        .merge(http::router(relay, HttpSettings::new(clock())));
    axum::serve(TurmoilListener::bind(PORT).await?, routes).await?;
    Ok(())
}
