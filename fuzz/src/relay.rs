//! Clients that do anything, against the rules of the relay: whatever they do, its memory is bounded, each message
//! that it has confirmed arrives once and in order, and nothing crosses from one call to another; also where its
//! process is killed in between and another takes over what it has written down.

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::{Arbitrary, Unstructured};
use signaller::{
    CallId, Envelope, ErrorCode, Message, ParticipantId, SessionId,
    access::Secret,
    message::{RELAY, VERSION},
    relay::{
        Action, Change, ConnectionId, Entry, EntryWay, Limits, MailboxId, MailboxRecord, Next, Relay,
        RelayEvent, RelaySettings, Store, StoredMessage,
    },
};

const CALLS: [&str; 2] = ["c0", "c1"];
/// The last two never join.
const NAMES: [&str; 5] = ["a", "b", "c", "nobody", "else"];
/// Those who join, of each call.
const MEMBERS: usize = 3;
/// The longest list of steps that is looked at.
const STEPS: usize = 400;

const LIMITS: Limits = Limits {
    message_bytes: 700,
    queue: 8,
    participants: 8,
    replies: 3,
    calls: 2,
    idle: std::time::Duration::from_secs(60),
    participants_per_call: 4,
    unknown_per_sender: 1,
    sender_bytes: 3000,
    call_bytes: 5000,
    mail_bytes: 8000,
};
/// The size of the longest answer of the relay, which is let in while there is any room at all.
const LONGEST_ANSWER: usize = 1500;

#[derive(Arbitrary, Debug)]
enum Step {
    /// A member connects, with what it knows of its mailbox or without.
    Open {
        who: u8,
        poll: bool,
        forgetful: bool,
        late: bool,
    },
    Close {
        who: u8,
    },
    /// A member's client starts anew.
    Restart {
        who: u8,
    },
    Send {
        who: u8,
        to: u8,
        size: u16,
    },
    /// By a request of its own.
    Post {
        who: u8,
        to: u8,
        size: u16,
    },
    /// What is not confirmed goes again.
    Repeat {
        who: u8,
    },
    Read {
        who: u8,
        count: u8,
    },
    Acknowledge {
        who: u8,
        cursor: Option<u64>,
    },
    Poll {
        who: u8,
    },
    /// A message for another call, or under another name.
    Foreign {
        who: u8,
        call: bool,
    },
    Nonsense {
        who: u8,
        bytes: Vec<u8>,
    },
    Pass {
        seconds: u8,
    },
    Kill,
}

/// What is written down: the mailboxes by their owners.
type Disk = BTreeMap<(Option<CallId>, ParticipantId), (MailboxRecord, BTreeMap<u64, StoredMessage>)>;

/// A message: of which client, in which of its runs, with which number.
type Key = (usize, u64, u64);

#[derive(Default)]
struct Client {
    connection: Option<ConnectionId>,
    /// Counts its sessions, and the mailboxes that were forgotten: in each, numbers begin anew.
    run: u64,
    session: u64,
    turn: u64,
    mailbox: Option<MailboxId>,
    cursor: u64,
    sent: u64,
    confirmed: u64,
    /// What it has sent and not heard to be confirmed.
    pending: BTreeMap<u64, (usize, Vec<u8>)>,
    /// Whether its connection was made after something that is not confirmed was sent.
    is_behind: bool,
    /// The errors up to this place are about messages of its former runs. They were noted.
    errors_before: u64,
    /// What this run of it has applied.
    applied: BTreeSet<Key>,
    /// The number that it has applied last of each run of each sender.
    last: BTreeMap<(usize, u64), u64>,
}

struct World {
    relay: Relay,
    settings: RelaySettings,
    disk: Disk,
    clients: Vec<Client>,
    /// Confirmed messages that their addressee has not applied yet.
    owed: BTreeMap<Key, usize>,
    /// Who has applied each message, in whatever run.
    delivered: BTreeSet<Key>,
    refused: BTreeSet<Key>,
    now: std::time::Duration,
}

/// Does what `bytes` say, and panics where the relay breaks a promise.
pub fn check(bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let mut world = World::new();
    for _ in 0..STEPS {
        let Ok(step) = Step::arbitrary(&mut input) else { break };
        world.take(step);
        world.check_bounds();
        if input.is_empty() {
            break;
        }
    }
    world.finish();
}

