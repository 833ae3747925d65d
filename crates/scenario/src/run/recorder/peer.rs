//! The counts of one peer.

use call_engine::{EngineEvent, RecoveryStep};
use timeline::{
    CallState, CandidateFate, ConnectionState, EndReason, Event, MessageKind as Kind, Name, State as StateOf,
    Trickle, VirtualTime,
};

use crate::record::{CandidatePair, PeerRecord};

/// What is counted of one peer, and what has to be known for that.
#[derive(Default)]
pub(super) struct Peer {
    pub(super) record: PeerRecord,
    /// The other side of its present or last call.
    pub(super) remote: Option<Name>,
    /// Whether a call is under way or not yet released.
    pub(super) busy: bool,
}

impl Peer {
    /// Counts what an engine does, before it is written down.
    pub(super) fn count_engine(&mut self, event: &EngineEvent) {
        match event {
            EngineEvent::IncomingCall { from, .. } => self.remote = Some(from.clone()),
            EngineEvent::Recovery { step: RecoveryStep::Recovered, .. } => self.record.recoveries += 1,
            EngineEvent::DataRefused { delivery, .. } => {
                self.record.data_sent.entry(*delivery).or_default().refused += 1;
            }
            EngineEvent::Released { live_tracks } => {
                self.record.tracks_live += live_tracks;
                self.busy = false;
            }
            _ => {}
        }
    }

    /// Counts what any program reports.
    pub(super) fn count(&mut self, at: VirtualTime, event: &Event) {
        let candidates = &mut self.record.candidates;
        match event {
            Event::Transition { to: StateOf::Call(to), .. } => self.call_moved(at, *to),
            Event::MessageSent { kind, .. } => match kind {
                Kind::Candidate => candidates.sent += 1,
                Kind::Offer => self.record.offers_sent += 1,
                Kind::Answer => self.record.answers_sent += 1,
                _ => {}
            },
            Event::MessageReceived { kind: Kind::Candidate, .. } => candidates.received += 1,
            Event::PairSelected { local, remote } => {
                self.record.pair = Some(CandidatePair::of(local, remote));
            }
            // The end of the candidates waits and is applied like one, but is not one.
            Event::Candidate { candidate: Trickle::EndOfCandidates, .. } => {}
            Event::Candidate { fate, .. } => match fate {
                CandidateFate::Gathered => candidates.gathered += 1,
                CandidateFate::Held => candidates.held += 1,
                CandidateFate::Applied => candidates.applied += 1,
                CandidateFate::Rejected => candidates.rejected += 1,
            },
            _ => {}
        }
    }

    /// Counts what only a program without the engine leaves to others: its call is its peer connection, and the other
    /// side is who its messages come from and go to.
    pub(super) fn count_without_engine(&mut self, at: VirtualTime, event: &Event) {
        match event {
            Event::Transition { to: StateOf::Connection(to), .. } => match to {
                ConnectionState::Connected => {
                    self.record.call_state = CallState::Connected;
                    self.record.connected_at.get_or_insert(at);
                }
                ConnectionState::Failed => {
                    let was_connected = self.record.connected_at.is_some();
                    let reason = match was_connected {
                        true => EndReason::ConnectionLost,
                        false => EndReason::ConnectionFailed,
                    };
                    self.ended(reason);
                }
                ConnectionState::Closed => self.ended(EndReason::HungUp),
                ConnectionState::New | ConnectionState::Connecting | ConnectionState::Disconnected => {}
            },
            Event::MessageSent { to: other, .. } | Event::MessageReceived { from: other, .. } => {
                self.remote = Some(other.clone());
            }
            _ => {}
        }
    }

    /// A connection that failed and is closed then ended for the failure.
    fn ended(&mut self, reason: EndReason) {
        if !matches!(self.record.call_state, CallState::Ended(_)) {
            self.record.call_state = CallState::Ended(reason);
            self.record.end_reason = Some(reason);
        }
    }

    fn call_moved(&mut self, at: VirtualTime, to: CallState) {
        self.record.call_state = to;
        self.record.end_reason = to.end_reason().or(self.record.end_reason);
        if to == CallState::Connected {
            self.record.connected_at.get_or_insert(at);
        }
        self.busy = true;
    }
}
