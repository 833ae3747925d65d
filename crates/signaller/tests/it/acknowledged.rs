//! The relay's rules for clients that acknowledge: what is kept until when, and every limit once below
//! and once above.

use std::time::Duration;

use signaller::{
    ByeReason, CallId, Envelope, ErrorCode, Message,
    message::Kind,
    relay::{
        Action, ConnectionId, Entry, EntryWay, Fault, FaultRule, Limits, MailboxId, Next, Relay, RelayEvent,
        RelaySettings, Store, Window,
    },
};

use crate::rig::{envelope, offer, ring};

fn entry(participant: &str, mailbox: Option<&str>, cursor: u64, turn: u64) -> Entry {
    Entry {
        call: None,
        participant: participant.into(),
        session: "s1".into(),
        mailbox: mailbox.map(MailboxId::new),
        cursor,
        turn,
        way: EntryWay::Stream,
    }
}

fn entered(relay: &mut Relay, entry: &Entry) -> (ConnectionId, Vec<RelayEvent>) {
    let connection = relay.connect();
    let (welcome, actions) = relay.enter(connection, entry);
    welcome.unwrap();
    (connection, reports(actions))
}

fn joined(relay: &mut Relay, participant: &str) -> ConnectionId {
    entered(relay, &entry(participant, None, 0, 1)).0
}

fn code(relay: &mut Relay, entry: &Entry) -> String {
    let connection = relay.connect();
    let (welcome, _) = relay.enter(connection, entry);
    welcome.map_or_else(|refusal| refusal.code.to_string(), |_| "welcome".to_owned())
}

fn reports(actions: Vec<Action>) -> Vec<RelayEvent> {
    let report = |action| match action {
        Action::Report(event) => Some(event),
        _ => None,
    };
    actions.into_iter().filter_map(report).collect()
}

fn tell(relay: &mut Relay, connection: ConnectionId, envelope: &Envelope) -> Vec<Action> {
    relay.handle(connection, &envelope.to_json())
}

/// All that the relay writes to a connection now, in lines.
fn written(relay: &mut Relay, connection: ConnectionId) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        lines.push(match relay.next(connection) {
            Next::Message(bytes) => format!("answer {}", Envelope::from_json(&bytes).unwrap().body.kind()),
            Next::Mail { place, message } => {
                let envelope = Envelope::from_json(&message).unwrap();
                format!("{place}: {} #{}", envelope.body.kind(), envelope.id)
            }
            Next::Confirmed { id } => format!("confirmed {id}"),
            Next::Wait => return lines,
            Next::Close => {
                lines.push("close".to_owned());
                return lines;
            }
        });
        let _ = relay.written(connection);
    }
}

#[test]
fn mail_stays_until_it_is_acknowledged() {
    let mut relay = Relay::new(Limits::default(), Vec::new());
    let (alice, bob) = (joined(&mut relay, "alice"), joined(&mut relay, "bob"));
    for id in 1..=3 {
        let _ = tell(&mut relay, alice, &envelope(id, "alice", "bob", ring()));
    }
    assert_eq!(written(&mut relay, alice), ["confirmed 3"]);
    assert_eq!(written(&mut relay, bob), ["1: ring #1", "2: ring #2", "3: ring #3"]);
    relay.acknowledge(bob, 1);
    assert_eq!(relay.store().waiting(), 2);
    let (bob, _) = entered(&mut relay, &entry("bob", Some("1-2"), 2, 2));
    assert_eq!(written(&mut relay, bob), ["3: ring #3"]);
    // What was not sent on this connection cannot have been applied.
    let _ = tell(&mut relay, alice, &envelope(4, "alice", "bob", ring()));
    relay.acknowledge(bob, 4);
    assert_eq!(written(&mut relay, bob), ["4: ring #4"]);
    relay.acknowledge(bob, 4);
    assert_eq!(relay.store().waiting(), 0);
}

#[test]
fn a_cursor_of_another_mailbox_or_of_the_future_counts_as_none() {
    let mut relay = Relay::new(Limits::default(), Vec::new());
    let alice = joined(&mut relay, "alice");
    let _ = tell(&mut relay, alice, &envelope(1, "alice", "bob", ring()));
    for (mailbox, cursor) in [(Some("9-9"), 1), (None, 1), (Some("1-2"), 2)] {
        let (bob, _) = entered(&mut relay, &entry("bob", mailbox, cursor, 1));
        assert_eq!(written(&mut relay, bob), ["1: ring #1"], "{mailbox:?} {cursor}");
    }
    // The last one made the relay rename the mailbox.
    let (bob, _) = entered(&mut relay, &entry("bob", Some("1-2"), 1, 1));
    assert_eq!(written(&mut relay, bob), ["1: ring #1"]);
    let (bob, _) = entered(&mut relay, &entry("bob", Some("1-3"), 1, 1));
    assert_eq!(written(&mut relay, bob), [""; 0]);
}

