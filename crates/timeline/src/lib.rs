//! The words that every other crate shares: when something happened ([`VirtualTime`]), to whom
//! ([`Name`]), what it was ([`Event`]), which packet crossed which link ([`PacketRecord`]), and the
//! two forms in which a run is kept: the [`Timeline`] for people and reports, the [`Digest`] for the
//! promise that one seed gives the same bytes everywhere.
//!
//! What all crates do with words is here as well: closed sets of them ([`Word`], [`words!`]), the one that was
//! meant ([`nearest`]), and those that a glob means ([`fits_glob`]).
//!
//! Invariants:
//! - Nothing here reads a clock, draws randomness or performs input or output.
//! - Rendering is a pure function of the timeline; whatever is volatile is made stable here and
//!   nowhere else.
//!
//! Deliberately absent: any knowledge of WebRTC, of sockets, or of how a run is made.

mod digest;
mod event;
mod glob;
mod lanes;
mod name;
mod nearest;
mod packet;
mod render;
mod time;
mod word;

pub use digest::Digest;
pub use event::{CandidateFate, Entry, Event, Machine, Timeline};
pub use glob::fits_glob;
pub use lanes::side_by_side;
pub use name::Name;
pub use nearest::nearest;
pub use packet::{DtlsContent, PacketRecord, Protocol, StunClass, TcpFlags, Transit, Translated, Verdict};
pub use render::transcript;
/// For [`words!`].
#[doc(hidden)]
pub use serde as __serde;
pub use time::VirtualTime;
pub use word::Word;
