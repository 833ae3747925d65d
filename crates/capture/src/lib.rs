//! Captured calls: what production saw, in one form, judged and drawn.
//!
//! ```text
//! files ─► reader ─► Recording ─┐
//! files ─► reader ─► Recording ─┴► merge ─► Trace ─► audit ─► Findings
//!            ▲                               └────► diagram
//!         mapping: the application's signalling JSON → Signal
//! ```
//!
//! - [`reader`]: webrtc-internals dumps, rtcstats dumps, HAR files, relay logs, page event logs, timelines.
//! - [`mapping`]: where an application puts type, SDP and candidate in its messages. Public protocols (SIP, Janus, Matrix
//!   and others) need none.
//! - [`mod@merge`]: several files of one call become one trace, on one clock.
//! - [`trace`]: the model.
//! - [`audit`]: the trace against the rules of JSEP, ICE and the call guide.
//! - [`diagram`]: peers and server in time, for a terminal and as SVG.
//! - [`redact`]: a copy of a file without addresses, credentials, fingerprints and names.
//!
//! Invariants:
//! - Any bytes may be handed in: nothing here panics, hangs, or keeps more than [`Limits`] allows.
//! - Nothing here reads a clock or draws randomness; all output is a pure function of the input.
//!
//! Deliberately absent: re-executing a trace (that is the scenario crate's), and any knowledge of our own
//! engine.

pub mod audit;
pub mod candidate;
pub mod diagram;
mod error;
mod format;
mod json;
mod limits;
pub mod mapping;
pub mod merge;
mod moment;
mod protocol;
pub mod reader;
pub mod redact;
pub mod sdp;
pub mod trace;

pub use error::{Position, ReadError};
pub use format::Format;
pub use limits::Limits;
pub use mapping::{Mapping, MappingError, Mappings};
pub use merge::{Capture, merge};

pub use moment::Moment;
pub use reader::{Recording, read, read_file};
pub use trace::{Outcome, Trace};
