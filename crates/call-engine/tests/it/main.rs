//! The engine as an application uses it, on real sockets of the loopback interface.

mod loopback;
