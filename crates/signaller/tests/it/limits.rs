//! Every limit of the relay, one below and one above.

use signaller::relay::{Action, ConnectionId, Limits, Next, Relay, RelayEvent};
use signaller::{Envelope, Message};

use crate::rig::{envelope, join, ring};

fn joined(relay: &mut Relay, participant: &str) -> ConnectionId {
    let connection = relay.connect();
    tell(relay, connection, &envelope(1, participant, "relay", join("s1")));
    connection
}

fn tell(relay: &mut Relay, connection: ConnectionId, envelope: &Envelope) {
    let _ = relay.handle(connection, &envelope.to_json());
}

/// All that the relay has for a connection, in lines.
fn mail(relay: &mut Relay, connection: ConnectionId) -> Vec<String> {
    let mut lines = Vec::new();
    while let Next::Message(bytes) = relay.next(connection) {
        let _ = relay.written(connection);
        let Envelope { id, body, .. } = Envelope::from_json(&bytes).unwrap();
        lines.push(match body {
            Message::Error { code, about, .. } => format!("{code} about {about:?}"),
            body => format!("{} #{id}", body.kind()),
        });
    }
    lines
}

#[test]
fn a_full_queue_is_answered_and_freed_by_reading() {
    let mut relay = Relay::new(Limits { queue: 2, ..Limits::default() }, Vec::new());
    let alice = joined(&mut relay, "alice");
    for id in 1..=3 {
        tell(&mut relay, alice, &envelope(id, "alice", "bob", ring()));
    }
    assert_eq!(mail(&mut relay, alice), ["joined #1", "queue-full about Some(3)"]);
    let bob = joined(&mut relay, "bob");
    assert_eq!(mail(&mut relay, bob), ["joined #1", "ring #1", "ring #2"]);
    // A refused id is not used up: the sender may try again with it.
    tell(&mut relay, alice, &envelope(3, "alice", "bob", ring()));
    assert_eq!(mail(&mut relay, bob), ["ring #3"]);
}

#[test]
fn a_message_leaves_its_mailbox_when_it_was_written() {
    let mut relay = Relay::new(Limits::default(), Vec::new());
    let alice = joined(&mut relay, "alice");
    let bob = joined(&mut relay, "bob");
    assert_eq!(mail(&mut relay, bob), ["joined #1"]);
    tell(&mut relay, alice, &envelope(1, "alice", "bob", ring()));
    assert!(matches!(relay.next(bob), Next::Message(_)));
    // Another connection takes its place while the message is on its way out.
    let newer = joined(&mut relay, "bob");
    let _ = relay.written(bob);
    assert_eq!(mail(&mut relay, newer), ["joined #1", "ring #1"]);
    assert_eq!(mail(&mut relay, bob), ["replaced about None"]);
    assert_eq!(relay.next(bob), Next::Close);
    assert_eq!(relay.disconnect(bob), [], "bob is still there");
    assert_eq!(
        relay.disconnect(newer),
        [Action::Report(RelayEvent::Left { call: None, participant: "bob".into() })]
    );
}

#[test]
fn a_client_that_makes_faults_and_does_not_read_is_closed() {
    let mut relay = Relay::new(Limits { replies: 3, ..Limits::default() }, Vec::new());
    let alice = relay.connect();
    for _ in 0..3 {
        let _ = relay.handle(alice, b"nonsense");
    }
    assert!(matches!(relay.next(alice), Next::Message(_)));
    let _ = relay.handle(alice, b"nonsense");
    assert_eq!(relay.next(alice), Next::Close);
    assert_eq!(relay.handle(alice, b"nonsense"), []);
}

#[test]
fn a_participant_who_left_makes_room() {
    let mut relay = Relay::new(Limits { participants: 2, ..Limits::default() }, Vec::new());
    let alice = joined(&mut relay, "alice");
    let bob = joined(&mut relay, "bob");
    tell(&mut relay, alice, &envelope(1, "alice", "carol", ring()));
    assert_eq!(mail(&mut relay, alice), ["joined #1", "unknown-participant about Some(1)"]);
    let carol = joined(&mut relay, "carol");
    assert_eq!(mail(&mut relay, carol), ["relay-full about Some(1)"]);

    let _ = relay.disconnect(bob);
    tell(&mut relay, carol, &envelope(1, "carol", "relay", join("s1")));
    tell(&mut relay, alice, &envelope(1, "alice", "carol", ring()));
    assert_eq!(mail(&mut relay, carol), ["joined #2", "ring #1"]);
}

#[test]
fn a_participant_with_mail_is_not_forgotten() {
    let mut relay = Relay::new(Limits { participants: 2, ..Limits::default() }, Vec::new());
    let alice = joined(&mut relay, "alice");
    tell(&mut relay, alice, &envelope(1, "alice", "bob", ring()));
    let carol = joined(&mut relay, "carol");
    assert_eq!(mail(&mut relay, carol), ["relay-full about Some(1)"]);
    let bob = joined(&mut relay, "bob");
    assert_eq!(mail(&mut relay, bob), ["joined #1", "ring #1"]);
}

#[test]
fn who_left_longest_ago_is_forgotten_first() {
    let mut relay = Relay::new(Limits { participants: 2, ..Limits::default() }, Vec::new());
    let alice = joined(&mut relay, "alice");
    let bob = joined(&mut relay, "bob");
    for (connection, name) in [(alice, "alice"), (bob, "bob")] {
        tell(&mut relay, connection, &envelope(1, name, name, ring()));
        assert_eq!(mail(&mut relay, connection), ["joined #1", "ring #1"]);
    }
    let _ = (relay.disconnect(bob), relay.disconnect(alice));
    let carol = joined(&mut relay, "carol");
    let alice = joined(&mut relay, "alice");
    tell(&mut relay, alice, &envelope(1, "alice", "alice", ring()));
    assert_eq!(mail(&mut relay, alice), ["joined #1"], "her id 1 is remembered");
    let _ = relay.disconnect(carol);
    let bob = joined(&mut relay, "bob");
    tell(&mut relay, bob, &envelope(1, "bob", "bob", ring()));
    assert_eq!(mail(&mut relay, bob), ["joined #1", "ring #1"], "his is forgotten");
}
