//! The signalling of a run: the server on its host, and each peer's way to it.
//!
//! Invariants:
//! - Server and clients are the ones of [`signaller`], unchanged, on sockets of the world.
//! - A server that loses power says nothing more to anybody, its observer included.

mod client;
mod server;
mod watched;
mod words;

use std::time::Duration;

use signaller::{
    CallId,
    access::{Grant, Secret},
};
use timeline::Name;

pub(super) use self::{client::transport, server::Server};

/// Where the signaller takes framed messages: the other port that firewalls let out that let out only the web.
const STREAM_PORT: u16 = 80;
/// Where it takes WebSockets and REST requests: the port that firewalls leave open. A world has no TLS.
const HTTP_PORT: u16 = 443;

/// The secret of every signaller that wants tokens.
fn secret() -> Secret {
    Secret::new("the secret of all simulated signallers").expect("it is long enough")
}

/// A right to join the script's call. Tokens are for one call, and so is a script that wants them.
fn grant(participant: &Name, call: &str, expires: Duration) -> Grant {
    let expires_s = stage::EPOCH_S + expires.as_secs();
    Grant { call: CallId::new(call), participant: participant.clone(), expires_s }
}

/// The script's call.
const CALL: &str = "call-1";