impl World {
    fn new() -> Self {
        let secret = Some(Secret::new([1; 32]).expect("it is long enough"));
        let settings = RelaySettings { limits: LIMITS, secret, ..RelaySettings::default() };
        Self {
            relay: Relay::durable(&settings, Store::default()),
            settings,
            disk: BTreeMap::new(),
            clients: (0..CALLS.len() * MEMBERS).map(|_| Client::default()).collect(),
            owed: BTreeMap::new(),
            delivered: BTreeSet::new(),
            refused: BTreeSet::new(),
            now: std::time::Duration::ZERO,
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Open { who, poll, forgetful, late } => {
                let way = if poll { EntryWay::Poll } else { EntryWay::Stream };
                self.open(self.member(who), way, forgetful, late);
            }
            Step::Close { who } => self.close(self.member(who)),
            Step::Restart { who } => {
                let who = self.member(who);
                self.close(who);
                self.note_errors(who);
                let client = &mut self.clients[who];
                let (run, session) = (client.run + 1, client.session + 1);
                *client = Client { run, session, errors_before: u64::MAX, ..Client::default() };
            }
            Step::Send { who, to, size } => self.send(self.member(who), to, size),
            Step::Post { who, to, size } => self.post(self.member(who), to, size),
            Step::Repeat { who } => self.repeat(self.member(who)),
            Step::Read { who, count } => self.read(self.member(who), usize::from(count)),
            Step::Acknowledge { who, cursor } => {
                let client = &self.clients[self.member(who)];
                let (connection, cursor) =
                    (client.connection, cursor.unwrap_or(client.cursor).min(client.cursor));
                if let Some(connection) = connection {
                    self.relay.acknowledge(connection, cursor);
                    self.settle(Vec::new());
                }
            }
            Step::Poll { who } => self.poll(self.member(who)),
            Step::Foreign { who, call } => self.foreign(self.member(who), call),
            Step::Nonsense { who, bytes } => {
                if let Some(connection) = self.clients[self.member(who)].connection {
                    // What happens to be a message would be one that nobody has counted.
                    if Envelope::from_json(&bytes).is_err() && !bytes.contains(&b':') {
                        let actions = self.relay.handle(connection, &bytes);
                        self.settle(actions);
                    }
                }
            }
            Step::Pass { seconds } => {
                self.now += std::time::Duration::from_secs(seconds.into());
                let actions = self.relay.advance(self.now);
                self.settle(actions);
            }
            Step::Kill => self.kill(),
        }
    }

    fn member(&self, number: u8) -> usize {
        usize::from(number) % self.clients.len()
    }

    /// What has happened is written down before anybody hears of it.
    fn settle(&mut self, actions: Vec<Action>) {
        for change in self.relay.take_changes() {
            match change {
                Change::Kept(record, messages) => {
                    let owner = (record.call.clone(), record.participant.clone());
                    let first = record.first_place;
                    let (kept, stored) =
                        self.disk.entry(owner).or_insert_with(|| (record.clone(), BTreeMap::new()));
                    *kept = record;
                    stored.retain(|place, _| *place >= first);
                    stored.extend(messages.into_iter().map(|stored| (stored.place, stored)));
                }
                Change::Forgotten { call, participant } => {
                    if let Some(whose) = number_of(call.as_ref(), &participant) {
                        self.note_errors(whose);
                    }
                    if let Some((_, messages)) = self.disk.remove(&(call, participant)) {
                        self.note_lost(&messages);
                    }
                }
            }
        }
        drop(actions);
    }

    /// A mailbox that is forgotten is one whose owner was away for too long: what waited is lost, as promised.
    fn note_lost(&mut self, messages: &BTreeMap<u64, StoredMessage>) {
        for stored in messages.values() {
            let Some((key, _)) = key_of(&stored.message) else { continue };
            assert!(self.now >= LIMITS.idle, "{key:?} is lost too soon");
            self.refused.insert(key);
            self.owed.remove(&key);
        }
    }

    /// What was refused is settled, whether or not its sender will read so.
    fn note_errors(&mut self, who: usize) {
        let owner = (Some(CallId::new(CALLS[who / MEMBERS])), NAMES[who % MEMBERS].into());
        let Some((_, messages)) = self.disk.get(&owner) else { return };
        let client = &self.clients[who];
        for stored in messages.values().filter(|stored| stored.from.is_none()) {
            let error = Envelope::from_json(&stored.message).expect("the relay writes messages");
            if let Message::Error { about: Some(about), .. } = error.body
                && stored.place > client.errors_before
            {
                let key = (who, client.run, about);
                self.refused.insert(key);
                self.owed.remove(&key);
            }
        }
    }

