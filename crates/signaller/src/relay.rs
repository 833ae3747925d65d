//! The relay: takes messages from participants, keeps them until the addressee is there, and passes
//! them on.
//!
//! [`Relay`] is the rules alone: bytes in, [`Action`]s out, no input or output, no time. [`SharedRelay`]
//! runs it: it wakes writers, sleeps for held messages and calls the observer. A [`RelayConnection`] is
//! what an endpoint for TCP, WebSocket or REST drives.
//!
//! Invariants:
//! - Messages of one sender to one addressee are passed on in the order of sending, but for those that
//!   a [`DelayRule`] holds.
//! - A message is passed on as it came, byte for byte: fields that the relay does not know survive it.
//! - A message leaves its mailbox when it was written, not before: whoever reconnects gets the rest.
//! - Everything that a client can make grow has a limit in [`Limits`], and an answer at the limit.
//!
//! Deliberately absent: authentication, and acknowledgements by the addressee. What was written to a
//! connection that then died is lost.

mod admission;
mod connection;
mod core;
mod event;
mod limits;
mod mailbox;
mod rules;
mod shared;

pub use self::core::{Action, ConnectionId, HeldId, Next, Relay};
pub use connection::RelayConnection;
pub use event::{Observer, Passage, RelayEvent};
pub use limits::{Limits, RelaySettings};
pub use rules::DelayRule;
pub use shared::SharedRelay;
