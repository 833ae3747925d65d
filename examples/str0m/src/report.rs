//! What the app does, in the words of the timeline.

use callsim::{
    Place, Reporter,
    timeline::{
        CandidateFate, ConnectionState, Event, IceState, Machine, MediaKind, MessageRef, PacketPosition,
        ReceivedPacket, State, TrackChange,
    },
};
use signaller::{Candidate, Envelope, Message, ParticipantId};
use str0m::IceConnectionState;

/// Reports what one peer does. It remembers the state of each machine, because a transition names the state before.
pub(crate) struct Report {
    reporter: Reporter,
    machines: Vec<State>,
}

impl Report {
    pub(crate) fn new(place: &Place) -> Self {
        Self {
            reporter: place.reporter().clone(),
            machines: Machine::ALL.iter().map(|machine| machine.initial()).collect(),
        }
    }

    /// There is another peer connection: its machines begin anew.
    pub(crate) fn new_peer(&mut self) {
        for state in self.machines.iter_mut().filter(|state| state.machine() != Machine::Call) {
            *state = state.machine().initial();
        }
    }

    /// A machine is in this state now; whether that is news.
    pub(crate) fn entered(&mut self, to: State) -> bool {
        let known = self.machines.iter_mut().find(|known| known.machine() == to.machine());
        let Some(from) = known.map(|known| std::mem::replace(known, to)).filter(|from| *from != to) else {
            return false;
        };
        self.reporter.report(Event::Transition { from, to, cause: None });
        true
    }

    /// ICE moved, and the peer connection with it as W3C webrtc-pc §4.3.3 says; when it is connected, DTLS decides.
    pub(crate) fn ice(&mut self, state: IceConnectionState) {
        let (ice, connection) = match state {
            IceConnectionState::New => (IceState::New, None),
            IceConnectionState::Checking => (IceState::Checking, Some(ConnectionState::Connecting)),
            IceConnectionState::Connected => (IceState::Connected, None),
            IceConnectionState::Completed => (IceState::Completed, None),
            IceConnectionState::Disconnected => (IceState::Disconnected, Some(ConnectionState::Disconnected)),
        };
        self.entered(State::Ice(ice));
        if let Some(connection) = connection {
            self.entered(State::Connection(connection));
        }
    }

    pub(crate) fn sent(&self, id: u64, to: &ParticipantId, body: &Message) {
        let (kind, detail) = (body.kind(), body.detail().into());
        self.reporter.report(Event::MessageSent { id, kind, to: to.clone(), detail });
    }

    pub(crate) fn received(&self, envelope: &Envelope) {
        let (kind, detail) = (envelope.body.kind(), envelope.body.detail().into());
        let (id, from) = (envelope.id, envelope.from.clone());
        self.reporter.report(Event::MessageReceived { id, kind, from, detail });
    }

    pub(crate) fn candidate(&self, fate: CandidateFate, candidate: &Candidate, message: Option<MessageRef>) {
        let candidate = candidate.summary();
        self.reporter.report(Event::Candidate { fate, candidate, message, error: None });
    }

    pub(crate) fn rejected(&self, candidate: &Candidate, message: MessageRef, why: String) {
        let (fate, candidate) = (CandidateFate::Rejected, candidate.summary());
        self.reporter.report(Event::Candidate {
            fate,
            candidate,
            message: Some(message),
            error: Some(why.into()),
        });
    }

    pub(crate) fn track(&self, kind: MediaKind) {
        self.reporter.report(Event::Track { change: TrackChange::Added, kind });
    }

    /// str0m hands out whole frames.
    pub(crate) fn frame(&self, kind: MediaKind, bytes: usize) {
        self.reporter.packet_received(ReceivedPacket { kind, bytes, position: PacketPosition::End });
    }

    pub(crate) fn problem(&self, what: impl Into<String>) {
        self.reporter.problem(what);
    }
}
