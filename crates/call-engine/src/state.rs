//! The life of a call as a table: seven states, two roles, and what each event does in each of them.
//!
//! Every transition of a call goes through [`CallState::on`]. The whole table is a snapshot of the
//! tests and a drawing beside this file (`call-states.md`), made from the table itself.

use std::fmt;

use signaller::{ByeReason, RejectReason};

/// Which side of the call a participant is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Placed the call.
    Caller,
    /// Is called.
    Callee,
}

/// Where a call stands, for one participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallState {
    /// There is no call.
    Idle,
    /// The caller asks for devices and rings; nobody has answered yet, not even the callee's device.
    Dialling,
    /// The callee's device rings.
    Ringing,
    /// Accepted: offer, answer and candidates are on their way, ICE and DTLS run.
    Connecting,
    /// `connectionState` is `connected`: media can flow.
    Connected,
    /// It was connected, and the connection is being recovered.
    Reconnecting,
    /// Over, for the reason it carries.
    Ended(EndReason),
}

/// Why a call ended. Where both sides can know, both have the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EndReason {
    /// One side hung up after the call was accepted.
    HungUp,
    /// The caller gave up while it rang.
    Cancelled,
    /// The callee declined.
    Declined,
    /// The callee was in another call.
    Busy,
    /// Nobody answered within [`Timers::ring`](crate::Timers::ring).
    NoAnswer,
    /// `getUserMedia` was refused (`NotAllowedError`), at either side.
    PermissionDenied,
    /// `getUserMedia` found no such device (`NotFoundError`), at either side.
    DeviceMissing,
    /// Accepted, but not connected within [`Timers::connect`](crate::Timers::connect).
    ConnectTimeout,
    /// `connectionState` became `failed` before it was ever `connected`.
    ConnectionFailed,
    /// `connectionState` became `failed` after it had been `connected`, and could not be recovered: the
    /// path is gone, or the other side vanished.
    ConnectionLost,
    /// The signalling transport closed for good before the call was connected, or while it was being
    /// recovered.
    SignalingLost,
    /// A description could not be made or applied, or the peer could not be built.
    NegotiationFailed,
    /// The permission to use microphone or camera was taken back during the call.
    PermissionLost,
    /// The participant's application was shut down.
    ShutDown,
}

/// What can happen to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallEvent {
    /// The user dials.
    Dial,
    /// A ring arrives.
    RingReceived,
    /// The one whom the caller dials dials the caller at the same time, and theirs is the call that goes
    /// on: the caller becomes its callee.
    RingCrossed,
    /// The callee's device says that it rings.
    RingingReceived,
    /// The user accepts; the devices are there.
    Accept,
    /// The callee accepted.
    AcceptReceived,
    /// The user declines.
    Reject,
    /// The callee rejected, for this reason.
    RejectReceived(EndReason),
    /// The user hangs up, or cancels.
    HangUp,
    /// The other side said bye, for this reason.
    ByeReceived(EndReason),
    /// `getUserMedia` was refused.
    MediaDenied,
    /// `getUserMedia` found no device.
    MediaMissing,
    /// It rang for as long as it may.
    RingTimeout,
    /// It has been connecting for as long as it may.
    ConnectTimeout,
    /// `connectionState` became `connected`.
    PeerConnected,
    /// The recovery of the connection takes its first step.
    RecoveryStarted,
    /// `connectionState` became `failed`, and nothing is left that would recover it.
    PeerFailed,
    /// A description could not be made or applied.
    NegotiationFailed,
    /// The signalling transport closed for good.
    SignalingLost,
    /// Microphone or camera may not be used any longer.
    PermissionLost,
    /// The application shuts down.
    ShutDown,
}

/// What an event does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The call moves to another state.
    Moved(CallState),
    /// The event is fine here and changes nothing.
    NoOp,
    /// The event cannot happen here: somebody breaks the protocol, or a message is late.
    Invalid,
}

impl CallState {
    /// Every state once; `Ended` with one reason of many.
    pub const ALL: [Self; 7] = [
        Self::Idle,
        Self::Dialling,
        Self::Ringing,
        Self::Connecting,
        Self::Connected,
        Self::Reconnecting,
        Self::Ended(EndReason::HungUp),
    ];

