use std::{error::Error, io, time::Duration};

use hyper::{StatusCode, http};
use thiserror::Error;
use tokio_tungstenite::tungstenite;

use crate::{delivery::FrameError, message::ErrorCode};

/// Why a way to the relay failed, in the words of `TransportEvent::Down` and `Delayed`.
#[derive(Debug, Error)]
pub(super) enum Failure {
    #[error("no connection within {within:?}")]
    NoConnection { within: Duration },
    /// The connector failed.
    #[error(transparent)]
    Connector(#[from] io::Error),

    #[error("the upgrade was refused: HTTP status {}", .status.as_u16())]
    UpgradeRefused { status: StatusCode },
    #[error("no answer to the upgrade within {within:?}")]
    UpgradeUnanswered { within: Duration },
    #[error("no `welcome` within {within:?}")]
    NoWelcome { within: Duration },
    #[error("the relay sent something else before `welcome`")]
    NotWelcome,
    #[error("nothing was heard within {within:?} of a heartbeat")]
    Silent { within: Duration },
    #[error("nothing could be written within {within:?}")]
    Stuck { within: Duration },
    #[error("the relay closed the WebSocket")]
    Closed,
    #[error("the relay closed the WebSocket with {code}")]
    ClosedWith { code: u16 },
    #[error(transparent)]
    WebSocket(Box<tungstenite::Error>),
    #[error(transparent)]
    Frame(#[from] FrameError),

    #[error("no answer within {within:?}")]
    Unanswered { within: Duration },
    #[error(transparent)]
    Request(#[from] http::Error),
    #[error(transparent)]
    Http(#[from] hyper::Error),
    /// The answer ended too soon, or is too long.
    #[error(transparent)]
    Body(Box<dyn Error + Send + Sync>),
    #[error("HTTP status {}, and no answer of a relay", .status.as_u16())]
    NotOfARelay { status: StatusCode },
    #[error("HTTP status {} with {}", .status.as_u16(), what_is_missing(*.status))]
    Incomplete { status: StatusCode },
    #[error("{code}: {message}")]
    Refused { code: ErrorCode, message: String },
    #[error("the relay does not confirm")]
    NotConfirmed,
    #[error("overtaken")]
    Overtaken,
    #[error("somebody else reads as this client")]
    OtherReader,
}

impl From<tungstenite::Error> for Failure {
    fn from(error: tungstenite::Error) -> Self {
        Self::WebSocket(Box::new(error))
    }
}

fn what_is_missing(status: StatusCode) -> &'static str {
    if status == StatusCode::OK { "an incomplete answer" } else { "no error" }
}