#[test]
fn only_a_later_turn_takes_the_mailbox() {
    let mut relay = Relay::new(Limits::default(), Vec::new());
    assert_eq!(code(&mut relay, &entry("bob", None, 0, 5)), "welcome");
    assert_eq!(code(&mut relay, &entry("bob", None, 0, 4)), "stale");
    assert_eq!(code(&mut relay, &entry("bob", None, 0, 5)), "welcome");
    let post = Entry { way: EntryWay::Post, ..entry("bob", None, 0, 0) };
    assert_eq!(code(&mut relay, &post), "welcome");
    let other = Entry { session: "s2".into(), ..entry("bob", None, 0, 1) };
    assert_eq!(code(&mut relay, &other), "welcome", "a new session begins its turns anew");
    assert_eq!(code(&mut relay, &entry("bob", Some("1-1"), 0, 9)), "replaced");
}

#[test]
fn a_poll_is_not_a_coming_and_going() {
    let mut relay = Relay::new(Limits::default(), Vec::new());
    let poll = |turn| Entry { way: EntryWay::Poll, ..entry("bob", None, 0, turn) };
    let (first, events) = entered(&mut relay, &poll(1));
    assert!(matches!(events[..], [RelayEvent::Joined { .. }]));
    assert_eq!(relay.disconnect(first), []);
    let (second, events) = entered(&mut relay, &poll(1));
    assert_eq!((events, relay.disconnect(second)), (vec![], vec![]));
    let (stream, events) = entered(&mut relay, &entry("bob", None, 0, 2));
    assert!(matches!(events[..], [RelayEvent::Joined { .. }]));
    assert!(matches!(reports(relay.disconnect(stream))[..], [RelayEvent::Left { .. }]));
}

#[test]
fn mail_between_two_polls_is_on_its_way_and_mail_for_who_is_away_is_stored() {
    for (way, is_on_its_way) in [(EntryWay::Poll, true), (EntryWay::Stream, false)] {
        let mut relay = Relay::new(Limits::default(), Vec::new());
        let alice = joined(&mut relay, "alice");
        let bob = || Entry { way, ..entry("bob", None, 0, 1) };
        let (gone, _) = entered(&mut relay, &bob());
        let _ = relay.disconnect(gone);
        let events = reports(tell(&mut relay, alice, &envelope(1, "alice", "bob", ring())));
        let told = events.iter().map(|event| matches!(event, RelayEvent::Relayed(_)));
        assert_eq!(told.collect::<Vec<_>>(), [is_on_its_way], "{events:?}");
        let (back, _) = entered(&mut relay, &bob());
        assert_eq!(written(&mut relay, back), ["1: ring #1"]);
    }
}

#[test]
fn a_refusal_takes_the_way_of_all_mail() {
    let mut relay = Relay::new(Limits { queue: 1, ..Limits::default() }, Vec::new());
    let alice = joined(&mut relay, "alice");
    for id in 1..=2 {
        let _ = tell(&mut relay, alice, &envelope(id, "alice", "bob", ring()));
    }
    // The connection is lost before the answer is written.
    let _ = relay.disconnect(alice);
    let (alice, _) = entered(&mut relay, &entry("alice", Some("1-1"), 0, 2));
    assert_eq!(written(&mut relay, alice), ["1: error #1"]);
    let _ = tell(&mut relay, alice, &envelope(2, "alice", "bob", ring()));
    assert_eq!(written(&mut relay, alice), [""; 0], "2 is settled");
}

#[test]
fn who_is_away_is_forgotten_after_the_idle_time() {
    let idle = Duration::from_secs(60);
    let ms = Duration::from_millis(1);
    for (wait, expect) in [(idle - ms, 0), (idle, 2)] {
        let mut relay = Relay::new(Limits { idle, ..Limits::default() }, Vec::new());
        let begun = Duration::from_secs(5);
        let _ = relay.advance(begun);
        let (alice, bob) = (joined(&mut relay, "alice"), joined(&mut relay, "bob"));
        let _ = tell(&mut relay, alice, &envelope(1, "alice", "bob", ring()));
        let _ = tell(&mut relay, alice, &envelope(2, "alice", "carol", ring()));
        let _ = relay.advance(begun + 10 * idle);
        let _ = relay.disconnect(bob);
        let _ = tell(&mut relay, alice, &envelope(3, "alice", "dave", ring()));
        let forgotten = reports(relay.advance(begun + 10 * idle + wait));
        assert_eq!(forgotten.len(), expect, "{forgotten:?}");
        // The notice that bob has left waits for alice as well.
        assert_eq!(relay.store().waiting(), 3 - expect);
    }
}