    /// What `event` does to a call in this state, for the participant in `role`.
    pub fn on(self, role: Role, event: CallEvent) -> Outcome {
        use CallEvent as E;
        use CallState as S;
        use Outcome::{Invalid, Moved, NoOp};
        use Role::{Callee, Caller};

        match (self, role, event) {
            (S::Idle, Caller, E::Dial) => Moved(S::Dialling),
            (S::Idle, Callee, E::RingReceived) => Moved(S::Ringing),
            // A bye that crossed our own, or a reject of a call that was cancelled meanwhile.
            (S::Idle | S::Ended(_), _, E::ByeReceived(_) | E::RejectReceived(_)) => NoOp,
            (S::Idle | S::Ended(_), _, E::HangUp | E::ShutDown | E::SignalingLost) => NoOp,
            // Timers and peer events that were already on their way when the call ended.
            (S::Ended(_), _, E::RingTimeout | E::ConnectTimeout) => NoOp,
            (S::Ended(_), _, E::PeerConnected | E::PeerFailed | E::NegotiationFailed) => NoOp,
            (S::Ended(_), _, E::MediaDenied | E::MediaMissing | E::RecoveryStarted) => NoOp,
            (S::Idle | S::Ended(_), _, E::PermissionLost) => NoOp,
            (S::Idle | S::Ended(_), _, _) => Invalid,

            (S::Dialling, Caller, E::RingingReceived | E::RingCrossed) => Moved(S::Ringing),
            (S::Dialling | S::Ringing, Caller, E::AcceptReceived) => Moved(S::Connecting),
            (S::Dialling | S::Ringing, Caller, E::RejectReceived(why)) => Moved(S::Ended(why)),
            (S::Dialling | S::Ringing, Caller, E::HangUp) => Moved(S::Ended(EndReason::Cancelled)),
            (S::Ringing, Caller, E::RingingReceived) => NoOp,

            (S::Ringing, Callee, E::Accept) => Moved(S::Connecting),
            (S::Ringing, Callee, E::Reject | E::HangUp) => Moved(S::Ended(EndReason::Declined)),
            (S::Ringing | S::Connecting | S::Connected | S::Reconnecting, Callee, E::RingReceived) => NoOp,

            (S::Dialling | S::Ringing, _, E::RingTimeout) => Moved(S::Ended(EndReason::NoAnswer)),
            (S::Dialling | S::Ringing, _, E::MediaDenied) => Moved(S::Ended(EndReason::PermissionDenied)),
            (S::Dialling | S::Ringing, _, E::MediaMissing) => Moved(S::Ended(EndReason::DeviceMissing)),

            (S::Connecting | S::Connected | S::Reconnecting, _, E::HangUp) => {
                Moved(S::Ended(EndReason::HungUp))
            }
            (S::Connecting, _, E::ConnectTimeout) => Moved(S::Ended(EndReason::ConnectTimeout)),
            (S::Connecting | S::Reconnecting, _, E::PeerConnected) => Moved(S::Connected),
            (S::Connected, _, E::RecoveryStarted) => Moved(S::Reconnecting),
            // A connection that never stood is not reconnected but connected; a recovery has many steps.
            (S::Connecting | S::Reconnecting, _, E::RecoveryStarted) => NoOp,
            (S::Connecting, _, E::PeerFailed) => Moved(S::Ended(EndReason::ConnectionFailed)),
            (S::Connected | S::Reconnecting, _, E::PeerFailed) => Moved(S::Ended(EndReason::ConnectionLost)),
            // `connected` again after `disconnected`, and timers that lost the race.
            (S::Connected, _, E::PeerConnected) => NoOp,
            (S::Connected | S::Reconnecting, _, E::ConnectTimeout | E::RingTimeout) => NoOp,
            (S::Connecting, _, E::RingTimeout) => NoOp,
            (
                S::Connecting | S::Connected | S::Reconnecting,
                Caller,
                E::RingingReceived | E::AcceptReceived,
            ) => NoOp,
            // A callee that cannot build its peer has not accepted yet.
            (S::Ringing, Callee, E::NegotiationFailed)
            | (S::Connecting | S::Connected | S::Reconnecting, _, E::NegotiationFailed) => {
                Moved(S::Ended(EndReason::NegotiationFailed))
            }
            (S::Connecting | S::Connected | S::Reconnecting, _, E::PermissionLost) => {
                Moved(S::Ended(EndReason::PermissionLost))
            }
            (S::Dialling | S::Ringing, _, E::PermissionLost) => Moved(S::Ended(EndReason::PermissionDenied)),

            (_, _, E::ByeReceived(why)) => Moved(S::Ended(why)),
            (_, _, E::SignalingLost) if self != S::Connected => Moved(S::Ended(EndReason::SignalingLost)),
            // A call that is up does not need its signalling to go on.
            (_, _, E::SignalingLost) => NoOp,
            (_, _, E::ShutDown) => Moved(S::Ended(EndReason::ShutDown)),
            _ => Invalid,
        }
    }

