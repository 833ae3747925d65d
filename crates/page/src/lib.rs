//! Pages about calls: a run, two runs beside each other, a captured call and its re-execution, a whole suite. Each is one
//! HTML file that opens without a network, from a disk or a mail.
//!
//! ```text
//! Timeline ─► View ─► CallPage ─► render ─► one HTML file: style, script and data are in it
//! ```
//!
//! Invariants:
//! - A page is a pure function of what was recorded: nothing here reads a file, a clock or the network.
//! - Whatever stands in names, messages and session descriptions is data: none of it becomes markup or code. Texts are
//!   escaped by the templates, data stands in a block of JSON without `<`, `>` and `&`.
//! - The Content-Security-Policy of a page allows its own script and style, by their hashes, and nothing else.
//! - A page has no character that steers a terminal or turns the direction of writing ([`timeline::escaped_lines`] leaves
//!   it as it is).
//!
//! Deliberately absent: what a run is judged by. `callsim` hands verdicts over in words.

mod call;
mod data;
mod decode;
mod document;
mod packets;
mod report;
mod suite;
mod view;

pub use call::{CallPage, Difference, Layout, Mark, Moment, Tone, Verdict};
pub use report::{Block, ReportPage};
pub use suite::{Cell, FailedRun, Row, SuitePage};
pub use view::{CapturedMessage, Message, Source, SourceStep, View};
