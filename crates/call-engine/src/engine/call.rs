//! The call that is under way.

use std::{collections::BTreeMap, future::Future, pin::Pin};

use signaller::{CallId, ParticipantId};

use crate::{
    CallState, MediaError, MediaStream, Role, StateMachine,
    peer::{HoldBack, Peer},
};

/// Everything that one call holds.
pub(super) struct Call {
    pub(super) id: CallId,
    pub(super) remote: ParticipantId,
    pub(super) role: Role,
    pub(super) state: CallState,
    /// Marks the events of this call's peer.
    pub(super) generation: u64,
    /// Whether the other side has heard of the call.
    pub(super) announced: bool,
    pub(super) media: Option<MediaRequest>,
    pub(super) stream: Option<MediaStream>,
    pub(super) peer: Option<Peer>,
    pub(super) held: HoldBack,
    pub(super) machines: Machines,
    pub(super) timer: Option<Timer>,
    /// How many tracks of each remote stream are there.
    pub(super) remote_streams: BTreeMap<String, usize>,
    pub(super) candidates_ended: bool,
}

/// `getUserMedia` while it waits for the person.
pub(super) type MediaRequest = Pin<Box<dyn Future<Output = Result<MediaStream, MediaError>> + Send>>;

/// The one timer that a call has at a time.
pub(super) struct Timer {
    pub(super) kind: TimerKind,
    pub(super) sleep: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// What a timer waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimerKind {
    Ring,
    Connect,
}

/// The states of the peer connection's machines, as last reported.
#[derive(Default)]
pub(super) struct Machines {
    states: BTreeMap<StateMachine, String>,
}

impl Call {
    pub(super) fn new(id: CallId, remote: ParticipantId, role: Role, generation: u64) -> Self {
        Self {
            id,
            remote,
            role,
            state: CallState::Idle,
            generation,
            announced: role == Role::Callee,
            media: None,
            stream: None,
            peer: None,
            held: HoldBack::default(),
            machines: Machines::default(),
            timer: None,
            remote_streams: BTreeMap::new(),
            candidates_ended: false,
        }
    }
}

impl Machines {
    /// The machine is in `state` now: the state it left, `None` where it was there already.
    pub(super) fn enter(&mut self, machine: StateMachine, state: &str) -> Option<String> {
        let present = self.states.entry(machine).or_insert_with(|| initial(machine).to_owned());
        (present.as_str() != state).then(|| std::mem::replace(present, state.to_owned()))
    }

    /// Where the machine is.
    pub(super) fn state(&self, machine: StateMachine) -> &str {
        self.states.get(&machine).map_or(initial(machine), String::as_str)
    }
}

/// W3C webrtc-pc §4.4.2: the states of a peer connection that was just made.
const fn initial(machine: StateMachine) -> &'static str {
    match machine {
        StateMachine::Signaling => "stable",
        StateMachine::Call => "idle",
        StateMachine::Gathering | StateMachine::Ice | StateMachine::Connection => "new",
    }
}
