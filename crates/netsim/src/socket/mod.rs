//! The sockets that programs in a world use.

mod tcp;
mod udp;

use std::io;

pub(crate) use tcp::connect;
pub use tcp::{TcpListener, TcpStream};
pub use udp::UdpSocket;

/// What every operation answers when its world is over, or runs on another thread.
fn not_here() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the world of this socket is over, or runs on another thread")
}

/// The host was switched off since the socket was opened, or is off now.
fn switched_off() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::NotConnected, "the host of this socket was switched off")
}
