//! Nobody reads or joins another's call.

use std::time::Duration;

use signaller::{
    CallId,
    access::{Grant, Secret, Token},
    client::{FallbackSettings, Target},
    relay::RelaySettings,
};

use crate::{
    http_rig::{HttpRig, NOW},
    raw::{get, post, websocket},
    rig::{Rig, after_ms, answer, envelope, join, offer, ring, write},
};

fn secret() -> Secret {
    Secret::new([7; 32]).unwrap()
}

fn token(of_call: &str, participant: &str, valid_for: Duration) -> Token {
    let expires_s = (NOW + valid_for).as_secs();
    secret().issue(&Grant { call: CallId::new(of_call), participant: participant.into(), expires_s })
}

fn guarded() -> RelaySettings {
    RelaySettings { secret: Some(secret()), ..RelaySettings::default() }
}

fn target(of_call: &str, participant: &str) -> Target {
    let token = token(of_call, participant, Duration::from_secs(3600));
    Target::guarded("relay.test", CallId::new(of_call), token)
}

/// What Mallory is answered by all three doors to Alice's mailbox in call `c1`.
async fn check(token: Option<&str>, expect: &str) {
    let rig = HttpRig::new(guarded());
    let mut alice = rig.join_at(target("c1", "alice"), "alice", "s1", FallbackSettings::default());
    let mut bob = rig.join_at(target("c1", "bob"), "bob", "s1", FallbackSettings::default());
    assert_eq!([bob.event().await, alice.event().await], ["up", "up"]);
    let query = "participant=alice&session=s2&call=c1&wait=0";
    let header = token.map_or_else(String::new, |token| format!("authorization: Bearer {token}\r\n"));

    let polled = get(&rig, &format!("/v1/messages?{query}"), &header).await;
    assert_eq!(polled.line(), expect);
    assert_eq!(polled.head.contains("\r\nwww-authenticate: bearer"), expect.starts_with("401"));
    let message = envelope(1, "alice", "bob", ring()).to_json();
    assert_eq!(post(&rig, query, &header, &message).await.line(), expect);
    let refused = websocket(&rig, query, token).await.err();
    assert_eq!(refused.map(|status| expect.starts_with(&status.to_string())), Some(true));
    if let Some(token) = token {
        let in_query = format!("/v1/messages?{query}&token={token}");
        assert_eq!(get(&rig, &in_query, "").await.line(), expect);
    }

    alice.send("bob", offer());
    after_ms(1).await;
    assert_eq!(bob.message().await, "offer #1 from alice", "nothing came before it");
    bob.send("alice", ring());
    assert_eq!(alice.message().await, "ring #1 from bob", "she was not thrown out");
}

#[tokio::test(start_paused = true)]
async fn a_missing_token() {
    check(None, "401 unauthorized").await;
}

#[tokio::test(start_paused = true)]
async fn a_token_with_a_wrong_signature() {
    let hour = (NOW + Duration::from_secs(3600)).as_secs();
    let grant = Grant { call: CallId::new("c1"), participant: "alice".into(), expires_s: hour };
    let forged = Secret::new([8; 32]).unwrap().issue(&grant);
    check(Some(forged.as_str()), "401 unauthorized").await;
    check(Some("no.to.ken"), "401 unauthorized").await;
    check(Some("v1.YzE.YWxpY2U.1000.x"), "401 unauthorized").await;
}

#[tokio::test(start_paused = true)]
async fn an_expired_token() {
    let expired = token("c1", "alice", Duration::ZERO);
    check(Some(expired.as_str()), "401 unauthorized").await;
}

#[tokio::test(start_paused = true)]
async fn a_foreign_token() {
    let hour = Duration::from_secs(3600);
    check(Some(token("c2", "alice", hour).as_str()), "403 forbidden").await;
    check(Some(token("c1", "mallory", hour).as_str()), "403 forbidden").await;
}

#[tokio::test(start_paused = true)]
async fn one_name_in_two_calls_is_two_people() {
    let rig = HttpRig::new(guarded());
    let mut alice = rig.join_at(target("c1", "alice"), "alice", "s1", FallbackSettings::default());
    let mut bob = rig.join_at(target("c1", "bob"), "bob", "s1", FallbackSettings::default());
    let mut other_bob = rig.join_at(target("c2", "bob"), "bob", "s9", FallbackSettings::default());
    assert_eq!(other_bob.events(2).await, ["up", "via websocket"]);
    alice.send("bob", ring());
    assert_eq!(bob.message().await, "ring #1 from alice");
    bob.send("alice", offer());
    assert_eq!(alice.message().await, "offer #1 from bob");
    // His own call is c2; the messages of these tests say c1.
    other_bob.send("alice", offer());
    assert_eq!(other_bob.event().await, "error forbidden about Some(1)");
    alice.send("bob", offer());
    assert_eq!(bob.message().await, "offer #2 from alice");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_expires_ends_the_client_at_its_next_connection() {
    let rig = HttpRig::new(guarded());
    let target =
        Target::guarded("relay.test", CallId::new("c1"), token("c1", "alice", Duration::from_secs(10)));
    let mut alice = rig.join_at(target, "alice", "s1", FallbackSettings::default());
    assert_eq!(alice.events(2).await, ["up", "via websocket"]);
    after_ms(11_000).await;
    rig.cut();
    let events = alice.events(4).await;
    assert!(events[1].contains("HTTP status 401"), "{events:?}");
    assert!(events[2].contains("unauthorized: the token was valid until second 1767225610"), "{events:?}");
    assert_eq!(events[3], "end");
}

#[tokio::test(start_paused = true)]
async fn framed_tcp_is_no_way_around_a_token() {
    let rig = Rig::new(guarded());
    let mut stream = rig.wire();
    write(&mut stream, &envelope(1, "alice", "relay", join("s1"))).await;
    let refused = answer(&mut stream).await;
    assert!(refused.starts_with("error #1 unauthorized"), "{refused}");
    write(&mut stream, &envelope(1, "alice", "bob", ring())).await;
    let refused = answer(&mut stream).await;
    assert!(refused.starts_with("error #2 not-joined"), "{refused}");
}
