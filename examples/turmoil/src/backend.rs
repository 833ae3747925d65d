//! The backend: `POST /tokens/{call}/{participant}` gives a token, and the signaller takes it.

use std::{sync::Arc, time::Duration};

use axum::{Router, extract::Path, routing::post};
use signaller::{
    CallId,
    access::{Grant, Secret},
    http::{self, Clock, HttpSettings},
    relay::{RelaySettings, SharedRelay},
};
use webrtc_turmoil::TurmoilListener;

use crate::EPOCH_S;

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
    let clock = Clock::starting_at(Duration::from_secs(EPOCH_S));
    let settings = RelaySettings { secret: Some(secret.clone()), ..RelaySettings::default() };
    let relay = SharedRelay::new(settings, Arc::new(|_| {}));
    let now = clock.clone();
    let token = move |Path((call, participant)): Path<(String, String)>| async move {
        let grant = Grant {
            call: CallId::new(call),
            participant: participant.into(),
            expires_s: now.now().as_secs() + TOKEN_S,
        };
        secret.issue(&grant).as_str().to_owned()
    };
    let routes = Router::new()
        .route("/tokens/{call}/{participant}", post(token))
        .merge(http::router(relay, HttpSettings::new(clock)));
    axum::serve(TurmoilListener::bind(PORT).await?, routes).await?;
    Ok(())
}