    /// The state's name, without the reason of an end.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Dialling => "dialling",
            Self::Ringing => "ringing",
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Reconnecting => "reconnecting",
            Self::Ended(_) => "ended",
        }
    }

    /// Whether a call is under way.
    pub const fn is_live(self) -> bool {
        !matches!(self, Self::Idle | Self::Ended(_))
    }
}

impl EndReason {
    /// The reason's name, as reports and scenarios have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HungUp => "hung-up",
            Self::Cancelled => "cancelled",
            Self::Declined => "declined",
            Self::Busy => "busy",
            Self::NoAnswer => "no-answer",
            Self::PermissionDenied => "permission-denied",
            Self::DeviceMissing => "device-missing",
            Self::ConnectTimeout => "connect-timeout",
            Self::ConnectionFailed => "connection-failed",
            Self::ConnectionLost => "connection-lost",
            Self::SignalingLost => "signaling-lost",
            Self::NegotiationFailed => "negotiation-failed",
            Self::PermissionLost => "permission-lost",
            Self::ShutDown => "shut-down",
        }
    }
}

impl From<&RejectReason> for EndReason {
    /// What a caller ends with. A reason that this version does not know is a plain refusal.
    fn from(reason: &RejectReason) -> Self {
        match reason {
            RejectReason::Failed => Self::NegotiationFailed,
            other => Self::from_word(other.as_str()).unwrap_or(Self::Declined),
        }
    }
}

impl From<&ByeReason> for EndReason {
    /// What the other side ends with. A reason that this version does not know is a plain hang-up.
    fn from(reason: &ByeReason) -> Self {
        Self::from_word(reason.as_str()).unwrap_or(Self::HungUp)
    }
}

impl EndReason {
    /// Every reason once.
    pub const ALL: [Self; 14] = [
        Self::HungUp,
        Self::Cancelled,
        Self::Declined,
        Self::Busy,
        Self::NoAnswer,
        Self::PermissionDenied,
        Self::DeviceMissing,
        Self::ConnectTimeout,
        Self::ConnectionFailed,
        Self::ConnectionLost,
        Self::SignalingLost,
        Self::NegotiationFailed,
        Self::PermissionLost,
        Self::ShutDown,
    ];

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word)
    }

    /// What to tell the other side when the call ends here for this reason: the reason's own name, so
    /// that both sides end with the same one.
    pub(crate) fn to_bye(self) -> ByeReason {
        ByeReason::from(self.as_str())
    }

    /// What to tell a caller whose ring is not accepted for this reason.
    pub(crate) fn to_reject(self) -> RejectReason {
        RejectReason::from(self.as_str())
    }
}

impl CallEvent {
    /// Every event once; those with a reason with one of many.
    pub const ALL: [Self; 21] = [
        Self::Dial,
        Self::RingReceived,
        Self::RingCrossed,
        Self::RingingReceived,
        Self::Accept,
        Self::AcceptReceived,
        Self::Reject,
        Self::RejectReceived(EndReason::Busy),
        Self::HangUp,
        Self::ByeReceived(EndReason::HungUp),
        Self::MediaDenied,
        Self::MediaMissing,
        Self::RingTimeout,
        Self::ConnectTimeout,
        Self::PeerConnected,
        Self::RecoveryStarted,
        Self::PeerFailed,
        Self::NegotiationFailed,
        Self::SignalingLost,
        Self::PermissionLost,
        Self::ShutDown,
    ];

    /// The event's name: the cause that a transition shows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dial => "dial",
            Self::RingReceived => "ring received",
            Self::RingCrossed => "rings crossed",
            Self::RingingReceived => "ringing received",
            Self::Accept => "accept",
            Self::AcceptReceived => "accept received",
            Self::Reject => "reject",
            Self::RejectReceived(_) => "reject received",
            Self::HangUp => "hang-up",
            Self::ByeReceived(_) => "bye received",
            Self::MediaDenied => "NotAllowedError",
            Self::MediaMissing => "NotFoundError",
            Self::RingTimeout => "ring timer",
            Self::ConnectTimeout => "connect timer",
            Self::PeerConnected => "connection connected",
            Self::RecoveryStarted => "recovery",
            Self::PeerFailed => "connection failed",
            Self::NegotiationFailed => "negotiation failed",
            Self::SignalingLost => "signaling lost",
            Self::PermissionLost => "permission lost",
            Self::ShutDown => "shut-down",
        }
    }
}

