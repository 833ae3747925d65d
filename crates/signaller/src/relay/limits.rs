use std::time::Duration;

use super::{DelayRule, EndpointFaults, FaultRule};
use crate::{access::Secret, message::MAX_MESSAGE_BYTES};

/// What a relay keeps at most, and what it answers beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest message, in bytes of JSON. Beyond: `too-large`; and where the length was announced by a
    /// frame, the connection is closed, because what follows cannot be found.
    pub message_bytes: usize,
    /// Messages that wait for one participant, held ones included. Beyond: `queue-full` to the sender.
    pub queue: usize,
    /// Participants that are remembered, connected or not. Beyond, the one that left longest ago and
    /// has no mail is forgotten; where there is none, a join is answered `relay-full` and a message to
    /// an unknown participant `unknown-participant`.
    pub participants: usize,
    /// Answers of the relay itself that wait to be written to one connection. Beyond: the connection
    /// is closed; it sends faults and does not read.
    pub replies: usize,
    /// Calls that are remembered, where participants enter with tokens. Beyond: `relay-full`, and
    /// `unknown-participant`, as for participants.
    pub calls: usize,
    /// How long a participant may be away before it is forgotten with its mail. Whoever comes back
    /// later begins anew; senders are not told.
    pub idle: Duration,
    /// Participants of one call that are remembered, where participants enter with tokens; so that no token
    /// fills the relay. Beyond: as for participants.
    pub participants_per_call: usize,
    /// Participants who have not joined yet and for whom messages of one sender wait. Beyond:
    /// `unknown-participant`.
    pub unknown_per_sender: usize,
    /// Bytes of messages of one sender that wait, each counted with 128 bytes for its keeping. Beyond, as for the
    /// next two: `queue-full` to the sender.
    pub sender_bytes: usize,
    /// Likewise of one call, where participants enter with tokens.
    pub call_bytes: usize,
    /// Likewise of all mailboxes. The relay's own answers, which have an eighth more, count as well.
    pub mail_bytes: usize,
}

impl Default for Limits {
    /// 64 KiB, 256 messages, 1024 participants, 16 answers, 512 calls, 10 minutes; 64 participants of a call, 16
    /// unknown ones of a sender; 4 MiB of a sender, 8 MiB of a call, 256 MiB in all, which a machine with 1 GB has.
    fn default() -> Self {
        Self {
            message_bytes: MAX_MESSAGE_BYTES,
            queue: 256,
            participants: 1024,
            replies: 16,
            calls: 512,
            idle: Duration::from_secs(600),
            participants_per_call: 64,
            unknown_per_sender: 16,
            sender_bytes: 4 * 1024 * 1024,
            call_bytes: 8 * 1024 * 1024,
            mail_bytes: 256 * 1024 * 1024,
        }
    }
}

/// How a [`SharedRelay`](super::SharedRelay) runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelaySettings {
    /// What it keeps at most.
    pub limits: Limits,
    /// Which messages it holds back. The first rule that holds a message decides.
    pub delays: Vec<DelayRule>,
    /// How long the last answers of a connection may take to be written after its client has stopped
    /// sending.
    pub drain_within: Duration,
    /// What happens to messages that the relay has accepted. Asked after `delays`.
    pub faults: Vec<FaultRule>,
    /// How its WebSocket and REST endpoints misbehave.
    pub endpoint: EndpointFaults,
    /// Admits only holders of a [`Token`](crate::access::Token) that was signed with it. `None`: an
    /// open relay, which believes every name; for tests, and for networks without strangers.
    pub secret: Option<Secret>,
    /// Names the relay's store. One that starts without the store of an earlier one needs another
    /// number, so that its clients do not take old places for new ones.
    pub epoch: u64,
}

impl Default for RelaySettings {
    /// The default [`Limits`], no delays, 5 s to drain, no faults, open, epoch 1.
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            delays: Vec::new(),
            drain_within: Duration::from_secs(5),
            faults: Vec::new(),
            endpoint: EndpointFaults::default(),
            secret: None,
            epoch: 1,
        }
    }
}
