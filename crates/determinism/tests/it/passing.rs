//! What is none of the machine's network and time, and therefore passes.
#![allow(unsafe_code, reason = "calls the C library as foreign code does")]

use std::{
    io::{Read as _, Write as _},
    net::ToSocketAddrs as _,
    os::unix::net::{UnixDatagram, UnixListener, UnixStream},
    ptr::null_mut,
    time::Duration,
};

use determinism::{Escapes, set_virtual_now};

use crate::{EPOCH_S, simulate};

#[test]
fn sockets_and_pipes_within_the_machine_pass() {
    let ((), escapes) = simulate(Escapes::Fail, || {
        let folder = std::env::temp_dir().join(format!("callsim-determinism-{}", std::process::id()));
        let listener = UnixListener::bind(&folder).unwrap();
        let mut there = UnixStream::connect(&folder).unwrap();
        std::fs::remove_file(&folder).unwrap();
        let (mut here, _) = listener.accept().unwrap();
        there.write_all(b"x").unwrap();
        here.read_exact(&mut [0]).unwrap();
        let (one, other) = UnixDatagram::pair().unwrap();
        one.send(b"x").unwrap();
        assert_eq!(other.recv(&mut [0; 8]).unwrap(), 1);
        let (mut out, mut into) = std::io::pipe().unwrap();
        into.write_all(b"x").unwrap();
        out.read_exact(&mut [0]).unwrap();
    });
    assert_eq!(escapes, []);
}

#[test]
fn addresses_in_figures_need_no_resolver() {
    let (found, escapes) = simulate(Escapes::Fail, || {
        let mut hints: libc::addrinfo = unsafe { std::mem::zeroed() };
        hints.ai_flags = libc::AI_NUMERICHOST;
        let mut found = null_mut();
        let asked = c"203.0.113.1".as_ptr();
        let status = unsafe { libc::getaddrinfo(asked, std::ptr::null(), &raw const hints, &raw mut found) };
        assert_eq!(status, 0);
        unsafe { libc::freeaddrinfo(found) };
        ("203.0.113.1", 80).to_socket_addrs().unwrap().count()
    });
    assert_eq!((found, escapes), (1, vec![]));
}

#[test]
fn every_clock_of_the_c_library_shows_virtual_time() {
    let (seen, escapes) = simulate(Escapes::Fail, || {
        set_virtual_now(Duration::from_millis(1500));
        let mut of_day = libc::timeval { tv_sec: 0, tv_usec: 0 };
        assert_eq!(unsafe { libc::gettimeofday(&raw mut of_day, null_mut()) }, 0);
        let mut at = 0;
        let returned = unsafe { libc::time(&raw mut at) };
        assert_eq!(unsafe { libc::time(null_mut()) }, returned);
        (of_day.tv_sec, of_day.tv_usec, returned, at)
    });
    let second = i64::try_from(EPOCH_S).unwrap() + 1;
    assert_eq!(seen, (second, 500_000, second, second));
    assert_eq!(escapes, []);
    assert!(unsafe { libc::time(null_mut()) } > second, "the machine's own clock is later than the test");
}
