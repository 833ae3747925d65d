//! Signalling: what the participants of a call tell each other before and while media flows, and how
//! it gets from one to the other.
//!
//! - [`message`]: the messages and their JSON.
//! - [`transport`]: what a call engine needs of signalling, whatever carries it.
//! - [`memory`]: a transport without a network, for tests of an engine.
//! - [`relay`]: the server that stores messages and forwards them.
//! - [`tcp`]: relay and participant joined by a byte stream with framed messages.
//!
//! Invariants:
//! - Nothing here opens a socket: streams, or a connector that makes them, are handed in. What runs on
//!   a simulated network runs on a real one.
//! - Nothing here draws randomness or reads a clock; waiting is left to `tokio::time`.
//! - No task outlives the handle that it works for.
//!
//! Deliberately absent: any knowledge of WebRTC beyond the fields of its messages (SDP is an opaque
//! text), of a simulator, and of who may call whom.

pub mod memory;
pub mod message;
pub mod relay;
pub mod tcp;
pub mod transport;

pub use message::{
    ByeReason, CallId, Candidate, Envelope, ErrorCode, Kind, Media, Message, MessageError, ParticipantId,
    RejectReason, SessionId,
};
pub use transport::{Outgoing, Transport, TransportError, TransportEvent};
