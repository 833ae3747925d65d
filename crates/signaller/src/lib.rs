//! Signalling: what the participants of a call tell each other before and while media flows, and how
//! it gets from one to the other.
//!
//! - [`message`]: the messages and their JSON.
//! - [`transport`]: what a call engine needs of signalling, whatever carries it.
//! - [`memory`]: a transport without a network, for tests of an engine.
//! - [`relay`]: the server that stores messages and forwards them.
//! - [`tcp`]: relay and participant joined by a byte stream with framed messages.
//! - [`http`]: the relay's WebSocket and REST endpoints; [`client`]: the participant's end of them, which
//!   changes from one to the other without losing or repeating a message; [`delivery`]: what they say to
//!   each other.
//! - [`access`]: the tokens with which a relay that wants some knows who may join a call.
//!
//! Invariants:
//! - Nothing here opens a socket: streams, or a connector that makes them, are handed in. What runs on
//!   a simulated network runs on a real one.
//! - Nothing here reads a clock; waiting is left to `tokio::time`. Jitter and the time of day come from
//!   functions that are handed in. The only randomness that is drawn here are the key and the masks of
//!   a WebSocket (RFC 6455 §4.1, §5.3), which its library takes from the system.
//! - No task outlives the handle that it works for.
//!
//! Deliberately absent: any knowledge of WebRTC beyond the fields of its messages (SDP is an opaque
//! text), of a simulator, and of who may call whom.

pub mod access;
pub mod client;
pub mod delivery;
mod handle;
pub mod http;
pub mod memory;
pub mod message;
pub mod relay;
pub mod tcp;
pub mod transport;

pub use message::{
    ByeReason, CallId, Candidate, Envelope, ErrorCode, Kind, Media, Message, MessageError, ParticipantId,
    RejectReason, SessionId,
};
pub use transport::{Outgoing, Transport, TransportError, TransportEvent, Way};
