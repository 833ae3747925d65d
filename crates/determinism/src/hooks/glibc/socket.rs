//! Sockets. Datagram sockets get names that exist only in the simulation; what would reach the machine's
//! network is an escape.
//!
//! A simulated runtime needs no more of a socket than its name: whatever a program sends, receives, connects
//! or listens to on the file descriptor itself has gone past it.

use std::net::SocketAddr;

use libc::{
    c_int, c_uint, c_void, epoll_event, mmsghdr, msghdr, size_t, sockaddr, socklen_t, ssize_t, timespec,
};

use super::{address as socket_address, escape, hooks};
use crate::{EscapeKind, thread};

hooks! {
    fn bind(fd: c_int, address: *const sockaddr, len: socklen_t) -> c_int {
        match (socket_address::read(address, len), is_datagram(fd)) {
            (Some(address), true) => thread::bind(fd, address).then_some(0),
            (address, _) => {
                // The descriptor may have the number of a datagram socket that was closed.
                thread::take_bound(fd);
                network("bind", fd, address)
            }
        }
    }

    fn getsockname(fd: c_int, address: *mut sockaddr, len: *mut socklen_t) -> c_int {
        thread::bound(fd).map(|name| {
            socket_address::write(name, address, len);
            0
        })
    }

    fn connect(fd: c_int, address: *const sockaddr, len: socklen_t) -> c_int {
        network("connect", fd, socket_address::read(address, len))
    }

    fn listen(fd: c_int, backlog: c_int) -> c_int {
        network("listen", fd, None)
    }

    fn accept(fd: c_int, address: *mut sockaddr, len: *mut socklen_t) -> c_int {
        network("accept", fd, None)
    }

    fn accept4(fd: c_int, address: *mut sockaddr, len: *mut socklen_t, flags: c_int) -> c_int {
        network("accept4", fd, None)
    }

    fn send(fd: c_int, buffer: *const c_void, len: size_t, flags: c_int) -> ssize_t {
        network("send", fd, None)
    }

    fn sendto(
        fd: c_int,
        buffer: *const c_void,
        len: size_t,
        flags: c_int,
        to: *const sockaddr,
        to_len: socklen_t,
    ) -> ssize_t {
        network("sendto", fd, socket_address::read(to, to_len))
    }

    fn sendmsg(fd: c_int, message: *const msghdr, flags: c_int) -> ssize_t {
        network("sendmsg", fd, destination(message))
    }

    fn sendmmsg(fd: c_int, messages: *mut mmsghdr, count: c_uint, flags: c_int) -> c_int {
        let first = if count == 0 { None } else { destination(&raw const (*messages).msg_hdr) };
        network("sendmmsg", fd, first)
    }

    fn recv(fd: c_int, buffer: *mut c_void, len: size_t, flags: c_int) -> ssize_t {
        network("recv", fd, None)
    }

    fn recvfrom(
        fd: c_int,
        buffer: *mut c_void,
        len: size_t,
        flags: c_int,
        from: *mut sockaddr,
        from_len: *mut socklen_t,
    ) -> ssize_t {
        network("recvfrom", fd, None)
    }

    fn recvmsg(fd: c_int, message: *mut msghdr, flags: c_int) -> ssize_t {
        network("recvmsg", fd, None)
    }

    fn recvmmsg(
        fd: c_int,
        messages: *mut mmsghdr,
        count: c_uint,
        flags: c_int,
        timeout: *mut timespec,
    ) -> c_int {
        network("recvmmsg", fd, None)
    }

    fn epoll_ctl(epoll: c_int, operation: c_int, fd: c_int, event: *mut epoll_event) -> c_int {
        if operation == libc::EPOLL_CTL_ADD { network("epoll_ctl", fd, None) } else { None }
    }
}

/// Refuses a call on a socket of the machine's network. Pipes, files and the sockets within a process or
/// between processes pass.
fn network<R: From<i8>>(call: &'static str, fd: c_int, address: Option<SocketAddr>) -> Option<R> {
    match option(fd, libc::SO_DOMAIN)? {
        libc::AF_INET | libc::AF_INET6 | libc::AF_NETLINK | libc::AF_PACKET => {
            let address = address.or_else(|| thread::bound(fd));
            escape(call, EscapeKind::Socket { address }, R::from(-1))
        }
        _ => None,
    }
}

/// Whether `fd` is a UDP (or other datagram) socket.
fn is_datagram(fd: c_int) -> bool {
    option(fd, libc::SO_TYPE) == Some(libc::SOCK_DGRAM)
}

/// An option of the socket `fd`, `None` where it is none. Leaves `errno` as it was.
fn option(fd: c_int, name: c_int) -> Option<c_int> {
    let mut value: c_int = 0;
    let mut len = size_of::<c_int>() as socklen_t;
    // SAFETY: `value` and `len` are valid for the writes that getsockopt(2) makes, and live on.
    unsafe {
        let errno = libc::__errno_location();
        let before = *errno;
        let value_at = (&raw mut value).cast::<c_void>();
        let status = libc::getsockopt(fd, libc::SOL_SOCKET, name, value_at, &raw mut len);
        *errno = before;
        (status == 0).then_some(value)
    }
}

/// # Safety
/// `message` must be null or valid for reads, and so its name.
unsafe fn destination(message: *const msghdr) -> Option<SocketAddr> {
    // SAFETY: the caller vouches for it.
    unsafe {
        let message = message.as_ref()?;
        socket_address::read(message.msg_name.cast(), message.msg_namelen)
    }
}
