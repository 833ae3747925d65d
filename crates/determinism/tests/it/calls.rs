//! All calls that escape, each made as a program in C would make it.
#![allow(unsafe_code, reason = "calls the C library as foreign code does")]

use std::{
    io,
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd},
    ptr::{null, null_mut},
};

use libc::{c_char, c_int, c_void};

/// A function of the C library, and a call to it that would reach the machine. An error is an `errno`.
pub(crate) type Call = (&'static str, fn() -> io::Result<()>);

pub(crate) const CALLS: [Call; 30] = [
    ("bind", || on_tcp(|fd| loopback(|address, len| unsafe { libc::bind(fd, address, len) as isize }))),
    ("connect", || on_udp(|fd| loopback(|address, len| unsafe { libc::connect(fd, address, len) as isize }))),
    ("listen", || on_tcp(|fd| unsafe { libc::listen(fd, 1) as isize })),
    ("accept", || on_tcp(|fd| unsafe { libc::accept(fd, null_mut(), null_mut()) as isize })),
    ("accept4", || on_tcp(|fd| unsafe { libc::accept4(fd, null_mut(), null_mut(), 0) as isize })),
    ("send", || on_udp(|fd| unsafe { libc::send(fd, null(), 0, 0) })),
    ("sendto", || {
        on_udp(|fd| loopback(|address, len| unsafe { libc::sendto(fd, null(), 0, 0, address, len) }))
    }),
    ("sendmsg", || {
        let message = to_nobody();
        on_udp(|fd| unsafe { libc::sendmsg(fd, &raw const message, 0) })
    }),
    ("sendmmsg", || on_udp(|fd| unsafe { libc::sendmmsg(fd, null_mut(), 0, 0) as isize })),
    ("recv", || on_udp(|fd| unsafe { libc::recv(fd, null_mut(), 0, libc::MSG_DONTWAIT) })),
    ("recvfrom", || {
        on_udp(|fd| unsafe { libc::recvfrom(fd, null_mut(), 0, libc::MSG_DONTWAIT, null_mut(), null_mut()) })
    }),
    ("recvmsg", || {
        let mut message = to_nobody();
        on_udp(|fd| unsafe { libc::recvmsg(fd, &raw mut message, libc::MSG_DONTWAIT) })
    }),
    ("recvmmsg", || on_udp(|fd| unsafe { libc::recvmmsg(fd, null_mut(), 0, 0, null_mut()) as isize })),
    ("epoll_ctl", || {
        on_udp(|fd| {
            let epoll = owned(unsafe { libc::epoll_create1(0) });
            let mut event = libc::epoll_event { events: 0, u64: 0 };
            let add = libc::EPOLL_CTL_ADD;
            unsafe { libc::epoll_ctl(epoll.as_raw_fd(), add, fd, &raw mut event) as isize }
        })
    }),
    ("pthread_create", || {
        extern "C" fn start(argument: *mut c_void) -> *mut c_void {
            argument
        }
        let mut thread = 0;
        code(unsafe { libc::pthread_create(&raw mut thread, null(), start, null_mut()) })?;
        code(unsafe { libc::pthread_join(thread, null_mut()) })
    }),
    ("getaddrinfo", || {
        let mut found = null_mut();
        let status = unsafe { libc::getaddrinfo(c"127.0.0.1".as_ptr(), null(), null(), &raw mut found) };
        if status == libc::EAI_SYSTEM {
            return Err(io::Error::last_os_error());
        }
        assert_eq!(status, 0);
        unsafe { libc::freeaddrinfo(found) };
        Ok(())
    }),
    ("getnameinfo", || {
        let mut service = [0; 32];
        let status = loopback(|address, len| unsafe {
            libc::getnameinfo(address, len, null_mut(), 0, service.as_mut_ptr(), 32, libc::NI_NUMERICSERV)
                as isize
        });
        if status == libc::EAI_SYSTEM as isize { Err(io::Error::last_os_error()) } else { Ok(()) }
    }),
    ("gethostbyname", || pointer(unsafe { gethostbyname(c"127.0.0.1".as_ptr()) })),
    ("gethostbyname2", || pointer(unsafe { gethostbyname2(c"127.0.0.1".as_ptr(), libc::AF_INET) })),
    ("gethostbyname_r", || {
        with_buffer(|entry, buffer, found, error| unsafe {
            gethostbyname_r(c"127.0.0.1".as_ptr(), entry, buffer, 1024, found, error)
        })
    }),
    ("gethostbyname2_r", || {
        with_buffer(|entry, buffer, found, error| unsafe {
            gethostbyname2_r(c"127.0.0.1".as_ptr(), libc::AF_INET, entry, buffer, 1024, found, error)
        })
    }),
    ("timerfd_create", || {
        let fd = unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, 0) };
        result(fd as isize).map(|()| drop(owned(fd)))
    }),
    ("getifaddrs", || {
        let mut list = null_mut();
        result(unsafe { libc::getifaddrs(&raw mut list) } as isize)?;
        unsafe { libc::freeifaddrs(list) };
        Ok(())
    }),
    ("nanosleep", || code(unsafe { libc::nanosleep(&MOMENT, null_mut()) })),
    ("clock_nanosleep", || {
        code(unsafe { libc::clock_nanosleep(libc::CLOCK_MONOTONIC, 0, &MOMENT, null_mut()) })
    }),
    ("usleep", || code(unsafe { libc::usleep(1) })),
    ("sleep", || code(unsafe { libc::sleep(0) } as c_int)),
    // As the standard library and `webrtc` make them.
    ("bind", || std::net::TcpListener::bind("127.0.0.1:0").map(drop)),
    ("sendto", || std::net::UdpSocket::bind("127.0.0.1:0")?.send_to(b"", "127.0.0.1:9").map(drop)),
    ("pthread_create", || {
        std::thread::Builder::new().spawn(|| ())?.join().map_err(|_| io::ErrorKind::Other.into())
    }),
];

