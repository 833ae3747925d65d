//! Signalling over a byte stream: each message is a frame of a length in 4 bytes, big-endian, and that
//! many bytes of JSON.
//!
//! [`serve_connection`] is the relay's end of a stream, [`TcpTransport`] the participant's. Both run on
//! anything that reads and writes bytes: a socket of a simulated network, a real one, a pipe in memory.
//!
//! Invariants:
//! - A frame longer than the limit is refused by its length, before memory is set aside for it.
//! - Every wait has a setting.
//!
//! Deliberately absent: keep-alives. A connection that dies silently is noticed when something is
//! written to it and the stream reports it.

mod frame;
mod outbox;
mod serve;
mod session;
mod settings;
mod transport;

pub use serve::serve_connection;
pub use settings::{ClientSettings, Connector, Identity};
pub use transport::TcpTransport;
