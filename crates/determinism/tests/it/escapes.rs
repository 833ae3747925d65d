//! What is an escape, and what becomes of it under each policy.

use std::{
    io::ErrorKind,
    net::{SocketAddr, ToSocketAddrs as _, UdpSocket},
    thread,
    time::Duration,
};

use determinism::{EscapeKind, Escapes, exempt, has_escaped, set_virtual_now, take_escapes};

use crate::{calls::CALLS, simulate};

/// A refused sleep returns at once.
const SLEEPS: [&str; 4] = ["nanosleep", "clock_nanosleep", "usleep", "sleep"];

#[test]
fn every_call_is_refused_and_recorded() {
    for (name, call) in CALLS {
        let (answer, escapes) = simulate(Escapes::Fail, call);
        let kind = answer.map_err(|error| error.kind());
        let expected = if SLEEPS.contains(&name) { Ok(()) } else { Err(ErrorKind::PermissionDenied) };
        assert_eq!(kind, expected, "{name}");
        assert_eq!(escapes.iter().map(|escape| escape.call).collect::<Vec<_>>(), [name]);
    }
}

/// What the machine answers an ordinary thread, a noted call is answered as well.
#[test]
fn noted_and_allowed_calls_go_through() {
    for (name, call) in CALLS {
        let on_machine = call().map_err(|error| error.kind());
        let (noted, escapes) = simulate(Escapes::Note, call);
        assert_eq!(noted.map_err(|error| error.kind()), on_machine, "{name}");
        assert!(escapes.iter().any(|escape| escape.call == name), "{name}: {escapes:?}");
        let (allowed, escapes) = simulate(Escapes::Allow, call);
        assert_eq!(allowed.map_err(|error| error.kind()), on_machine, "{name}");
        assert_eq!(escapes, [], "{name}");
    }
}

#[test]
fn ordinary_threads_notice_nothing() {
    determinism::set_escapes(Escapes::Fail);
    for (name, call) in CALLS {
        let refused = call().is_err_and(|error| error.kind() == ErrorKind::PermissionDenied);
        assert!(!refused, "{name}");
    }
    assert!(!has_escaped());
    assert_eq!(take_escapes(), []);
}

#[test]
fn a_refused_datagram_does_not_leave() {
    let outside = UdpSocket::bind("127.0.0.1:0").unwrap();
    outside.set_nonblocking(true).unwrap();
    let to = outside.local_addr().unwrap();
    let send = || UdpSocket::bind("203.0.113.1:9").unwrap().send_to(b"escaped", to);

    let (sent, escapes) = simulate(Escapes::Fail, send);
    assert_eq!(sent.unwrap_err().kind(), ErrorKind::PermissionDenied);
    assert_eq!(escapes[0].what, EscapeKind::Socket { address: Some(to) });
    assert_eq!(outside.recv(&mut [0; 16]).unwrap_err().kind(), ErrorKind::WouldBlock);

    let (sent, _) = simulate(Escapes::Note, send);
    assert_eq!(sent.unwrap(), 7);
    assert_eq!(outside.recv(&mut [0; 16]).unwrap(), 7);
}

#[test]
fn an_escape_says_what_when_and_for_which_address_or_name() {
    let ((), escapes) = simulate(Escapes::Fail, || {
        let socket = UdpSocket::bind("203.0.113.1:9").unwrap();
        socket.set_nonblocking(true).unwrap();
        set_virtual_now(Duration::from_millis(1500));
        socket.recv(&mut []).unwrap_err();
        ("callsim.invalid", 80).to_socket_addrs().unwrap_err();
        sleep(Duration::from_secs(3600));
    });
    let own: SocketAddr = "203.0.113.1:9".parse().unwrap();
    let what: Vec<_> = escapes.iter().map(|escape| escape.what.clone()).collect();
    assert_eq!(
        what,
        [
            EscapeKind::Socket { address: Some(own) },
            EscapeKind::Resolver { name: Some("callsim.invalid".to_owned()) },
            EscapeKind::Sleep { length: Duration::from_secs(3600) },
        ]
    );
    assert!(escapes.iter().all(|escape| escape.at == Duration::from_millis(1500)));
    let line = escapes[1].to_string();
    assert!(line.starts_with(
        "`getaddrinfo` asks the machine's resolver for \"callsim.invalid\" at 1.5s, called in "
    ));
}

#[allow(clippy::disallowed_methods, reason = "shows that it does not wait")]
fn sleep(length: Duration) {
    thread::sleep(length);
}

#[test]
fn escapes_are_taken_once_and_eight_of_each_call_are_kept() {
    let (taken, rest) = simulate(Escapes::Fail, || {
        let socket = UdpSocket::bind("203.0.113.1:9").unwrap();
        socket.set_nonblocking(true).unwrap();
        let send = || socket.send_to(b"", "203.0.113.2:9").unwrap_err().kind();
        assert!(!has_escaped());
        assert_eq!(send(), ErrorKind::PermissionDenied);
        assert!(has_escaped());
        let taken = take_escapes();
        assert!(!has_escaped());
        for _ in 0..20 {
            assert_eq!(send(), ErrorKind::PermissionDenied);
        }
        socket.recv(&mut []).unwrap_err();
        taken
    });
    assert_eq!(taken.len(), 1);
    assert_eq!(rest.iter().filter(|escape| escape.call == "sendto").count(), 7);
    assert_eq!(rest.last().unwrap().call, "recv");
}

#[test]
fn what_runs_the_simulation_is_exempt() {
    let (numbers, escapes) = simulate(Escapes::Fail, || {
        let (nested, _) = simulate(Escapes::Fail, || 1);
        let own = exempt(|| thread::spawn(|| 2)).join().unwrap();
        assert!(thread::Builder::new().spawn(|| ()).is_err(), "the exemption is over");
        [nested, own]
    });
    assert_eq!(numbers, [1, 2]);
    assert_eq!(escapes.len(), 1);
}
