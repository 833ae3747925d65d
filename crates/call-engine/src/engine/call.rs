//! The call that is under way.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use signaller::{CallId, Candidate, ParticipantId};

use super::endpoints::Endpoints;
use crate::{
    CallState, ConnectionState, GatheringState, Guards, Hold, IceState, MediaError, MediaStream, RemoteTrack,
    Role, SignalingState, State,
    peer::{HoldBack, Outbox, Peer},
    recovery::Ladder,
};

/// Everything that one call holds.
pub(super) struct Call {
    pub(super) id: CallId,
    pub(super) remote: ParticipantId,
    pub(super) role: Role,
    pub(super) state: CallState,
    /// Marks the events of this call's present peer.
    pub(super) generation: u64,
    /// Whether the other side has heard of the call.
    pub(super) announced: bool,
    pub(super) media: Option<(Purpose, MediaRequest)>,
    pub(super) stream: Option<MediaStream>,
    pub(super) screen: Option<MediaStream>,
    pub(super) hold: Hold,
    pub(super) outbox: Option<Arc<Outbox>>,
    /// Whether the data channels are part of what is negotiated.
    pub(super) data_open: bool,
    pub(super) peer: Option<Peer>,
    pub(super) held: HoldBack,
    pub(super) machines: Machines,
    pub(super) timers: Timers,
    pub(super) recovery: Option<Recovering>,
    pub(super) remote_tracks: Vec<RemoteTrack>,
    pub(super) trickle: Trickle,
    pub(super) endpoints: Endpoints,
}

/// What media is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The call's own stream.
    Call,
    /// Another camera.
    Camera,
    /// The screen.
    Screen,
}

/// `getUserMedia` or `getDisplayMedia` while it waits for the person.
pub(super) type MediaRequest = Pin<Box<dyn Future<Output = Result<MediaStream, MediaError>> + Send>>;

/// The recovery of this call's connection.
pub(super) struct Recovering {
    pub(super) ladder: Ladder,
    /// When the ladder's clock began.
    pub(super) since: Instant,
    /// The deadline that the timer is set to.
    pub(super) armed: Option<Duration>,
}

/// What became of our candidates.
#[derive(Default)]
pub(super) struct Trickle {
    /// The ICE generation whose end was signalled.
    pub(super) ended: Option<String>,
    /// Those that wait for the end of gathering, where they are not trickled.
    pub(super) kept: Vec<Candidate>,
}

/// The timers of a call: one of each kind.
#[derive(Default)]
pub(super) struct Timers {
    running: BTreeMap<TimerKind, Pin<Box<dyn Future<Output = ()> + Send>>>,
}

/// What a timer waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TimerKind {
    /// Somebody answers.
    Ring,
    /// The call connects.
    Connect,
    /// The next deadline of the recovery.
    Recovery,
    /// The next sample of the statistics.
    Statistics,
}

/// The states of the peer connection's machines, as last reported (W3C webrtc-pc §4.4.2).
#[derive(Clone, Copy, Debug)]
pub(super) struct Machines {
    pub(super) signaling: SignalingState,
    pub(super) gathering: GatheringState,
    pub(super) ice: IceState,
    pub(super) connection: ConnectionState,
}

impl Call {
    pub(super) fn new(
        id: CallId,
        remote: ParticipantId,
        role: Role,
        generation: u64,
        guards: Guards,
    ) -> Self {
        Self {
            id,
            remote,
            role,
            state: CallState::Idle,
            generation,
            announced: role == Role::Callee,
            media: None,
            stream: None,
            screen: None,
            hold: Hold::default(),
            outbox: None,
            data_open: false,
            peer: None,
            held: HoldBack::new(guards),
            machines: Machines::default(),
            timers: Timers::default(),
            recovery: None,
            remote_tracks: Vec::new(),
            trickle: Trickle::default(),
            endpoints: Endpoints::default(),
        }
    }
}

impl Timers {
    /// Starts the timer of `kind`; one that runs already starts anew.
    pub(super) fn start(&mut self, kind: TimerKind, sleep: Pin<Box<dyn Future<Output = ()> + Send>>) {
        self.running.insert(kind, sleep);
    }

    pub(super) fn stop(&mut self, kind: TimerKind) {
        self.running.remove(&kind);
    }

    /// The first timer, in the order of their kinds, that is over. It is gone then.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Option<TimerKind> {
        let mut over = self.running.iter_mut().filter_map(|(kind, sleep)| match sleep.as_mut().poll(cx) {
            Poll::Ready(()) => Some(*kind),
            Poll::Pending => None,
        });
        let kind = over.next()?;
        self.running.remove(&kind);
        Some(kind)
    }
}

/// Those of a peer connection that was just made.
impl Default for Machines {
    fn default() -> Self {
        Self {
            signaling: SignalingState::Stable,
            gathering: GatheringState::New,
            ice: IceState::New,
            connection: ConnectionState::New,
        }
    }
}

impl Machines {
    /// The machine of `state` is there now: the state it left, `None` where it was there already. The call's own
    /// machine is none of these.
    pub(super) fn enter(&mut self, state: State) -> Option<State> {
        let left = match state {
            State::Call(_) => return None,
            State::Signaling(to) => State::Signaling(std::mem::replace(&mut self.signaling, to)),
            State::Gathering(to) => State::Gathering(std::mem::replace(&mut self.gathering, to)),
            State::Ice(to) => State::Ice(std::mem::replace(&mut self.ice, to)),
            State::Connection(to) => State::Connection(std::mem::replace(&mut self.connection, to)),
        };
        (left != state).then_some(left)
    }
}
