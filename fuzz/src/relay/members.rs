//! What the members of calls do, and what each remembers of it.

use std::collections::{BTreeMap, BTreeSet};

use signaller::{
    CallId, Envelope, ErrorCode, Message, SessionId,
    message::{RELAY, VERSION},
    relay::{Action, ConnectionId, Entry, EntryWay, MailboxId, Next, RelayEvent},
};

use super::{CALLS, Key, MEMBERS, NAMES, World, key_of};

#[derive(Default)]
pub(super) struct Client {
    pub(super) connection: Option<ConnectionId>,
    /// Counts its sessions, and the mailboxes that were forgotten: in each, numbers begin anew.
    pub(super) run: u64,
    pub(super) session: u64,
    pub(super) turn: u64,
    pub(super) mailbox: Option<MailboxId>,
    pub(super) cursor: u64,
    pub(super) sent: u64,
    pub(super) confirmed: u64,
    /// What it has sent and not heard to be confirmed.
    pub(super) pending: BTreeMap<u64, (usize, Vec<u8>)>,
    /// Whether its connection was made after something that is not confirmed was sent.
    pub(super) is_behind: bool,
    /// The errors up to this place are about messages of its former runs. They were noted.
    pub(super) errors_before: u64,
    /// What this run of it has applied.
    pub(super) applied: BTreeSet<Key>,
    /// The number that it has applied last of each run of each sender.
    pub(super) last: BTreeMap<(usize, u64), u64>,
}

impl World {
    fn entry(&mut self, who: usize, way: EntryWay) -> Entry {
        let client = &mut self.clients[who];
        if way != EntryWay::Post {
            client.turn += 1;
        }
        Entry {
            call: Some(CallId::new(CALLS[who / MEMBERS])),
            participant: NAMES[who % MEMBERS].into(),
            session: SessionId::new(client.session.to_string()),
            mailbox: client.mailbox.clone(),
            cursor: client.cursor,
            turn: client.turn,
            way,
        }
    }

    /// Its connection, where the relay lets it in.
    fn enter(&mut self, who: usize, entry: &Entry) -> Option<ConnectionId> {
        let connection = self.relay.connect();
        let (entered, actions) = self.relay.enter(connection, entry);
        self.settle(actions);
        let Ok(welcome) = entered else {
            let actions = self.relay.disconnect(connection);
            self.settle(actions);
            return None;
        };
        let client = &mut self.clients[who];
        if client.mailbox.as_ref().is_some_and(|known| *known != welcome.mailbox) {
            // Forgotten, with the numbers that it has sent: what it sends again may arrive again.
            client.run += 1;
            client.pending.clear();
            (client.cursor, client.sent, client.confirmed) = (0, 0, 0);
            client.session += 1;
            client.turn = 0;
            client.mailbox = None;
            client.errors_before = 0;
            let actions = self.relay.disconnect(connection);
            self.settle(actions);
            return None;
        }
        client.mailbox = Some(welcome.mailbox);
        if client.errors_before == u64::MAX {
            let owner = (entry.call.clone(), entry.participant.clone());
            let places = self.disk.get(&owner).and_then(|(_, messages)| messages.keys().max().copied());
            client.errors_before = places.unwrap_or(0);
        }
        self.confirm(who, welcome.confirmed);
        Some(connection)
    }

    pub(super) fn open(&mut self, who: usize, way: EntryWay, forgetful: bool, late: bool) {
        let mut entry = self.entry(who, way);
        if forgetful {
            (entry.mailbox, entry.cursor) = (None, 0);
        }
        if late {
            entry.turn = entry.turn.saturating_sub(2);
        }
        if let Some(connection) = self.enter(who, &entry) {
            let client = &mut self.clients[who];
            client.is_behind = !client.pending.is_empty();
            let older = client.connection.replace(connection);
            if let Some(older) = older {
                let actions = self.relay.disconnect(older);
                self.settle(actions);
            }
        }
    }

    pub(super) fn close(&mut self, who: usize) {
        if let Some(connection) = self.clients[who].connection.take() {
            let actions = self.relay.disconnect(connection);
            self.settle(actions);
        }
    }

    /// A new message of `who`.
    fn message(&mut self, who: usize, to: u8, size: u16) -> Vec<u8> {
        let to = usize::from(to) % NAMES.len();
        let client = &mut self.clients[who];
        client.sent += 1;
        let sdp = "x".repeat(usize::from(size) % 600);
        let body = Message::Offer { sdp, negotiation: client.run };
        let envelope = Envelope {
            version: VERSION,
            id: client.sent,
            call: CallId::new(CALLS[who / MEMBERS]),
            from: NAMES[who % MEMBERS].into(),
            to: NAMES[to].into(),
            body,
        };
        let json = envelope.to_json();
        client.pending.insert(client.sent, (who / MEMBERS * MEMBERS + to, json.clone()));
        json
    }

    pub(super) fn send(&mut self, who: usize, to: u8, size: u16) {
        let Some(connection) = self.clients[who].connection else { return };
        if std::mem::take(&mut self.clients[who].is_behind) {
            // As a client does: first what is not confirmed.
            self.repeat(who);
        }
        let json = self.message(who, to, size);
        let actions = self.relay.handle(connection, &json);
        self.settle(actions);
    }

    pub(super) fn post(&mut self, who: usize, to: u8, size: u16) {
        let entry = self.entry(who, EntryWay::Post);
        let Some(connection) = self.enter(who, &entry) else { return };
        // As a client does: everything that is not confirmed, in order.
        self.message(who, to, size);
        let pending: Vec<Vec<u8>> =
            self.clients[who].pending.values().map(|(_, json)| json.clone()).collect();
        for json in pending {
            let actions = self.relay.handle(connection, &json);
            self.settle(actions);
        }
        let confirmed = self.relay.confirmed(connection);
        self.confirm(who, confirmed);
        while let Next::Message(_) = self.relay.next(connection) {
            let actions = self.relay.written(connection);
            self.settle(actions);
        }
        let actions = self.relay.disconnect(connection);
        self.settle(actions);
    }

