//! The relay: takes messages from participants, keeps them until the addressee is there, and passes
//! them on.
//!
//! [`Relay`] is the rules alone: bytes in, [`Action`]s out, no input or output, no time. [`SharedRelay`]
//! runs it: it wakes writers, sleeps for held messages and calls the observer. A [`RelayConnection`] is
//! what an endpoint for TCP, WebSocket or REST drives.
//!
//! # Two ways to deliver
//!
//! A connection that *acknowledges* (WebSocket, REST) says who it is with an [`Entry`]. Every message in
//! its mailbox has a place, counted from 1; the client names the place up to which it has applied
//! everything, its cursor, and only then the relay forgets. The relay in turn confirms the highest id
//! that it has from the client, and only then the client forgets. So whatever happens to connections,
//! both sides go on where they stopped: messages are sent at least once and applied once. A refused
//! message is settled too: its id is used up, and the error comes with the mail.
//!
//! A connection that does not (framed TCP) loses what was written to it just before it died.
//!
//! Invariants:
//! - Messages of one sender to one addressee are passed on in the order of sending, but for those that
//!   a [`DelayRule`] or a [`FaultRule`] holds.
//! - A message is passed on as it came, byte for byte: fields that the relay does not know survive it.
//! - A message leaves its mailbox when it was acknowledged, or written to a connection that does not
//!   acknowledge; not before: whoever reconnects gets the rest.
//! - Everything that a client can make grow has a limit in [`Limits`], and an answer at the limit.
//! - On a relay with a secret, nobody sees or reaches a mailbox of another call than its token's.
//!
//! A relay with a [`Journal`] tells a client nothing that is not written down: after a power loss at any moment
//! nothing that it has confirmed is lost, and nothing that an addressee has applied comes again.
//!
//! Deliberately absent: the disk. Whoever has one takes the [`JournalEnd`] (the package `callsim-store`); for
//! scenarios in which the machine loses power there is [`Store`].

mod address;
mod admission;
mod company;
mod connection;
mod core;
mod entry;
mod event;
mod faults;
mod journal;
mod limits;
mod log;
mod mailbox;
mod mailboxes;
mod shared;
mod store;
mod words;

pub use self::core::{Action, ConnectionId, Next, Relay};
pub use address::MailboxId;
pub use admission::Refusal;
pub use connection::RelayConnection;
pub use entry::{Entry, EntryWay, Welcome};
pub use event::{Observer, Passage, RelayEvent};
pub use faults::{
    DelayRule, EndpointFaults, Fault, FaultRule, HeldId, RestFault, RestRequest, RestRule, WebSocketFault,
    WebSocketRule, Window,
};
pub use journal::{Change, Journal, JournalEnd, MailboxRecord, RestoreError, StoredMessage, journal};
pub use limits::{Limits, RelaySettings};
pub use log::RelayLog;
pub use shared::SharedRelay;
pub use store::Store;
