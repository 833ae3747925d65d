//! What a relay promises, whatever its clients do.

use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;
use signaller::{
    Envelope, Message,
    message::Kind,
    relay::{Action, ConnectionId, DelayRule, HeldId, Limits, Next, Relay},
};

use crate::rig::{envelope, join, offer, ring};

const NAMES: [&str; 3] = ["alice", "bob", "carol"];
const LIMITS: Limits = Limits {
    message_bytes: 4096,
    queue: 8,
    participants: 3,
    replies: 64,
    calls: 3,
    idle: Duration::from_secs(600),
    participants_per_call: 3,
    unknown_per_sender: 3,
    sender_bytes: 1 << 20,
    call_bytes: 1 << 20,
    mail_bytes: 1 << 20,
};

#[derive(Clone, Debug)]
enum Step {
    Connect(usize),
    Disconnect(usize),
    Ring { from: usize, to: usize },
    Offer { from: usize, to: usize },
    Repeat(usize),
    Read(usize),
    ReleaseOldest,
    Nonsense(usize, Vec<u8>),
}

fn step() -> impl Strategy<Value = Step> {
    let who = || 0..NAMES.len();
    prop_oneof![
        2 => who().prop_map(Step::Connect),
        1 => who().prop_map(Step::Disconnect),
        6 => (who(), who()).prop_map(|(from, to)| Step::Ring { from, to }),
        3 => (who(), who()).prop_map(|(from, to)| Step::Offer { from, to }),
        1 => who().prop_map(Step::Repeat),
        4 => who().prop_map(Step::Read),
        2 => Just(Step::ReleaseOldest),
        1 => (who(), any::<Vec<u8>>()).prop_map(|(who, bytes)| Step::Nonsense(who, bytes)),
    ]
}

/// Clients that join under their names, count their ids, and note what they get.
struct Crowd {
    relay: Relay,
    connections: [Option<ConnectionId>; 3],
    ids: [u64; 3],
    held: Vec<HeldId>,
    /// Ids of rings and of offers, by sender and addressee, in the order of arrival.
    arrived: BTreeMap<(String, usize, Kind), Vec<u64>>,
}

impl Crowd {
    fn new() -> Self {
        let rule = DelayRule { message: Kind::Offer, from: None, nth: None, by: Duration::from_millis(1) };
        Self {
            relay: Relay::new(LIMITS, vec![rule]),
            connections: [None; 3],
            ids: [0; 3],
            held: Vec::new(),
            arrived: BTreeMap::new(),
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Connect(who) => {
                let connection = self.relay.connect();
                self.connections[who] = Some(connection);
                self.tell(who, &envelope(1, NAMES[who], "relay", join("s1")).to_json());
            }
            Step::Disconnect(who) => {
                if let Some(connection) = self.connections[who].take() {
                    let _ = self.relay.disconnect(connection);
                }
            }
            Step::Ring { from, to } => self.send(from, to, ring()),
            Step::Offer { from, to } => self.send(from, to, offer()),
            Step::Repeat(who) if self.ids[who] > 0 => {
                let again = envelope(self.ids[who], NAMES[who], NAMES[(who + 1) % 3], ring());
                self.tell(who, &again.to_json());
            }
            Step::Repeat(_) => {}
            Step::Read(who) => self.read(who),
            Step::ReleaseOldest => {
                if !self.held.is_empty() {
                    let held = self.held.remove(0);
                    let _ = self.relay.release(held);
                }
            }
            Step::Nonsense(who, bytes) => self.tell(who, &bytes),
        }
    }

    fn send(&mut self, from: usize, to: usize, body: Message) {
        if self.connections[from].is_some() {
            self.ids[from] += 1;
            self.tell(from, &envelope(self.ids[from], NAMES[from], NAMES[to], body).to_json());
        }
    }

    fn tell(&mut self, who: usize, bytes: &[u8]) {
        let Some(connection) = self.connections[who] else { return };
        for action in self.relay.handle(connection, bytes) {
            if let Action::Hold { held, .. } = action {
                self.held.push(held);
            }
        }
    }

    fn read(&mut self, who: usize) {
        let Some(connection) = self.connections[who] else { return };
        let mut messages = 0;
        while let Next::Message(bytes) = self.relay.next(connection) {
            let _ = self.relay.written(connection);
            let Envelope { id, from, body, .. } = Envelope::from_json(&bytes).unwrap();
            if !body.is_for_relay() {
                messages += 1;
                self.arrived.entry((from.to_string(), who, body.kind())).or_default().push(id);
            }
        }
        assert!(messages <= LIMITS.queue, "{messages} messages waited");
    }
}

proptest! {
    /// At most once, and in order; only what a rule holds is overtaken.
    #[test]
    fn messages_arrive_once_and_in_order(steps in prop::collection::vec(step(), 0..120)) {
        let mut crowd = Crowd::new();
        for step in steps {
            crowd.take(step);
        }
        (0..3).for_each(|who| crowd.read(who));
        for (path, ids) in &crowd.arrived {
            prop_assert!(ids.is_sorted_by(|earlier, later| earlier < later), "{path:?}: {ids:?}");
        }
    }
}
