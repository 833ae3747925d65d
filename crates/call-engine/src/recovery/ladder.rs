use std::time::Duration;

use super::{Recovery, RecoveryCause as Cause, RecoveryStep};
use crate::Guards;

/// Which side rebuilds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lead {
    /// This one: the caller.
    Leads,
    /// The other one.
    Follows,
}

/// Whether there is a TURN server to relay through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relays {
    Available,
    None,
}

/// The recovery of one call, for one side.
#[derive(Clone, Debug)]
pub(crate) struct Ladder {
    settings: Recovery,
    guards: Guards,
    lead: Lead,
    relays: Relays,
    state: State,
    signaling: Signaling,
    /// Rebuilds of the present recovery.
    rebuilds: u32,
    /// When the present recovery began.
    lost_at: Option<Duration>,
    /// Since when the other side is absent from the relay.
    absent_since: Option<Duration>,
}

/// What happens to the connection, or to what a recovery needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// The first peer connection is built, and negotiated from now on.
    Negotiating,
    /// Our offer is answered.
    Answered,
    /// ICE is `checking`.
    Checking,
    /// ICE is `connected`.
    IceConnected,
    /// `connectionState` is `connected`.
    Connected,
    /// `connectionState` is `disconnected`.
    Disconnected,
    /// ICE is `failed`.
    IceFailed,
    /// DTLS is `failed`.
    DtlsFailed,
    /// A description could not be made or applied.
    NegotiationFailed,
    /// The application says that the network changed.
    NetworkChanged,
    /// The other side's offer restarts ICE.
    RemoteRestarted,
    /// The other side's offer comes from a new peer connection.
    RemoteRebuilt,
    /// The other side asks for a new peer connection.
    RemoteAsks,
    /// The other side is absent from the relay.
    RemoteAbsent,
    /// The other side is at the relay: it says so, or something came of it.
    RemotePresent,
    /// Signalling is out of reach.
    SignalingDown,
    /// Signalling is there.
    SignalingUp,
}

