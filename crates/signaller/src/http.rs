//! The relay on HTTP: a WebSocket endpoint and a REST endpoint with long polls, as
//! [`delivery`](crate::delivery) describes them.
//!
//! [`serve`] runs them on anything that accepts streams: sockets of a simulated network or real ones.
//! [`router`] gives the endpoints alone, to be put beside others.
//!
//! Invariants:
//! - Everything that [`serve`] has begun ends with it: when it is told to stop, after the last answers;
//!   when it is dropped, at once, as with a power loss.
//! - No clock but [`Clock`], which is handed in: `Date` (RFC 9110 §6.6.1) and the expiry of tokens follow it.
//! - What a client can make grow has a limit in [`HttpLimits`] or in the relay's
//!   [`Limits`](crate::relay::Limits), and an answer at the limit.
//!
//! Deliberately absent: TLS, which belongs to whatever stands before it; HTTP/2.

mod answer;
mod clock;
mod cors;
mod origin;
mod request;
mod rest;
mod routes;
mod serve;
mod settings;
mod stop;
mod stream;
mod websocket;

pub use axum::serve::{Listener, ListenerExt};
pub use clock::Clock;
pub use origin::{Origin, OriginError, PageCheck, Pages};
pub use routes::router;
pub use serve::serve;
pub use settings::{HttpLimits, HttpSettings};