    fn kill(&mut self) {
        self.settings.epoch += 1;
        let kept = self.disk.values().cloned();
        let kept = kept.map(|(record, messages)| (record, messages.into_values().collect()));
        let store = Store::restored(kept).expect("a relay has written it");
        self.relay = Relay::durable(&self.settings, store);
        self.now = std::time::Duration::ZERO;
        self.clients.iter_mut().for_each(|client| client.connection = None);
    }

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

    fn open(&mut self, who: usize, way: EntryWay, forgetful: bool, late: bool) {
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

    fn close(&mut self, who: usize) {
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

    fn send(&mut self, who: usize, to: u8, size: u16) {
        let Some(connection) = self.clients[who].connection else { return };
        if std::mem::take(&mut self.clients[who].is_behind) {
            // As a client does: first what is not confirmed.
            self.repeat(who);
        }
        let json = self.message(who, to, size);
        let actions = self.relay.handle(connection, &json);
        self.settle(actions);
    }

    fn post(&mut self, who: usize, to: u8, size: u16) {
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

    fn repeat(&mut self, who: usize) {
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

    fn read(&mut self, who: usize, count: usize) {
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

    fn poll(&mut self, who: usize) {
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

    fn foreign(&mut self, who: usize, call: bool) {
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

    /// What is written down is what is kept, so that it can be counted from outside.
    fn check_bounds(&self) {
        assert!(self.disk.len() <= LIMITS.participants, "{} participants", self.disk.len());
        let mut bytes = 0;
        let mut of_calls = BTreeMap::<&Option<CallId>, (usize, usize)>::new();
        for ((call, _), (_, messages)) in &self.disk {
            assert!(messages.len() <= LIMITS.queue + LIMITS.replies, "{} messages", messages.len());
            let of_mailbox: usize = messages.values().map(|stored| stored.message.len() + 128).sum();
            let of_senders: usize =
                messages.values().filter(|s| s.from.is_some()).map(|s| s.message.len() + 128).sum();
            bytes += of_mailbox;
            let of_call = of_calls.entry(call).or_default();
            of_call.0 += 1;
            of_call.1 += of_senders;
        }
        assert!(bytes <= LIMITS.mail_bytes * 9 / 8 + LONGEST_ANSWER, "{bytes} bytes");
        assert!(of_calls.len() <= LIMITS.calls);
        for (participants, bytes) in of_calls.values() {
            assert!(*participants <= LIMITS.participants_per_call, "{participants} of one call");
            assert!(*bytes <= LIMITS.call_bytes, "{bytes} bytes of one call");
        }
    }

    /// Everybody comes back and reads: what is owed arrives.
    fn finish(&mut self) {
        // Twice: who was forgotten begins anew.
        for who in (0..self.clients.len()).chain(0..self.clients.len()) {
            self.close(who);
            self.open(who, EntryWay::Stream, false, false);
            self.read(who, usize::MAX);
            if let Some(connection) = self.clients[who].connection {
                self.relay.acknowledge(connection, self.clients[who].cursor);
                self.settle(Vec::new());
            }
            self.close(who);
        }
        assert!(self.owed.is_empty(), "confirmed, and not delivered: {:?}", self.owed);
    }
}

/// Which message of a member it is, and of which call; `None` for an answer of the relay.
fn key_of(message: &[u8]) -> Option<(Key, CallId)> {
    let envelope = Envelope::from_json_within(message, usize::MAX).expect("the relay passes messages on");
    if envelope.from == RELAY {
        return None;
    }
    let sender = number_of(Some(&envelope.call), &envelope.from).expect("only members send");
    let Message::Offer { negotiation: run, .. } = envelope.body else { panic!("nobody has sent that") };
    Some(((sender, run, envelope.id), envelope.call))
}

fn number_of(call: Option<&CallId>, participant: &ParticipantId) -> Option<usize> {
    let call = CALLS.iter().position(|name| call.is_some_and(|call| call.as_str() == *name))?;
    let member = NAMES.iter().take(MEMBERS).position(|name| *participant == *name)?;
    Some(call * MEMBERS + member)
}
