//! The sequence of a call: peers and server side by side, time downwards.
//!
//! One [`Sequence`] is made of a trace and its findings, and drawn by [`terminal`] or [`svg`].

mod sequence;
mod svg;
mod terminal;

pub use sequence::{Row, RowKind, Sequence, Tone};
pub use svg::svg;
pub use terminal::terminal;
