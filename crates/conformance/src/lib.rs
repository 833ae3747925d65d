//! A table of what W3C webrtc-pc and the IETF's JSEP (RFC 9429) ask of a peer connection, derived from
//! the web-platform-tests. Each row is tried twice, each time in a world of its own and in virtual time:
//! against bare `webrtc`, as it comes from crates.io, and through [`call_engine`], which an app talks to.
//!
//! ```
//! use conformance::{Pins, judge, play_row, rows};
//!
//! let row = rows().into_iter().find(|row| row.id == "stable-set-local-offer").unwrap();
//! let played = play_row(row);
//! assert_eq!(played.bare.unwrap().word(), "pass");
//! ```
//!
//! What bare `webrtc` does otherwise is *pinned*: `pinned.toml` says what was found. [`judge`] reports what
//! differs from it, so that a repair upstream is noticed as well as a new defect.
//!
//! Invariants:
//! - A row's verdicts are a function of the row: the same on every machine and on any number of threads.
//! - "Never happens" is proved to the end of the run: 60 virtual seconds more, which is longer than any
//!   timer of the stack under test, then everything is closed, and no task and no timer is left.
//! - The engine's column holds `deviates` only with a reason, in `pinned.toml`.
//!
//! Section numbers are those of the W3C editor's draft of webrtc-pc at commit `1a2dfb4`, and of RFC 9429.
//!
//! Deliberately absent: simulcast, DTMF, identity, and what only JavaScript has (interfaces, promises).

mod engine_side;
mod markdown;
mod pins;
mod play;
mod row;
mod sdp;
mod spec;
mod stage;
mod table;

pub use markdown::{Counts, counts, markdown};
pub use pins::{Pin, PinError, Pins, Side, Surprise, judge};
pub use play::{Broken, Played, Verdict, play, play_row, play_row_guarded};
pub use row::{Group, Row};
pub use table::rows;