    pub(super) fn repeat(&mut self, who: usize) {
        let Some(connection) = self.clients[who].connection else { return };
        let pending: Vec<Vec<u8>> =
            self.clients[who].pending.values().map(|(_, json)| json.clone()).collect();
        for json in pending {
            let actions = self.relay.handle(connection, &json);
            self.settle(actions);
        }
    }

    /// The client is told that the relay has everything up to `id`: it forgets that, and somebody owes it.
    fn confirm(&mut self, who: usize, id: u64) {
        let client = &mut self.clients[who];
        assert!(id <= client.sent, "{id} is confirmed, and {} were sent", client.sent);
        client.confirmed = client.confirmed.max(id);
        let rest = client.pending.split_off(&(id + 1));
        let run = client.run;
        for (id, (to, _)) in std::mem::replace(&mut client.pending, rest) {
            let key = (who, run, id);
            // Who never joins gets nothing, and neither is anything lost on the way to him.
            let is_member = to < (who / MEMBERS + 1) * MEMBERS;
            if is_member && !self.delivered.contains(&key) && !self.refused.contains(&key) {
                self.owed.insert(key, to);
            }
        }
    }

    pub(super) fn read(&mut self, who: usize, count: usize) {
        let Some(connection) = self.clients[who].connection else { return };
        for _ in 0..count {
            match self.relay.next(connection) {
                Next::Mail { place, message } => self.apply(who, place, &message),
                Next::Confirmed { id } => self.confirm(who, id),
                Next::Message(message) => self.answer(who, &message),
                Next::Wait => return,
                Next::Close => return self.close(who),
            }
            let actions = self.relay.written(connection);
            self.settle(actions);
        }
    }

    pub(super) fn poll(&mut self, who: usize) {
        let entry = self.entry(who, EntryWay::Poll);
        let Some(connection) = self.enter(who, &entry) else { return };
        if let Some(older) = self.clients[who].connection.take() {
            let actions = self.relay.disconnect(older);
            self.settle(actions);
        }
        let (mail, actions) = self.relay.mail(connection, 2000);
        self.settle(actions);
        for (place, message) in mail {
            self.apply(who, place, &message);
        }
        let confirmed = self.relay.confirmed(connection);
        self.confirm(who, confirmed);
        let actions = self.relay.disconnect(connection);
        self.settle(actions);
    }

    /// An answer that is no mail: only about what has no number.
    fn answer(&self, who: usize, message: &[u8]) {
        let envelope = Envelope::from_json(message).expect("the relay writes messages");
        assert_eq!(envelope.from, RELAY);
        if let Message::Error { code, about: Some(about), .. } = envelope.body {
            assert_eq!(code, ErrorCode::WrongSender, "{who}: {about}");
        }
    }

    fn apply(&mut self, who: usize, place: u64, message: &[u8]) {
        let envelope = Envelope::from_json_within(message, usize::MAX).expect("the relay passes messages on");
        let (call, name) = (CALLS[who / MEMBERS], NAMES[who % MEMBERS]);
        assert!(envelope.to == name, "{name} gets what is for {}", envelope.to);
        let client = &mut self.clients[who];
        if place <= client.cursor {
            return;
        }
        // A client that has begun anew gets what its former run has not acknowledged.
        assert!(client.cursor == 0 || place == client.cursor + 1, "{place} comes after {}", client.cursor);
        client.cursor = place;
        if envelope.from == RELAY {
            let about = match envelope.body {
                Message::Error { about: Some(about), .. } => about,
                Message::Absent { participant } | Message::Present { participant } => {
                    assert!(NAMES.iter().any(|known| participant == **known), "{participant}");
                    return;
                }
                other => panic!("{other:?}"),
            };
            if place > client.errors_before {
                let key = (who, client.run, about);
                self.refused.insert(key);
                self.owed.remove(&key);
            }
            return;
        }
        let (key, of_call) = key_of(message).expect("it is a member's");
        let (sender, run, _) = key;
        assert_eq!(of_call.as_str(), call, "a message of another call");
        assert!(client.applied.insert(key), "{key:?} comes twice to {who}");
        let last = client.last.insert((sender, run), envelope.id).unwrap_or(0);
        assert!(last < envelope.id, "{} comes after {last}", envelope.id);
        self.delivered.insert(key);
        self.owed.remove(&key);
    }

    pub(super) fn foreign(&mut self, who: usize, call: bool) {
        let Some(connection) = self.clients[who].connection else { return };
        let (own, other) = (who / MEMBERS, (who / MEMBERS + 1) % CALLS.len());
        let client = &mut self.clients[who];
        client.sent += 1;
        let run = client.run;
        let id = client.sent;
        let envelope = Envelope {
            version: VERSION,
            id,
            call: CallId::new(CALLS[if call { other } else { own }]),
            from: NAMES[if call { who % MEMBERS } else { (who + 1) % MEMBERS }].into(),
            to: NAMES[(who + 1) % MEMBERS].into(),
            body: Message::Ringing,
        };
        self.refused.insert((who, run, id));
        let actions = self.relay.handle(connection, &envelope.to_json());
        let is_let_through = |action: &Action| {
            matches!(action, Action::Report(RelayEvent::Relayed(_) | RelayEvent::Stored(_)))
        };
        assert!(!actions.iter().any(is_let_through), "{actions:?}");
        self.settle(actions);
    }
}
