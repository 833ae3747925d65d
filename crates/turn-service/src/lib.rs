//! A STUN (RFC 8489) and TURN (RFC 8656) server that owns neither sockets nor clocks.
//!
//! A driver hands [`Server::handle`] what arrived, with the virtual time; the server answers with a
//! list of [`Output`]s: bytes to send, relayed transport addresses to bind or to give up, and
//! [`ServiceEvent`]s for the timeline. [`Server::next_deadline`] and [`Server::tick`] let allocations,
//! permissions and channels expire on time. [`StreamDeframer`] cuts a TCP stream into messages.
//!
//! What a scenario can break at run time is a [`Mood`] (slow, dead, rejecting credentials, out of
//! ports, short-lived nonces) or a [`Server::reboot`].
//!
//! Invariants:
//! - The same settings and the same calls give the same bytes: nonces, tokens, transaction ids and
//!   ports are functions of the seed, the boot, virtual time and counters
//!   (`tests/it/determinism.rs`).
//! - One datagram in, at most one out, at most [`MAX_GROWTH`] bytes longer, and whoever has no valid
//!   credentials leaves no state behind (`tests/it/hostile.rs`).
//! - Something with a lifetime of *d* works at *d* − 1 ms and is gone at *d* (`tests/it/expiry.rs`).
//! - A datagram from one allocation to another allocation of the same server never touches the
//!   network: **the hop inside one server is lossless** and takes no time, as it is in a real server,
//!   where the kernel loops it back (`tests/it/hairpin.rs`).
//!
//! Deliberately absent, and what a client sees instead:
//! - TLS and DTLS to the server: a driver would end them before this crate.
//! - `MESSAGE-INTEGRITY-SHA256`, `USERHASH`, `PASSWORD-ALGORITHM` (RFC 8489 §9.2): 420 where they stand
//!   alone, ignored where they follow `MESSAGE-INTEGRITY`; the nonce carries no nonce cookie.
//! - `DONT-FRAGMENT`: 420 for a request, silence for an indication (RFC 8656 §7.2, §11.2), since the
//!   virtual network has no DF bit.
//! - `ADDITIONAL-ADDRESS-FAMILY` (comprehension-optional): ignored, one relayed address is allocated.
//! - ICMP (RFC 8656 §11.5), TCP allocations (RFC 6062), mobility (RFC 8016), third-party authorization
//!   (RFC 7635), NAT behaviour discovery (RFC 5780), `ALTERNATE-SERVER`, `SOFTWARE`.

mod allocation;
mod api;
mod cache;
mod code;
mod credentials;
mod draw;
mod server;
mod wire;

pub use api::{
    CredentialPolicy, ExpiryCheck, Liveness, MAX_REALM_BYTES, Mood, Output, PortSupply, ServiceEvent,
    Settings, SettingsError, TurnSettings,
};
pub use code::{DropReason, ErrorCode};
pub use credentials::{CredentialError, Credentials, Minted, mint};
pub use server::{MAX_GROWTH, Server, Traffic};
pub use wire::{FiveTuple, FrameError, StreamDeframer, Transport};
