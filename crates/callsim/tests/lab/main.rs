//! `callsim lab`: what programs measure is what the scenario says, and nothing is left over.
//!
//! The programs are this test binary, started again with a role (`roles`). Where the machine has no TUN devices or gives no
//! namespaces, each test says so and passes.

mod cleanup;
mod harness;
mod roles;

mod engines;
mod network;
