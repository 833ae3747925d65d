//! Scripted WebRTC calls in a deterministic virtual world.

#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod terminal;