#[test]
fn a_call_makes_room_for_another_when_all_have_left() {
    for (calls, expect) in [(2, "welcome"), (1, "relay-full")] {
        let mut relay = Relay::new(Limits { calls, ..Limits::default() }, Vec::new());
        let within =
            |call: &str, who: &str| Entry { call: Some(CallId::new(call)), ..entry(who, None, 0, 1) };
        let (alice, _) = entered(&mut relay, &within("c1", "alice"));
        assert_eq!(code(&mut relay, &within("c1", "bob")), "welcome");
        assert_eq!(code(&mut relay, &within("c2", "alice")), expect);
        // An open relay's participants belong to no call.
        assert_eq!(code(&mut relay, &entry("carol", None, 0, 1)), "welcome");
        let _ = relay.disconnect(alice);
        assert_eq!(code(&mut relay, &within("c2", "alice")), expect, "bob is still there");
    }
    let mut relay = Relay::new(Limits { calls: 1, ..Limits::default() }, Vec::new());
    let within = |call: &str| Entry { call: Some(CallId::new(call)), ..entry("alice", None, 0, 1) };
    let (alice, _) = entered(&mut relay, &within("c1"));
    let _ = relay.disconnect(alice);
    assert_eq!(code(&mut relay, &within("c2")), "welcome");
}

#[test]
fn a_store_survives_and_an_empty_one_does_not() {
    for lost in [false, true] {
        let mut relay = Relay::new(Limits::default(), Vec::new());
        let (alice, bob) = (joined(&mut relay, "alice"), joined(&mut relay, "bob"));
        for id in 1..=2 {
            let _ = tell(&mut relay, alice, &envelope(id, "alice", "bob", ring()));
        }
        assert_eq!(written(&mut relay, bob), ["1: ring #1", "2: ring #2"]);
        relay.acknowledge(bob, 1);
        let store = if lost { Store::default() } else { relay.store() };
        let _ = relay.restart(store);
        assert_eq!([written(&mut relay, alice), written(&mut relay, bob)], [["close"], ["close"]]);
        let _ = (relay.disconnect(alice), relay.disconnect(bob));
        let (alice, _) = entered(&mut relay, &entry("alice", Some("1-1"), 0, 2));
        let (bob, _) = entered(&mut relay, &entry("bob", Some("1-2"), 1, 2));
        for id in 2..=3 {
            let _ = tell(&mut relay, alice, &envelope(id, "alice", "bob", ring()));
        }
        let expect = match lost {
            false => ["2: ring #2", "3: ring #3"],
            true => ["1: ring #2", "2: ring #3"],
        };
        assert_eq!(written(&mut relay, bob), expect);
    }
}

#[test]
fn what_a_rule_holds_stands_in_the_store() {
    let by = Duration::from_secs(1);
    let rule = FaultRule { nth: Some(1), ..FaultRule::all(Fault::Delay(by)) };
    let mut relay = Relay::with(&RelaySettings { faults: vec![rule], ..RelaySettings::default() });
    let alice = joined(&mut relay, "alice");
    let held = tell(&mut relay, alice, &envelope(1, "alice", "bob", ring()));
    let held = held.into_iter().find_map(|action| match action {
        Action::Hold { held, .. } => Some(held),
        _ => None,
    });
    let _ = tell(&mut relay, alice, &envelope(2, "alice", "bob", ring()));
    let _ = relay.restart(relay.store());
    assert_eq!(relay.release(held.unwrap()), [], "its timer has come too late");
    let bob = joined(&mut relay, "bob");
    assert_eq!(written(&mut relay, bob), ["1: ring #2", "2: ring #1"]);
}

/// Alice sends five messages, numbers 2 and 4 of them offers; what Bob gets at once.
#[track_caller]
fn check(fault: Fault, expect: &[&str]) {
    let rule = FaultRule {
        message: Some(Kind::Offer),
        from: Some("alice".into()),
        nth: Some(1),
        window: Window::ALWAYS,
        fault,
    };
    let mut relay = Relay::with(&RelaySettings { faults: vec![rule], ..RelaySettings::default() });
    let (alice, bob) = (joined(&mut relay, "alice"), joined(&mut relay, "bob"));
    for (id, body) in (1..).zip([ring(), offer(), Message::Ringing, offer(), ring()]) {
        let _ = tell(&mut relay, alice, &envelope(id, "alice", "bob", body));
    }
    assert_eq!(written(&mut relay, alice), ["confirmed 5"], "faults are not the sender's to see");
    let got: Vec<_> = written(&mut relay, bob).iter().map(|line| line.replace(": ", " ")).collect();
    let got: Vec<_> = got.iter().map(|line| line.rsplit_once('#').unwrap().1).collect();
    assert_eq!(got, expect);
}

