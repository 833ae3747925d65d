//! What a signalling server has confirmed, on a disk.
//!
//! [`open`] reads what an earlier run has left, and [`keep`] writes down what a relay's
//! [`Journal`](signaller::relay::Journal) says, until the relay is gone: all that has come at once is one
//! transaction, and only when the disk has it is anything confirmed to anybody.
//!
//! Invariants:
//! - After a kill or a power loss at any moment the file holds what was confirmed, of both sides:
//!   `crates/callsim/tests/store.rs` kills a server 200 times under load.
//! - A file of another version, or of something else, is refused with a sentence and left as it is.
//!
//! Deliberately absent: compaction while a server runs. redb uses freed pages again, so that the file is as large as
//! it once had to be.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use redb::{Database, ReadableTable as _, TableDefinition, WriteTransaction};
use signaller::relay::{Change, JournalEnd, MailboxRecord, RestoreError, Store, StoredMessage};
use thiserror::Error;

/// The version of what the tables hold.
const VERSION: u64 = 1;

/// `version`, and nothing else.
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("callsim-signalling-store");

/// [`MailboxRecord`]s as JSON, by the key of their owner.
const MAILBOXES: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("mailboxes");

/// Messages by the key of their owner and their place. The sender comes first, as JSON, with a line end; then the
/// message.
const MESSAGES: TableDefinition<'_, (&[u8], u64), &[u8]> = TableDefinition::new("messages");

