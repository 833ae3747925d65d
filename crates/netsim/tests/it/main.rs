//! Whole worlds: what programs in them see.

mod determinism_of_worlds;
mod ends;
mod escapes;
mod handover;
mod links;
mod nat;
mod real_time;
mod statistics;
mod tap;
mod tcp;
mod tcp_under_loss;
mod timers;
mod udp;
mod world;
