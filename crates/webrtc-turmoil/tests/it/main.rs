//! How the crate is tested: a whole call, the rules of a simulation, the signaller under turmoil's faults,
//! and sockets compared.

mod call;
mod exactly_once;
mod parity;
mod simulation;
