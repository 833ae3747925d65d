//! The words that every other crate shares: when something happened ([`VirtualTime`]), to whom
//! ([`Name`]), what it was ([`Event`]), which packet crossed which link ([`PacketRecord`]), and the
//! two forms in which a run is kept: the [`Timeline`] for people and reports, the [`Digest`] for the
//! promise that one seed gives the same bytes everywhere.
//!
//! What all crates do with words is here as well: closed sets of them ([`Word`], [`words!`]), the one that was
//! meant ([`nearest`]), those that a glob means ([`fits_glob`]), and those of others, made safe to show ([`escaped`]) and
//! to fit a terminal ([`Table`], [`fit_lines`]).
//!
//! States, causes, candidates and types of messages are enums here, once for all crates, and become text in the two
//! renderers ([`transcript`], [`side_by_side`]) and in reports.
//!
//! Invariants:
//! - Nothing here reads a clock, draws randomness or performs input or output.
//! - Rendering is a pure function of the timeline; whatever is volatile is made stable here and
//!   nowhere else.
//!
//! Deliberately absent: `webrtc` itself (only the words of its specifications are here), sockets, and how a run is
//! made.

mod candidate;
mod digest;
mod escape;
mod event;
mod glob;
mod lanes;
mod media;
mod name;
mod nearest;
mod packet;
mod render;
mod state;
mod table;
mod text;
mod time;
mod transition;
mod vocabulary;
#[cfg(feature = "webrtc")]
pub mod webrtc;
mod word;

pub use candidate::{CandidateAddress, CandidateRef, CandidateType, IceProtocol, MessageRef, Trickle};
pub use digest::Digest;
pub use escape::{escaped, escaped_lines};
pub use event::{Entry, Event, Timeline};
pub use glob::fits_glob;
pub use lanes::side_by_side;
pub use media::{PacketPosition, ReceivedPacket};
pub use name::Name;
pub use nearest::nearest;
pub use packet::{DtlsContent, PacketRecord, Protocol, StunClass, TcpFlags, Transit, Translated, Verdict};
pub use render::{event_line, transcript};
/// For [`words!`].
#[doc(hidden)]
pub use serde as __serde;
pub use state::{
    CallState, ConnectionState, EndReason, GatheringState, IceState, Machine, SignalingState, State,
};
pub use table::{Column, Table};
pub use text::{cells, fit_lines, wrapped};
pub use time::VirtualTime;
pub use vocabulary::{
    CandidateFate, Cause, Delivery, FacingMode, MediaChange, MediaKind, MessageKind, Needed, StreamChange,
    TrackChange,
};
pub use word::Word;
