//! The trace: one captured call in one form, whatever it was captured with.
//!
//! Times are milliseconds after the trace's beginning, on one clock: [`merge`](crate::merge()) has brought the
//! clocks of several files together. What a capture does not show is `None` or an empty list, never a
//! guess; what was deduced says so ([`Message::inferred`]).

mod event;
mod loss;
mod message;
mod peer;
mod source;

pub use event::{ApiCall, CallResult, Method, PeerEvent, TrackChange, TrackInfo, TransceiverChange};
pub use loss::Loss;
pub use message::{Applied, MediaState, Message, Report, Signal, SignalKind};
pub use peer::{
    Configuration, Connection, Entry, Flow, Peer, Role, SelectedPair, StatsSample, is_closed,
    is_disconnected, is_failed, is_up,
};
pub use source::{Gap, Source};

use std::time::Duration;

use serde::{Deserialize, Serialize};
use timeline::{Name, VirtualTime};

use crate::format::Format;

/// The version of the trace format that this code writes.
pub const SCHEMA: u32 = 1;

/// One captured call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// The version of this format: [`SCHEMA`].
    pub schema: u32,
    /// The call's id as its signalling names it, else `call-1`, `call-2`, …
    pub id: String,
    /// The reference clock at the trace's beginning, in microseconds since the Unix epoch; 0 where the
    /// capture is of a virtual world.
    pub began_us: i64,
    /// The files that it was made of.
    pub sources: Vec<Source>,
    /// Who took part: the caller first, then in the order of their names.
    pub peers: Vec<Peer>,
    /// Every signalling message, in the order in which it was first seen.
    pub messages: Vec<Message>,
    /// What the server did besides passing messages on: joins, closed connections, dropped messages.
    pub server: Vec<ServerEntry>,
    /// The last moment of which something is known.
    pub ended_at: VirtualTime,
    /// Until when the capture went on, though nothing more happened in this call: not before [`Self::ended_at`].
    #[serde(default)]
    pub observed_until: VirtualTime,
}

/// One event of the signalling server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerEntry {
    /// When.
    pub at: VirtualTime,
    /// Which participant it is about, as the server names it.
    pub peer: Name,
    /// What happened.
    pub event: ServerEvent,
}

/// What a signalling server can do besides passing messages on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ServerEvent {
    /// The participant's connection was closed, with this WebSocket close code where it is known
    /// (RFC 6455 §7.4).
    Closed(Option<u16>),
    /// A message of this type was not passed on.
    Dropped(String),
    /// The participant was with the server again, after its connection had been closed.
    Rejoined,
}

/// How a captured call ended, as its connection states tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It connected, and was connected when it was ended.
    Connected,
    /// It connected, and was `disconnected` at the end.
    Disconnected,
    /// It connected, or tried to, and `failed`.
    Failed,
    /// No peer ever connected.
    NeverConnected,
    /// The capture does not tell.
    Unknown,
}

impl Outcome {
    /// The word of the report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Disconnected => "disconnected",
            Self::Failed => "failed",
            Self::NeverConnected => "never-connected",
            Self::Unknown => "unknown",
        }
    }
}

impl Trace {
    /// The peer of this name.
    pub fn peer(&self, id: &str) -> Option<&Peer> {
        self.peers.iter().find(|peer| peer.id == id)
    }

    /// Whether a part of the capture is missing.
    pub fn is_partial(&self) -> bool {
        self.sources.iter().any(|source| !source.gaps.is_empty())
    }

    /// How the call ended. The worst of what its peers saw counts; closing says nothing.
    pub fn outcome(&self) -> Outcome {
        let seen: Vec<Outcome> =
            self.peers.iter().flat_map(|peer| &peer.connections).map(Connection::outcome).collect();
        let worst = [Outcome::Failed, Outcome::Disconnected, Outcome::Connected];
        match worst.into_iter().find(|outcome| seen.contains(outcome)) {
            Some(outcome) => outcome,
            None if let Some(said) = self.outcome_by_reports() => said,
            None if self.shows_transport() => Outcome::Connected,
            None if seen.contains(&Outcome::NeverConnected) || self.was_never_answered() => {
                Outcome::NeverConnected
            }
            None => Outcome::Unknown,
        }
    }

    /// Whether statistics show that something was connected: nothing arrives otherwise (RFC 5764).
    fn shows_transport(&self) -> bool {
        let mut samples = self.peers.iter().flat_map(|peer| &peer.connections).flat_map(|it| &it.stats);
        samples
            .any(|sample| sample.dtls_connected || sample.audio.received.max(sample.video.received) > Some(0))
    }

    /// What the servers said, where no state was captured.
    fn outcome_by_reports(&self) -> Option<Outcome> {
        let mut outcome = None;
        for (_, _, report) in self.reports() {
            match report {
                Report::Up => outcome = Some(Outcome::Connected),
                report if report.is_close_notify() && outcome == Some(Outcome::Connected) => {}
                Report::Failed { .. } => outcome = Some(Outcome::Failed),
                Report::Ended { .. }
                | Report::NotAcknowledged { .. }
                | Report::Slow { .. }
                | Report::Media { .. } => {}
            }
        }
        outcome
    }

    /// Without an answer that arrived no call connects, whatever else was captured. Where messages were not understood,
    /// the answer may be among them.
    fn was_never_answered(&self) -> bool {
        let is_answer =
            |message: &&Message| matches!(message.signal.kind, SignalKind::Answer | SignalKind::Pranswer);
        // More of them are no call.
        let mut answers = self.messages.iter().filter(is_answer).take(1000);
        let offered = self.messages.iter().any(|message| message.signal.kind == SignalKind::Offer);
        // Descriptions that somebody pasted are all that there is of their call.
        let is_pasted = self.sources.iter().all(|source| source.format == Format::Descriptions);
        offered
            && !is_pasted
            && self.not_understood() == 0
            && answers.all(|answer| self.loss(answer).is_some())
    }

    /// Whether it shows candidates of both sides: of their connections, on their own, or in descriptions.
    pub fn shows_candidates(&self) -> bool {
        let gathered = |peer: &Peer| {
            let mut entries = peer.connections.iter().flat_map(|connection| &connection.entries);
            entries.any(|entry| matches!(&entry.event, PeerEvent::CandidateGathered { candidate } if !candidate.is_end()))
        };
        let sent = |peer: &Peer| {
            self.messages.iter().filter(|message| message.from == peer.id).any(|message| {
                let signal = &message.signal;
                signal.candidate.as_ref().is_some_and(|candidate| !candidate.is_end())
                    || signal.description.as_ref().is_some_and(|it| it.sdp.contains("a=candidate:"))
            })
        };
        self.peers.iter().filter(|peer| gathered(peer) || sent(peer)).count() >= 2
    }

    /// How many messages at the same ends as those of this call were not understood.
    pub fn not_understood(&self) -> u64 {
        self.sources.iter().map(|source| source.not_understood).sum()
    }

    /// The time within which a difference of two times of this capture is right: a second, where a clock shows no
    /// more.
    pub(crate) fn resolution(&self) -> Duration {
        match self.sources.iter().any(|source| source.whole_seconds) {
            true => Duration::from_secs(1),
            false => Duration::ZERO,
        }
    }

    /// What the servers said of the connection, in order.
    pub fn reports(&self) -> impl Iterator<Item = (VirtualTime, &Message, &Report)> {
        self.messages
            .iter()
            .filter_map(|message| Some((message.first_seen(), message, message.signal.report.as_ref()?)))
    }
}
