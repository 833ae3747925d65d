//! The engine as an application uses it, on real sockets of the loopback interface.

mod data;
mod dialling;
mod guards;
mod in_call;
mod loopback;
mod media;
mod mesh;
mod recovery;
mod rig;
mod room;
