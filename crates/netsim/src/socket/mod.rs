//! The sockets that programs in a world use.

mod tcp;
mod udp;

use std::{
    io,
    task::{Context, Poll, Waker},
};

pub(crate) use tcp::connect;
pub use tcp::{TcpListener, TcpStream};
pub use udp::UdpSocket;

/// The context of a program that only tries.
const fn no_task() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// The result of an operation that must not wait.
fn at_once<T>(poll: Poll<io::Result<T>>) -> io::Result<T> {
    match poll {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

/// What every operation answers when its world is over, or runs on another thread.
fn not_here() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the world of this socket is over, or runs on another thread")
}

/// The host was switched off since the socket was opened, or is off now.
fn switched_off() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the host of this socket was switched off")
}
