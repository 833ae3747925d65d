//! The participant's end of signalling over HTTP: a WebSocket where one gets through, REST where none
//! does, and not a message more or less for the change.
//!
//! [`FallbackTransport`] begins with a WebSocket, unless it is to take [one way](AllowedWays) only. It falls back to REST when the upgrade is refused or
//! hangs, when the relay's `welcome` does not come through, and when WebSockets are cut again and
//! again; from there it probes its way back, each time after a longer wait, and goes over to a
//! WebSocket as soon as one stands. Heartbeats notice connections that died in silence.
//!
//! ```text
//!             refused, hangs, cut `cuts` times within `cuts_within`
//!   WebSocket ────────────────────────────────────────────────────► REST
//!      ▲ │ lost: wait, again                              failed: wait, │ ▲
//!      │ └──┐                                             again         └─┘
//!      └────┴───────────────────────────────────────────────────────────
//!             a probe's WebSocket was welcomed
//! ```
//!
//! Invariants:
//! - What was handed over is kept until the relay has confirmed it, and sent in order on every way.
//! - What arrived is applied once: a place up to the cursor is dropped, and the cursor moves only when
//!   the application can take the message.
//! - One task owns everything, and ends with the handle.
//! - Every wait has a setting; jitter comes from a function that is handed in.
//!
//! Deliberately absent: TLS, which belongs to the connector; proxies of the client's own.

mod backoff;
mod connection;
mod failure;
mod ledger;
mod pulse;
mod rest;
mod session;
mod settings;
mod shared;
mod target;
mod transport;
mod ways;
mod websocket;

pub use backoff::{Backoff, Jitter};
pub use settings::{AllowedWays, FallbackSettings};
pub use target::Target;
pub use transport::FallbackTransport;

pub use crate::tcp::{Connector, Identity};
