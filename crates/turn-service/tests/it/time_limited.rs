//! Time-limited credentials: good until their Unix time, checked against the injected clock.

use std::time::Duration;

use rtc_stun::message::*;
use turn_service::{Credentials, ExpiryCheck, Server, TurnSettings, mint};

use crate::harness::*;

fn shared_secret(credential_expiry: ExpiryCheck) -> Server {
    server_with(TurnSettings { credentials: Credentials::time_limited("hush"), credential_expiry, ..turn() })
}

/// A client at port `port` whose credential ends `ttl` after the epoch.
fn holder(secret: &str, user: &str, ttl: Duration, port: u16) -> Client {
    let minted = mint(secret, user, EPOCH + ttl).unwrap();
    Client::new(&format!("203.0.113.1:{port}"), &minted.username, &minted.password)
}

#[track_caller]
fn check_allocate(secret: &str, now: Duration, code: u16) {
    let mut server = shared_secret(ExpiryCheck::EveryRequest);
    let mut client = holder(secret, "alice", s(100), 1);
    client.ask_bare(&mut server, now, METHOD_ALLOCATE, vec![]);
    assert_eq!(client.ask(&mut server, now, METHOD_ALLOCATE, vec![udp()]), code);
}

#[test]
fn a_credential_is_good_until_its_time() {
    check_allocate("hush", s(100) - MS, 0);
    check_allocate("hush", s(100), 401);
    check_allocate("other secret", s(0), 401);
}

#[test]
fn a_minted_name_starts_with_its_expiry() {
    assert_eq!(mint("hush", "alice", EPOCH).unwrap().username, "1700000000:alice");
}

#[test]
fn an_expired_credential_refreshes_an_allocation_only_where_that_is_allowed() {
    for (check, code) in [(ExpiryCheck::EveryRequest, 401), (ExpiryCheck::AtAllocation, 0)] {
        let (mut server, mut client) = (shared_secret(check), holder("hush", "alice", s(100), 1));
        client.allocate(&mut server, s(0));
        assert_eq!(client.ask(&mut server, s(100) - MS, METHOD_REFRESH, vec![]), 0);
        assert_eq!(client.ask(&mut server, s(100), METHOD_REFRESH, vec![]), code);
    }
}

#[test]
fn a_newer_credential_is_another_user_name() {
    let mut server = shared_secret(ExpiryCheck::EveryRequest);
    let (mut old, new) = (holder("hush", "alice", s(100), 1), holder("hush", "alice", s(200), 1));
    old.allocate(&mut server, s(0));
    (old.username, old.password) = (new.username, new.password);
    assert_eq!(old.ask(&mut server, s(50), METHOD_REFRESH, vec![]), 441);
}

#[test]
fn the_quota_counts_the_user_behind_the_credential() {
    let credentials = Credentials::time_limited("hush");
    let mut server = server_with(TurnSettings { credentials, quota: Some(1), ..turn() });
    holder("hush", "alice", s(100), 1).allocate(&mut server, s(0));
    let (mut again, mut bob) = (holder("hush", "alice", s(200), 2), holder("hush", "bob", s(100), 3));
    again.ask_bare(&mut server, s(0), METHOD_ALLOCATE, vec![]);
    assert_eq!(again.ask(&mut server, s(0), METHOD_ALLOCATE, vec![udp()]), 486);
    bob.allocate(&mut server, s(0));
}