/// How much of the file is held in memory, in bytes: it is written far more often than it is read.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// Why there is no store.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file cannot be opened, or another server has it open.
    #[error("cannot open the store {}: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: Box<redb::Error>,
    },
    /// It was written by another version of this package.
    #[error(
        "the store {} has version {found}, and this program reads version {VERSION}: use the program that wrote it, \
         or another file", path.display()
    )]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
    },
    /// It cannot be read or written any more.
    #[error("the store failed: {0}")]
    Failed(#[from] Box<redb::Error>),
    /// A record in it is none of this version.
    #[error("the store holds a record that cannot be read: {0}")]
    BadRecord(#[from] serde_json::Error),
    /// Its records do not fit each other.
    #[error("the store cannot be taken over: {0}")]
    Inconsistent(#[from] RestoreError),
}

/// A store on a disk.
#[derive(Debug)]
pub struct DiskStore {
    database: Database,
}

/// Opens the store in `path`, or begins one, and reads what is in it.
///
/// # Errors
/// [`StoreError`] where the file cannot be used; it is then left as it is.
pub fn open(path: &Path) -> Result<(DiskStore, Store), StoreError> {
    let wrong = |source: redb::Error| StoreError::Open { path: path.to_owned(), source: Box::new(source) };
    // A file that something else has altered is refused, and not trusted: opening it reads the whole file, which is as
    // large as what once waited.
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
    let database = builder.create(path).map_err(|error| wrong(error.into()))?;
    let disk = DiskStore { database };
    match disk.version()? {
        VERSION => {}
        found => return Err(StoreError::OtherVersion { path: path.to_owned(), found }),
    }
    let kept = disk.read()?;
    Ok((disk, kept))
}

impl DiskStore {
    /// Writes down what the relay says, until it is gone.
    ///
    /// # Errors
    /// [`StoreError`] where the disk takes no more. Nothing is confirmed from then on.
    pub fn keep(&self, mut journal: JournalEnd) -> Result<(), StoreError> {
        while let Some(changes) = journal.wait() {
            self.write(&changes)?;
            journal.written();
        }
        Ok(())
    }

    /// The version of the file, which is this one's where it is new.
    fn version(&self) -> Result<u64, StoreError> {
        self.transact(|transaction| {
            let mut meta = transaction.open_table(META)?;
            let found = meta.get("version")?.map(|version| version.value());
            if let Some(found) = found {
                return Ok(found);
            }
            meta.insert("version", VERSION)?;
            // So that a store that was never written to can be read.
            transaction.open_table(MAILBOXES)?;
            transaction.open_table(MESSAGES)?;
            Ok(VERSION)
        })
    }

    fn read(&self) -> Result<Store, StoreError> {
        let Rows { records, mut messages } = self.transact(Rows::of)?;
        let mut mailboxes = Vec::new();
        for (owner, record) in records {
            let record: MailboxRecord = serde_json::from_slice(&record)?;
            let of_mailbox = messages.remove(&owner).unwrap_or_default();
            let read = of_mailbox.into_iter().map(|(place, row)| message_of(place, &row));
            mailboxes.push((record, read.collect::<Result<Vec<_>, _>>()?));
        }
        Ok(Store::restored(mailboxes)?)
    }

    /// Writes changes as one transaction, which the disk has when this returns.
    fn write(&self, changes: &[Change]) -> Result<(), StoreError> {
        let mut rows = Vec::new();
        for change in changes {
            rows.push(match change {
                Change::Kept(record, messages) => {
                    let messages = messages.iter().map(|stored| Ok((stored.place, row_of(stored)?)));
                    let messages = messages.collect::<Result<Vec<_>, serde_json::Error>>()?;
                    Some((record.first_place, serde_json::to_vec(record)?, messages))
                }
                Change::Forgotten { .. } => None,
            });
        }
        self.transact(|transaction| {
            let mut mailboxes = transaction.open_table(MAILBOXES)?;
            let mut stored = transaction.open_table(MESSAGES)?;
            for (change, row) in changes.iter().zip(&rows) {
                let owner = key_of(change);
                let owner = owner.as_slice();
                let Some((first_place, record, messages)) = row else {
                    mailboxes.remove(owner)?;
                    stored.retain_in((owner, 0)..=(owner, u64::MAX), |_, _| false)?;
                    continue;
                };
                mailboxes.insert(owner, record.as_slice())?;
                stored.retain_in((owner, 0)..(owner, *first_place), |_, _| false)?;
                for (place, row) in messages {
                    stored.insert((owner, *place), row.as_slice())?;
                }
            }
            Ok(())
        })
    }

    /// The default durability of redb: the disk has a transaction when its commit returns.
    fn transact<T>(
        &self,
        happen: impl FnOnce(&WriteTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        let all = || {
            let transaction = self.database.begin_write()?;
            let result = happen(&transaction)?;
            transaction.commit()?;
            Ok(result)
        };
        all().map_err(|error: redb::Error| StoreError::Failed(Box::new(error)))
    }
}

/// What stands in the tables.
struct Rows {
    records: Vec<(Vec<u8>, Vec<u8>)>,
    /// By the key of their owner, in the order of their places.
    messages: BTreeMap<Vec<u8>, Vec<(u64, Vec<u8>)>>,
}

impl Rows {
    fn of(transaction: &WriteTransaction) -> Result<Self, redb::Error> {
        let mut rows = Self { records: Vec::new(), messages: BTreeMap::new() };
        for row in transaction.open_table(MAILBOXES)?.iter()? {
            let (owner, record) = row?;
            rows.records.push((owner.value().to_vec(), record.value().to_vec()));
        }
        for row in transaction.open_table(MESSAGES)?.iter()? {
            let (key, message) = row?;
            let (owner, place) = key.value();
            rows.messages.entry(owner.to_vec()).or_default().push((place, message.value().to_vec()));
        }
        Ok(rows)
    }
}

/// Whose mailbox changes: the length of its call's name, the name, and its owner's; without a call the owner's
/// behind a length that no name has.
fn key_of(change: &Change) -> Vec<u8> {
    let (call, participant) = match change {
        Change::Kept(record, _) => (&record.call, &record.participant),
        Change::Forgotten { call, participant } => (call, participant),
    };
    let call = call.as_ref().map(|call| call.as_str());
    let length = call.map_or(u32::MAX, |call| u32::try_from(call.len()).unwrap_or(u32::MAX - 1));
    [&length.to_be_bytes(), call.unwrap_or_default().as_bytes(), participant.as_str().as_bytes()].concat()
}

fn row_of(stored: &StoredMessage) -> Result<Vec<u8>, serde_json::Error> {
    let mut row = serde_json::to_vec(&stored.from)?;
    row.push(b'\n');
    row.extend_from_slice(&stored.message);
    Ok(row)
}

fn message_of(place: u64, row: &[u8]) -> Result<StoredMessage, serde_json::Error> {
    // JSON in one line has no line end; a row without one reads as a sender and no message.
    let end = row.iter().position(|byte| *byte == b'\n').unwrap_or(row.len());
    let from = serde_json::from_slice(&row[..end])?;
    let message = Bytes::copy_from_slice(row.get(end + 1..).unwrap_or_default());
    Ok(StoredMessage { place, from, message })
}

#[cfg(test)]
mod tests {
    use signaller::{
        Envelope, Message,
        message::{CallId, VERSION},
        relay::{ConnectionId, Entry, EntryWay, Next, Relay, RelaySettings},
    };

    use super::*;

    fn settings() -> RelaySettings {
        RelaySettings { epoch: 7, ..RelaySettings::default() }
    }

    fn enter(relay: &mut Relay, who: &str, call: &str) -> ConnectionId {
        let connection = relay.connect();
        let entry = Entry {
            call: Some(call.into()),
            participant: who.into(),
            session: "s".into(),
            mailbox: None,
            cursor: 0,
            turn: 0,
            way: EntryWay::Stream,
        };
        relay.enter(connection, &entry).0.unwrap();
        connection
    }

    fn send(relay: &mut Relay, from: ConnectionId, (id, call, sender, to): (u64, &str, &str, &str)) {
        let (from_name, body) = (sender.into(), Message::Ringing);
        let envelope =
            Envelope { version: VERSION, id, call: CallId::new(call), from: from_name, to: to.into(), body };
        let _ = relay.handle(from, &envelope.to_json());
    }

    /// All that a connection is given, without acknowledging it.
    fn mail(relay: &mut Relay, connection: ConnectionId) -> Vec<(u64, u64)> {
        let mut mail = Vec::new();
        loop {
            match relay.next(connection) {
                Next::Mail { place, message } => {
                    mail.push((place, Envelope::from_json(&message).unwrap().id));
                }
                Next::Message(_) | Next::Confirmed { .. } => {}
                Next::Wait | Next::Close => return mail,
            }
            let _ = relay.written(connection);
        }
    }

    fn reopened(path: &Path) -> Relay {
        Relay::durable(&RelaySettings { epoch: 8, ..settings() }, open(path).unwrap().1)
    }

    #[test]
    fn what_was_written_down_is_there_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let (disk, kept) = open(&path).unwrap();
        let mut relay = Relay::durable(&settings(), kept);
        let alice = enter(&mut relay, "alice", "c");
        for id in 1..=4 {
            send(&mut relay, alice, (id, "c", "alice", "bob"));
        }
        let bob = enter(&mut relay, "bob", "c");
        assert_eq!(mail(&mut relay, bob), [(1, 1), (2, 2), (3, 3), (4, 4)]);
        relay.acknowledge(bob, 2);
        disk.write(&relay.take_changes()).unwrap();
        // Never written down: a power loss undoes it.
        send(&mut relay, alice, (5, "c", "alice", "bob"));
        drop((disk, relay));

        let mut relay = reopened(&path);
        let alice = enter(&mut relay, "alice", "c");
        send(&mut relay, alice, (4, "c", "alice", "bob"));
        send(&mut relay, alice, (5, "c", "alice", "bob"));
        let bob = enter(&mut relay, "bob", "c");
        assert_eq!(mail(&mut relay, bob), [(3, 3), (4, 4), (5, 5)], "4 is known, 5 is not");
    }

    #[test]
    fn names_in_two_calls_are_two_owners() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let (disk, kept) = open(&path).unwrap();
        let mut relay = Relay::durable(&settings(), kept);
        for call in ["c", "cb", "d"] {
            let alice = enter(&mut relay, "alice", call);
            send(&mut relay, alice, (1, call, "alice", "bob"));
        }
        disk.write(&relay.take_changes()).unwrap();
        drop(disk);
        let mut relay = reopened(&path);
        let bob = enter(&mut relay, "bob", "cb");
        assert_eq!(mail(&mut relay, bob), [(1, 1)]);
        relay.acknowledge(bob, 1);
        assert_eq!(relay.store().waiting(), 2);
    }

    #[test]
    fn who_was_forgotten_is_not_there_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let (disk, kept) = open(&path).unwrap();
        let mut relay = Relay::durable(&settings(), kept);
        let alice = enter(&mut relay, "alice", "c");
        send(&mut relay, alice, (1, "c", "alice", "bob"));
        disk.write(&relay.take_changes()).unwrap();
        let _ = relay.advance(std::time::Duration::from_secs(601));
        disk.write(&relay.take_changes()).unwrap();
        drop(disk);
        assert_eq!(reopened(&path).store().waiting(), 0);
    }

    #[test]
    fn a_file_of_something_else_is_refused_and_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        std::fs::write(&path, "my diary").unwrap();
        let refused = open(&path).unwrap_err().to_string();
        assert!(refused.starts_with(&format!("cannot open the store {}", path.display())), "{refused}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "my diary");
        let path = folder.path().join("newer");
        let (disk, _) = open(&path).unwrap();
        disk.transact(|transaction| Ok(transaction.open_table(META)?.insert("version", 2).map(drop)?))
            .unwrap();
        drop(disk);
        let refused = open(&path).unwrap_err().to_string();
        assert!(refused.contains("has version 2, and this program reads version 1"), "{refused}");
    }

    #[test]
    fn one_server_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let _first = open(&path).unwrap();
        assert!(matches!(open(&path), Err(StoreError::Open { .. })));
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { cases: 64, ..Default::default() })]

        /// A damaged file is refused or read; never a panic.
        #[test]
        fn a_damaged_file_does_not_panic(at in 0..70_000_usize, byte: u8, cut in 0..3_usize) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("store");
            let (disk, kept) = open(&path).unwrap();
            let mut relay = Relay::durable(&settings(), kept);
            let alice = enter(&mut relay, "alice", "c");
            send(&mut relay, alice, (1, "c", "alice", "bob"));
            disk.write(&relay.take_changes()).unwrap();
            drop(disk);
            let mut bytes = std::fs::read(&path).unwrap();
            let at = at % bytes.len();
            bytes[at] = byte;
            if cut == 0 {
                bytes.truncate(at);
            }
            std::fs::write(&path, bytes).unwrap();
            if let Ok((disk, kept)) = open(&path) {
                let relay = Relay::durable(&settings(), kept);
                proptest::prop_assert!(relay.store().waiting() <= 1);
                drop(disk);
            }
        }
    }
}
