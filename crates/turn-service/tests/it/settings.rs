//! Settings that contradict themselves are refused with a sentence.

use turn_service::{Credentials, Server, Settings, TurnSettings};

use crate::harness::{EPOCH, s, turn};

#[track_caller]
fn check(turn: TurnSettings, expect: &str) {
    let error = Server::new(Settings::with_turn(7, EPOCH, turn)).err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some(expect));
}

#[test]
fn contradictions_are_told() {
    let v6 = || "2001:db8::1".parse().unwrap();
    check(
        TurnSettings::new("", Credentials::default(), vec![v6()]),
        "the realm has 0 bytes; it must have 1 to 128",
    );
    check(
        TurnSettings { relay_ips: vec![], ..turn() },
        "0 IPv4 and 0 IPv6 relay addresses; at most one of each, at least one of both",
    );
    check(
        TurnSettings { relay_ips: vec![v6(), v6()], ..turn() },
        "0 IPv4 and 2 IPv6 relay addresses; at most one of each, at least one of both",
    );
    check(
        TurnSettings { relay_ports: 0..=9, ..turn() },
        "relay ports 0–9; the range must hold a port and must not hold 0",
    );
    check(
        TurnSettings { default_lifetime: s(3601), ..turn() },
        "lifetimes 3601s by default, 3600s at most; 1 s ≤ default ≤ maximum ≤ 2³² − 1 s",
    );
}
