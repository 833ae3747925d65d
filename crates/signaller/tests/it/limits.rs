//! Every limit of the relay, one below and one above.

use signaller::relay::{
    Action, ConnectionId, Entry, EntryWay, Limits, Next, Relay, RelayEvent, RelaySettings,
};
use signaller::{CallId, Envelope, Message, access::Secret};

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
    let left = Action::Report(RelayEvent::Left { call: None, participant: "bob".into() });
    assert_eq!(relay.disconnect(newer), [Action::Wake(alice), left]);
    assert_eq!(mail(&mut relay, alice), ["joined #1", "absent #1"]);
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

/// On a relay that wants tokens, `participant` of `call`.
fn entered(relay: &mut Relay, call: &str, participant: &str) -> Option<ConnectionId> {
    let connection = relay.connect();
    let entry = Entry {
        call: Some(call.into()),
        participant: participant.into(),
        session: "s1".into(),
        mailbox: None,
        cursor: 0,
        turn: 0,
        way: EntryWay::Stream,
    };
    relay.enter(connection, &entry).0.is_ok().then_some(connection)
}

fn guarded(limits: Limits) -> Relay {
    let secret = Some(Secret::new([1; 32]).unwrap());
    Relay::with(&RelaySettings { limits, secret, ..RelaySettings::default() })
}

/// Sends an offer of `size` bytes; the code with which it was refused.
fn offer_of(
    relay: &mut Relay,
    from: ConnectionId,
    (call, sender): (&str, &str),
    (id, to, size): (u64, &str, usize),
) -> Option<String> {
    let body = Message::Offer { sdp: "x".repeat(size), negotiation: 1 };
    let call = CallId::new(call);
    let envelope = Envelope { call, ..envelope(id, sender, to, body) };
    let actions = relay.handle(from, &envelope.to_json());
    actions.into_iter().find_map(|action| match action {
        Action::Report(RelayEvent::Rejected { code, .. }) => Some(code.to_string()),
        _ => None,
    })
}

#[test]
fn one_sender_waits_for_a_few_whom_nobody_knows() {
    let mut relay = guarded(Limits { unknown_per_sender: 2, ..Limits::default() });
    let alice = entered(&mut relay, "c", "alice").unwrap();
    let send = |relay: &mut Relay, id, to| offer_of(relay, alice, ("c", "alice"), (id, to, 9));
    assert_eq!(
        [send(&mut relay, 1, "x"), send(&mut relay, 2, "y"), send(&mut relay, 3, "y")],
        [None, None, None]
    );
    assert_eq!(send(&mut relay, 4, "z").as_deref(), Some("unknown-participant"));
    // Who joins is unknown no more.
    entered(&mut relay, "c", "x").unwrap();
    assert_eq!(send(&mut relay, 5, "z"), None);
    assert_eq!(send(&mut relay, 6, "w").as_deref(), Some("unknown-participant"));
    let bob = entered(&mut relay, "c", "bob").unwrap();
    assert_eq!(offer_of(&mut relay, bob, ("c", "bob"), (1, "w", 9)), None, "another sender");
}

#[test]
fn one_call_takes_no_room_of_others() {
    let mut relay = guarded(Limits { participants_per_call: 3, participants: 6, ..Limits::default() });
    let mallory = entered(&mut relay, "mine", "mallory").unwrap();
    let carol = entered(&mut relay, "mine", "carol").unwrap();
    assert_eq!(offer_of(&mut relay, mallory, ("mine", "mallory"), (1, "p1", 9)), None);
    let more = offer_of(&mut relay, mallory, ("mine", "mallory"), (2, "p2", 9));
    assert_eq!(more.as_deref(), Some("unknown-participant"));
    assert_eq!(entered(&mut relay, "mine", "late"), None, "the call is full");
    assert!(entered(&mut relay, "honest", "alice").is_some());
    // Who has left the call without mail makes room in it.
    let _ = relay.disconnect(carol);
    assert!(entered(&mut relay, "mine", "late").is_some());
}

#[test]
fn what_waits_is_bounded_in_bytes_of_a_sender_of_a_call_and_in_all() {
    // Each message has some 150 bytes of JSON around its description, and 128 for its keeping.
    let limits = Limits { sender_bytes: 2600, call_bytes: 3900, mail_bytes: 5200, ..Limits::default() };
    let mut relay = guarded(limits);
    let [alice, bob] = ["alice", "bob"].map(|who| entered(&mut relay, "c", who).unwrap());
    let dave = entered(&mut relay, "d", "dave").unwrap();
    let send = |relay: &mut Relay, from, who, what: (u64, &str, usize)| offer_of(relay, from, who, what);
    let (a, b, d) = (("c", "alice"), ("c", "bob"), ("d", "dave"));
    assert_eq!(send(&mut relay, alice, a, (1, "bob", 1000)), None);
    assert_eq!(send(&mut relay, alice, a, (2, "bob", 1000)), None);
    assert_eq!(send(&mut relay, alice, a, (3, "bob", 1000)).as_deref(), Some("queue-full"), "of a sender");
    assert_eq!(send(&mut relay, bob, b, (1, "alice", 300)), None);
    assert_eq!(send(&mut relay, bob, b, (2, "alice", 1000)).as_deref(), Some("queue-full"), "of the call");
    assert_eq!(send(&mut relay, dave, d, (1, "dave", 500)), None);
    assert_eq!(send(&mut relay, dave, d, (2, "dave", 1000)).as_deref(), Some("queue-full"), "in all");
    // What is applied makes room.
    while let Next::Mail { .. } | Next::Confirmed { .. } | Next::Message(_) = relay.next(bob) {
        let _ = relay.written(bob);
    }
    relay.acknowledge(bob, 9);
    assert_eq!(send(&mut relay, alice, a, (4, "bob", 1000)), None);
}