/// A step to carry out, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) what: RecoveryStep,
    pub(crate) cause: Cause,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// There is no peer connection yet.
    Idle,
    /// An attempt to connect is under way.
    Trying { rung: Rung, stage: Stage, deadline: Deadline },
    /// Nothing to do.
    Connected,
    /// It may heal by itself until then.
    Disconnected { until: Duration },
    /// The rung is taken when signalling is back; `reached` is the highest that was taken.
    Awaiting { rung: Rung, reached: Rung },
    /// Given up.
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Our offer, or our wish for one, is not answered yet.
    Signaling,
    Ice,
    Dtls,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deadline {
    None,
    At(Duration),
    /// Starts anew when signalling is back.
    Paused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rung {
    /// The connection that the call begins with.
    First,
    IceRestart,
    RelayRestart,
    Rebuild,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signaling {
    Up,
    Down,
}

impl Ladder {
    /// Of a call that has no peer connection yet.
    pub(crate) const fn new(settings: Recovery, guards: Guards, lead: Lead, relays: Relays) -> Self {
        Self {
            settings,
            guards,
            lead,
            relays,
            state: State::Idle,
            signaling: Signaling::Up,
            rebuilds: 0,
            lost_at: None,
            absent_since: None,
        }
    }

    /// When [`Self::on_timer`] is to be called, if nothing else happens before.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        let own = match self.state {
            State::Trying { deadline: Deadline::At(at), .. } | State::Disconnected { until: at } => Some(at),
            State::Over => return None,
            _ => None,
        };
        own.into_iter().chain(self.give_up_at()).chain(self.absent_until()).min()
    }

    /// When nothing more is tried.
    fn give_up_at(&self) -> Option<Duration> {
        self.lost_at.map(|at| at + self.settings.give_up)
    }

    /// Until when the other side may come back, where it is absent and the connection is lost.
    fn absent_until(&self) -> Option<Duration> {
        Some(self.lost_at?.max(self.absent_since?) + self.settings.absent?)
    }

    /// It is `now`, and the deadline may be over.
    pub(crate) fn on_timer(&mut self, now: Duration) -> Vec<Step> {
        let is_over = |until: Option<Duration>| until.is_some_and(|at| at <= now);
        if is_over(self.give_up_at()) {
            return self.give_up(Cause::OutOfTime);
        }
        if is_over(self.absent_until()) {
            return self.give_up(Cause::Absent);
        }
        match self.state {
            State::Disconnected { until } if until <= now => {
                self.climb(now, Rung::First, Cause::Disconnected)
            }
            State::Trying { rung, stage, deadline: Deadline::At(at) } if at <= now => match (stage, rung) {
                // A client that knows no `renegotiate` still answers offers.
                (Stage::Signaling, Rung::Rebuild)
                    if self.lead == Lead::Follows && self.has(Rung::IceRestart) =>
                {
                    self.take(now, Rung::IceRestart, Cause::NotRebuilt)
                }
                // Nothing can be offered where an offer is open: only a new peer connection can.
                (Stage::Signaling, _) => self.mend_by_rebuild(now, Cause::Unanswered),
                (Stage::Dtls, _) => self.mend_by_rebuild(now, Cause::DtlsTimeout),
                (Stage::Ice, Rung::First) => self.climb(now, rung, Cause::CheckingTimeout),
                (Stage::Ice, _) => self.climb(now, rung, Cause::StepTimeout),
            },
            _ => Vec::new(),
        }
    }

    /// Whether an attempt to mend a connection is under way.
    pub(crate) const fn is_mending(&self) -> bool {
        match self.state {
            State::Trying { rung, .. } => !matches!(rung, Rung::First),
            State::Awaiting { .. } => true,
            _ => false,
        }
    }

    /// Something happened.
    pub(crate) fn on(&mut self, now: Duration, input: Input) -> Vec<Step> {
        if let Input::SignalingDown | Input::SignalingUp = input {
            return self.on_signaling(now, input);
        }
        match (input, self.state) {
            (_, State::Over) => Vec::new(),
            (Input::RemoteAbsent, _) => {
                self.absent_since.get_or_insert(now);
                Vec::new()
            }
            (Input::RemotePresent, _) => {
                self.absent_since = None;
                Vec::new()
            }
            (Input::Negotiating, State::Idle) => {
                self.start(now, Rung::First, Stage::Signaling);
                Vec::new()
            }
            (_, State::Idle) => Vec::new(),
            (Input::Connected, _) => self.connected(),
            // An ICE restart makes ICE check before the offer has even arrived.
            (Input::Answered, State::Trying { rung, stage: Stage::Signaling, .. })
            | (Input::Checking, State::Trying { rung: rung @ Rung::First, stage: Stage::Signaling, .. }) => {
                self.start(now, rung, Stage::Ice);
                Vec::new()
            }
            (Input::IceConnected, State::Trying { rung, stage: Stage::Signaling | Stage::Ice, .. }) => {
                self.start(now, rung, Stage::Dtls);
                Vec::new()
            }
            (Input::Disconnected, State::Connected) => {
                self.lost(now);
                self.state =
                    State::Disconnected { until: now + self.with_grace(self.settings.disconnected_wait) };
                vec![Step { what: RecoveryStep::Wait, cause: Cause::Disconnected }]
            }
            (Input::IceFailed, State::Trying { rung, .. }) => self.climb(now, rung, Cause::IceFailed),
            (Input::IceFailed, State::Connected | State::Disconnected { .. }) => {
                self.climb(now, Rung::First, Cause::IceFailed)
            }
            (Input::DtlsFailed, _) => self.mend_by_rebuild(now, Cause::DtlsFailed),
            (Input::NegotiationFailed, _) => self.mend_by_rebuild(now, Cause::NegotiationFailed),
            (Input::RemoteAsks, _) => self.mend_by_rebuild(now, Cause::OtherSide),
            (Input::NetworkChanged, _) if self.guards.restart_on_network_change => {
                self.climb(now, Rung::First, Cause::NetworkChanged)
            }
            (Input::RemoteRestarted, _) => self.follow(now, Rung::IceRestart),
            (Input::RemoteRebuilt, _) => self.follow(now, Rung::Rebuild),
            _ => Vec::new(),
        }
    }

    fn connected(&mut self) -> Vec<Step> {
        let was_quiet = matches!(self.state, State::Connected | State::Trying { rung: Rung::First, .. });
        self.state = State::Connected;
        self.rebuilds = 0;
        self.lost_at = None;
        if was_quiet {
            return Vec::new();
        }
        vec![Step { what: RecoveryStep::Recovered, cause: Cause::Connected }]
    }

    fn on_signaling(&mut self, now: Duration, input: Input) -> Vec<Step> {
        let up = input == Input::SignalingUp;
        self.signaling = if up { Signaling::Up } else { Signaling::Down };
        if !up {
            self.absent_since = None;
        }
        match &mut self.state {
            // DTLS and the wait of a disconnected peer run over the media path.
            State::Trying {
                stage: Stage::Signaling | Stage::Ice,
                deadline: deadline @ Deadline::At(_),
                ..
            } if !up => {
                *deadline = Deadline::Paused;
                Vec::new()
            }
            State::Trying { stage, rung, deadline: Deadline::Paused } if up => {
                let (rung, stage) = (*rung, *stage);
                self.start(now, rung, stage);
                Vec::new()
            }
            State::Awaiting { rung, .. } if up && self.guards.resume_after_signaling => {
                let rung = *rung;
                self.take(now, rung, Cause::SignalingBack)
            }
            _ => Vec::new(),
        }
    }

    /// Takes the lowest rung above `from` that there is.
    fn climb(&mut self, now: Duration, from: Rung, cause: Cause) -> Vec<Step> {
        self.lost(now);
        let above: &[Rung] = match from {
            Rung::First => &[Rung::IceRestart, Rung::RelayRestart, Rung::Rebuild],
            Rung::IceRestart => &[Rung::RelayRestart, Rung::Rebuild],
            // After a rebuild only another one can help.
            Rung::RelayRestart | Rung::Rebuild => &[Rung::Rebuild],
        };
        match above.iter().copied().find(|rung| self.has(*rung)) {
            Some(rung) => self.take(now, rung, cause),
            None => self.give_up(Cause::OutOfSteps),
        }
    }

    fn mend_by_rebuild(&mut self, now: Duration, cause: Cause) -> Vec<Step> {
        self.lost(now);
        if self.has(Rung::Rebuild) {
            self.take(now, Rung::Rebuild, cause)
        } else {
            self.give_up(Cause::OutOfSteps)
        }
    }

    fn has(&self, rung: Rung) -> bool {
        match rung {
            Rung::First => true,
            Rung::IceRestart => self.settings.ice_restart.is_some(),
            Rung::RelayRestart => self.settings.relay_restart.is_some() && self.relays == Relays::Available,
            Rung::Rebuild => self.settings.rebuilds.is_some_and(|rebuilds| self.rebuilds < rebuilds.attempts),
        }
    }

    fn take(&mut self, now: Duration, rung: Rung, cause: Cause) -> Vec<Step> {
        if self.signaling == Signaling::Down {
            self.state = State::Awaiting { rung, reached: self.reached() };
            return vec![Step { what: RecoveryStep::AwaitSignaling, cause }];
        }
        let what = match (rung, self.lead) {
            (Rung::First | Rung::IceRestart, _) => RecoveryStep::IceRestart,
            (Rung::RelayRestart, _) => RecoveryStep::RelayRestart,
            (Rung::Rebuild, Lead::Leads) => RecoveryStep::Rebuild,
            (Rung::Rebuild, Lead::Follows) => RecoveryStep::AskForRebuild,
        };
        if rung == Rung::Rebuild {
            self.rebuilds += 1;
        }
        self.start(now, rung, Stage::Signaling);
        vec![Step { what, cause }]
    }

    /// The other side takes a step.
    fn follow(&mut self, now: Duration, step: Rung) -> Vec<Step> {
        self.lost(now);
        let rung = self.reached().max(step);
        self.start(now, rung, Stage::Ice);
        let what = match step {
            Rung::Rebuild => RecoveryStep::FollowRebuild,
            _ => RecoveryStep::FollowRestart,
        };
        vec![Step { what, cause: Cause::OtherSide }]
    }

    /// The highest rung of this recovery that was taken, by whichever side.
    const fn reached(&self) -> Rung {
        match self.state {
            State::Trying { rung, .. } | State::Awaiting { reached: rung, .. } => rung,
            _ => Rung::First,
        }
    }

    /// An attempt enters `stage`, with the patience of that.
    fn start(&mut self, now: Duration, rung: Rung, stage: Stage) {
        let settings = &self.settings;
        let patience = match (stage, rung) {
            (Stage::Signaling, Rung::Rebuild) if self.lead == Lead::Follows => {
                settings.renegotiate.or(settings.answer)
            }
            (Stage::Signaling, _) => settings.answer,
            (Stage::Dtls, _) => settings.dtls_handshake.filter(|_| self.guards.dtls_deadline),
            (Stage::Ice, Rung::First) => settings.checking.filter(|_| self.guards.checking_deadline),
            (Stage::Ice, Rung::IceRestart) => settings.ice_restart,
            (Stage::Ice, Rung::RelayRestart) => settings.relay_restart,
            (Stage::Ice, Rung::Rebuild) => settings.rebuilds.map(|rebuilds| rebuilds.patience),
        };
        let deadline = match (patience, self.signaling, stage) {
            (None, ..) => Deadline::None,
            // DTLS needs no signalling.
            (Some(_), Signaling::Down, Stage::Signaling | Stage::Ice) => Deadline::Paused,
            (Some(patience), ..) => Deadline::At(now + self.with_grace(patience)),
        };
        self.state = State::Trying { rung, stage, deadline };
    }

    /// The time in which everything must be over starts with the loss.
    fn lost(&mut self, now: Duration) {
        self.lost_at.get_or_insert(now);
    }

    fn give_up(&mut self, cause: Cause) -> Vec<Step> {
        self.state = State::Over;
        vec![Step { what: RecoveryStep::GiveUp, cause }]
    }

    fn with_grace(&self, patience: Duration) -> Duration {
        match self.lead {
            Lead::Leads => patience,
            Lead::Follows => patience + self.settings.follower_grace,
        }
    }
}