impl Role {
    /// The role's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Callee => "callee",
        }
    }
}

impl fmt::Display for CallState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(reason) => f.pad(&format!("ended: {}", reason.as_str())),
            other => f.pad(other.as_str()),
        }
    }
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fmt::Write as _};

    use super::*;

    fn cell(state: CallState, role: Role, event: CallEvent) -> String {
        match state.on(role, event) {
            Outcome::Moved(to) => format!("→ {to}"),
            Outcome::NoOp => "·".to_owned(),
            Outcome::Invalid => "invalid".to_owned(),
        }
    }

    fn table(role: Role) -> String {
        let mut out = format!("{:<22}", role.as_str());
        for state in CallState::ALL {
            let _ = write!(out, " {:<27}", state.as_str());
        }
        for event in CallEvent::ALL {
            let _ = write!(out, "\n{:<22}", event.as_str());
            for state in CallState::ALL {
                let _ = write!(out, " {:<27}", cell(state, role, event));
            }
        }
        out.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }

    fn diagram() -> String {
        let mut edges: BTreeMap<(usize, &str, &str), Vec<String>> = BTreeMap::new();
        for (index, state) in CallState::ALL.into_iter().enumerate() {
            for role in [Role::Caller, Role::Callee] {
                for event in CallEvent::ALL {
                    let Outcome::Moved(to) = state.on(role, event) else { continue };
                    let label = match to {
                        CallState::Ended(reason) => format!("{} ({reason})", event.as_str()),
                        _ => event.as_str().to_owned(),
                    };
                    let labels = edges.entry((index, state.as_str(), to.as_str())).or_default();
                    if !labels.contains(&label) {
                        labels.push(label);
                    }
                }
            }
        }
        let mut out = String::from(
            "# The states of a call\n\nMade from the table in `state.rs` by its test; do not edit.\n\n\
             ```mermaid\nstateDiagram-v2\n    [*] --> idle\n",
        );
        for ((_, from, to), labels) in edges {
            let _ = writeln!(out, "    {from} --> {to}: {}", labels.join("<br/>"));
        }
        out.push_str("    ended --> [*]\n```\n");
        out
    }

    #[test]
    fn the_whole_table() {
        insta::assert_snapshot!(format!("{}\n\n{}", table(Role::Caller), table(Role::Callee)));
    }

    #[test]
    fn the_diagram_shows_the_table() {
        insta::assert_binary_snapshot!("call-states.md", diagram().into_bytes());
    }

    #[test]
    fn an_end_is_final() {
        for role in [Role::Caller, Role::Callee] {
            for event in CallEvent::ALL {
                let ended = CallState::Ended(EndReason::Busy);
                assert!(!matches!(ended.on(role, event), Outcome::Moved(_)), "{event:?}");
            }
        }
    }

    #[test]
    fn a_call_is_under_way_from_the_dial_to_its_end() {
        let live: Vec<&str> =
            CallState::ALL.into_iter().filter(|state| state.is_live()).map(CallState::as_str).collect();
        assert_eq!(live, ["dialling", "ringing", "connecting", "connected", "reconnecting"]);
    }

    #[test]
    fn every_live_state_can_be_left_by_hanging_up_and_by_a_bye() {
        for state in CallState::ALL.into_iter().filter(|state| state.is_live()) {
            for event in [CallEvent::HangUp, CallEvent::ByeReceived(EndReason::HungUp), CallEvent::ShutDown] {
                for role in [Role::Caller, Role::Callee] {
                    if (state, role) == (CallState::Dialling, Role::Callee) {
                        continue;
                    }
                    assert!(
                        matches!(state.on(role, event), Outcome::Moved(CallState::Ended(_))),
                        "{state} {event:?} {role:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_one_side_says_is_what_the_other_side_ends_with() {
        for reason in EndReason::ALL {
            assert_eq!(EndReason::from(&reason.to_bye()), reason);
            assert_eq!(EndReason::from(&reason.to_reject()), reason);
        }
        assert_eq!(EndReason::from(&ByeReason::from("moved-away")), EndReason::HungUp);
        assert_eq!(EndReason::from(&RejectReason::from("moved-away")), EndReason::Declined);
    }
}
