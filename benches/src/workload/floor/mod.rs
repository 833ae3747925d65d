//! Floors: what a call costs where parts of ours are left out. From the least to the most: the public-key operations of a
//! handshake ([`handshake`]), the library's sans-I/O half ([`stack`]), the whole library under its own driver
//! ([`driver`]).

pub(super) mod driver;
pub(super) mod handshake;
pub(super) mod stack;