#[test]
fn faults_do_what_they_say() {
    check(Fault::Drop, &["1", "3", "4", "5"]);
    check(Fault::Duplicate, &["1", "2", "2", "3", "4", "5"]);
    check(Fault::Delay(Duration::from_secs(1)), &["1", "3", "4", "5"]);
    check(Fault::Reorder { within: Duration::from_secs(1) }, &["1", "3", "2", "4", "5"]);
}

#[test]
fn a_message_that_nothing_overtakes_comes_after_its_time() {
    let within = Duration::from_secs(1);
    let faults = vec![FaultRule::all(Fault::Reorder { within })];
    let mut relay = Relay::with(&RelaySettings { faults, ..RelaySettings::default() });
    let (alice, bob) = (joined(&mut relay, "alice"), joined(&mut relay, "bob"));
    let actions = tell(&mut relay, alice, &envelope(1, "alice", "bob", ring()));
    let held = actions.iter().find_map(|action| match action {
        Action::Hold { held, by } => Some((*held, *by)),
        _ => None,
    });
    assert_eq!(held.unwrap().1, within);
    assert_eq!(written(&mut relay, bob), [""; 0]);
    let _ = relay.release(held.unwrap().0);
    assert_eq!(written(&mut relay, bob), ["1: ring #1"]);
}

/// What `who` is told of others that come and go, and forgets.
fn notices(relay: &mut Relay, who: ConnectionId) -> Vec<String> {
    let mut told = written(relay, who);
    told.retain(|line| line.contains("absent") || line.contains("present"));
    told
}

#[test]
fn who_talks_to_somebody_hears_of_coming_and_going_until_the_call_is_over() {
    let mut relay = Relay::new(Limits::default(), Vec::new());
    let (alice, _) = entered(&mut relay, &entry("alice", None, 0, 1));
    let (bob, _) = entered(&mut relay, &entry("bob", None, 0, 1));
    let (eve, _) = entered(&mut relay, &entry("eve", None, 0, 1));
    let _ = tell(&mut relay, alice, &envelope(1, "alice", "bob", ring()));
    let _ = relay.disconnect(bob);
    assert_eq!(notices(&mut relay, alice), ["1: absent #1"]);
    let (bob, _) = entered(&mut relay, &entry("bob", None, 0, 2));
    assert_eq!(notices(&mut relay, alice), ["2: present #2"]);
    // A connection that another one has overtaken is nobody's absence.
    let (newer, _) = entered(&mut relay, &entry("bob", None, 0, 3));
    let _ = relay.disconnect(bob);
    assert_eq!(notices(&mut relay, alice), [""; 0]);
    let _ = relay.disconnect(newer);
    assert_eq!(notices(&mut relay, alice), ["3: absent #3"]);
    // Who was away meanwhile hears of it on return.
    let _ = relay.disconnect(alice);
    let (alice, _) = entered(&mut relay, &entry("alice", None, 0, 2));
    assert_eq!(notices(&mut relay, alice).last().map(String::as_str), Some("4: absent #4"));
    // Another run of the program knows nothing of the call.
    let again = Entry { session: "s2".into(), ..entry("bob", None, 0, 1) };
    let (bob, _) = entered(&mut relay, &again);
    let _ = relay.disconnect(bob);
    assert_eq!(notices(&mut relay, alice), [""; 0]);
    // Nor is anything said of a call that is over.
    let (bob, _) = entered(&mut relay, &Entry { turn: 2, ..again });
    let _ = tell(&mut relay, bob, &envelope(1, "bob", "alice", Message::Accept));
    let _ = tell(&mut relay, alice, &envelope(2, "alice", "bob", Message::Bye { reason: ByeReason::HungUp }));
    let _ = relay.disconnect(bob);
    assert_eq!((notices(&mut relay, alice), notices(&mut relay, eve)), (vec![], vec![]));
}

#[test]
fn nobody_says_that_somebody_else_is_absent() {
    let mut relay = Relay::new(Limits::default(), Vec::new());
    let alice = joined(&mut relay, "alice");
    let forged = Message::Absent { participant: "bob".into() };
    let events = reports(tell(&mut relay, alice, &envelope(1, "alice", "eve", forged)));
    assert!(matches!(&events[..], [RelayEvent::Rejected { code: ErrorCode::NotAllowed, .. }]), "{events:?}");
}
