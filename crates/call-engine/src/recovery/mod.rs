//! The recovery of a connection that does not come up, stalls or breaks: a ladder, without any input or
//! output.
//!
//! ```text
//! disconnected ─► wait ─► ICE restart ─► ICE restart, relay only ─► rebuild the peer ─► … ─► give up
//! ```
//!
//! Rules:
//! - A rung that is switched off, or that cannot help (relay only without a TURN server), is left out.
//!   Rebuilding is the one rung that is taken repeatedly, up to its number of attempts. Otherwise each
//!   rung is taken once, and the next one when its patience is over or its failure is reported.
//! - Being connected again ends the recovery; the next one begins at the bottom.
//! - The patience of a rung counts from the answer to its offer. An offer that is not answered itself has
//!   a patience of its own, so that steps do not pile up in signalling that is slow to return.
//! - What ICE cannot mend goes straight to the rebuild: a DTLS handshake that stalls or fails, an offer
//!   that is not answered, a description that cannot be applied, the other side asking for it.
//! - A change of network restarts ICE at once, from any rung.
//! - **The caller leads**: it alone rebuilds. The callee waits [`Recovery::follower_grace`] longer at
//!   each rung, so that the caller acts first where both see the failure; it restarts ICE by itself,
//!   and asks for a rebuild (`renegotiate`) instead of making one. Each side counts the steps of the
//!   other that it sees as its own. A wish that is not fulfilled within [`Recovery::renegotiate`] is followed by an ICE restart:
//!   a client that does not rebuild answers offers all the same.
//! - Every step needs signalling. While that is down, a step waits for it, and the patience of an ICE
//!   restart or rebuild that is under way starts anew when it is back.
//! - Where the relay reports that the other side's connection to it has ended, and the call's connection is lost as well,
//!   [`Recovery::absent`] later the call ends: nobody is there to recover with. Whatever comes of the other side before
//!   takes that back, and so does the loss of our own signalling, which would not hear of it.
//! - [`Recovery::give_up`] bounds it all, signalling or not.
//!
//! Time is the time since the call began.

mod cause;
mod ladder;
mod settings;

#[cfg(test)]
mod boundaries;
#[cfg(test)]
mod interleavings;
#[cfg(test)]
mod testing;

pub use cause::{RecoveryCause, RecoveryStep};
pub(crate) use ladder::{Input, Ladder, Lead, Relays, Step};
pub use settings::{Rebuilds, Recovery};