unsafe extern "C" {
    fn gethostbyname(name: *const c_char) -> *mut c_void;
    fn gethostbyname2(name: *const c_char, family: c_int) -> *mut c_void;
    fn gethostbyname_r(
        name: *const c_char,
        entry: *mut c_void,
        buffer: *mut c_char,
        len: usize,
        found: *mut *mut c_void,
        error: *mut c_int,
    ) -> c_int;
    fn gethostbyname2_r(
        name: *const c_char,
        family: c_int,
        entry: *mut c_void,
        buffer: *mut c_char,
        len: usize,
        found: *mut *mut c_void,
        error: *mut c_int,
    ) -> c_int;
}

const MOMENT: libc::timespec = libc::timespec { tv_sec: 0, tv_nsec: 1 };

/// An empty message.
fn to_nobody() -> libc::msghdr {
    unsafe { std::mem::zeroed() }
}

fn on_udp(call: impl FnOnce(c_int) -> isize) -> io::Result<()> {
    on_socket(libc::SOCK_DGRAM, call)
}

fn on_tcp(call: impl FnOnce(c_int) -> isize) -> io::Result<()> {
    on_socket(libc::SOCK_STREAM, call)
}

fn on_socket(kind: c_int, call: impl FnOnce(c_int) -> isize) -> io::Result<()> {
    let socket = owned(unsafe { libc::socket(libc::AF_INET, kind, 0) });
    result(call(socket.as_raw_fd()))
}

/// Hands out the address 127.0.0.1, port 0.
fn loopback(call: impl FnOnce(*const libc::sockaddr, u32) -> isize) -> isize {
    let mut address: libc::sockaddr_in = unsafe { std::mem::zeroed() };
    address.sin_family = libc::AF_INET as u16;
    address.sin_addr.s_addr = u32::from_be_bytes([127, 0, 0, 1]).to_be();
    call((&raw const address).cast(), size_of::<libc::sockaddr_in>() as u32)
}

fn with_buffer(
    call: impl FnOnce(*mut c_void, *mut c_char, *mut *mut c_void, *mut c_int) -> c_int,
) -> io::Result<()> {
    let (mut entry, mut buffer, mut found, mut error) = ([0u64; 8], [0; 1024], null_mut(), 0);
    code(call(entry.as_mut_ptr().cast(), buffer.as_mut_ptr(), &raw mut found, &raw mut error))?;
    assert!(!found.is_null());
    Ok(())
}

fn owned(fd: c_int) -> OwnedFd {
    assert!(fd >= 0);
    unsafe { OwnedFd::from_raw_fd(fd) }
}

fn result(status: isize) -> io::Result<()> {
    if status < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn code(errno: c_int) -> io::Result<()> {
    if errno == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(errno)) }
}

fn pointer(found: *mut c_void) -> io::Result<()> {
    if found.is_null() { Err(io::Error::last_os_error()) } else { Ok(()) }
}
