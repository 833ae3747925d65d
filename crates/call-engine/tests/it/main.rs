//! The engine as an application uses it, on real sockets of the loopback interface.

mod dialling;
mod guards;
mod in_call;
mod loopback;
mod recovery;
mod rig;
