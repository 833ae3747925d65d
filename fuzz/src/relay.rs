//! Clients that do anything, against the rules of the relay: whatever they do, its memory is bounded, each message
//! that it has confirmed arrives once and in order, and nothing crosses from one call to another; also where its
//! process is killed in between and another takes over what it has written down.

// By its path, for a test of `signaller` has this file by its own.
#[path = "relay/members.rs"]
mod members;

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::{Arbitrary, Unstructured};
use signaller::{
    CallId, Envelope, Message, ParticipantId,
    access::Secret,
    message::RELAY,
    relay::{Action, Change, EntryWay, Limits, MailboxRecord, Relay, RelaySettings, Store, StoredMessage},
};

use self::members::Client;

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
