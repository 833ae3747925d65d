//! The life of a call as a table: seven states, two roles, and what each event does in each of them.
//!
//! Every transition of a call goes through [`Outcome::of`]. The whole table is a snapshot of the
//! tests and a drawing beside this file (`call-states.md`), made from the table itself.

use signaller::{ByeReason, RejectReason};
use timeline::{CallState, Cause, EndReason};

/// Which side of the call a participant is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Placed the call.
    Caller,
    /// Is called.
    Callee,
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

impl Outcome {
    /// What `event` does to a call in `state`, for the participant in `role`.
    pub fn of(state: CallState, role: Role, event: CallEvent) -> Self {
        use CallEvent as E;
        use CallState as S;
        use Outcome::{Invalid, Moved, NoOp};
        use Role::{Callee, Caller};

        match (state, role, event) {
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
            (_, _, E::SignalingLost) if state != S::Connected => Moved(S::Ended(EndReason::SignalingLost)),
            // A call that is up does not need its signalling to go on.
            (_, _, E::SignalingLost) => NoOp,
            (_, _, E::ShutDown) => Moved(S::Ended(EndReason::ShutDown)),
            _ => Invalid,
        }
    }
}

/// What a caller ends with. A reason that this version does not know is a plain refusal.
pub(crate) fn reason_of_reject(reason: &RejectReason) -> EndReason {
    match reason {
        RejectReason::Failed => EndReason::NegotiationFailed,
        other => EndReason::from_word(other.as_str()).unwrap_or(EndReason::Declined),
    }
}

/// What the other side ends with. A reason that this version does not know is a plain hang-up.
pub(crate) fn reason_of_bye(reason: &ByeReason) -> EndReason {
    EndReason::from_word(reason.as_str()).unwrap_or(EndReason::HungUp)
}

/// What to tell the other side when the call ends here for `reason`: the reason's own name, so that both sides end
/// with the same one.
pub(crate) fn bye_for(reason: EndReason) -> ByeReason {
    ByeReason::from(reason.as_str())
}

/// What to tell a caller whose ring is not accepted for `reason`.
pub(crate) fn reject_for(reason: EndReason) -> RejectReason {
    RejectReason::from(reason.as_str())
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

    /// The event's name.
    pub const fn as_str(self) -> &'static str {
        self.cause().as_str()
    }

    /// The cause that a transition shows.
    pub const fn cause(self) -> Cause {
        match self {
            Self::Dial => Cause::Dial,
            Self::RingReceived => Cause::RingReceived,
            Self::RingCrossed => Cause::RingsCrossed,
            Self::RingingReceived => Cause::RingingReceived,
            Self::Accept => Cause::Accept,
            Self::AcceptReceived => Cause::AcceptReceived,
            Self::Reject => Cause::Reject,
            Self::RejectReceived(_) => Cause::RejectReceived,
            Self::HangUp => Cause::HangUp,
            Self::ByeReceived(_) => Cause::ByeReceived,
            Self::MediaDenied => Cause::NotAllowed,
            Self::MediaMissing => Cause::NotFound,
            Self::RingTimeout => Cause::RingTimer,
            Self::ConnectTimeout => Cause::ConnectTimer,
            Self::PeerConnected => Cause::ConnectionConnected,
            Self::RecoveryStarted => Cause::Recovery,
            Self::PeerFailed => Cause::ConnectionFailed,
            Self::NegotiationFailed => Cause::NegotiationFailed,
            Self::SignalingLost => Cause::SignalingLost,
            Self::PermissionLost => Cause::PermissionLost,
            Self::ShutDown => Cause::ShutDown,
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

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fmt::Write as _};

    use super::*;

    fn cell(state: CallState, role: Role, event: CallEvent) -> String {
        match Outcome::of(state, role, event) {
            Outcome::Moved(to) => format!("→ {to}"),
            Outcome::NoOp => "·".to_owned(),
            Outcome::Invalid => "invalid".to_owned(),
        }
    }

    fn table(role: Role) -> String {
        let mut out = format!("{:<22}", role.as_str());
        for state in CallState::ALL.iter().copied() {
            let _ = write!(out, " {:<27}", state.as_str());
        }
        for event in CallEvent::ALL {
            let _ = write!(out, "\n{:<22}", event.as_str());
            for state in CallState::ALL.iter().copied() {
                let _ = write!(out, " {:<27}", cell(state, role, event));
            }
        }
        out.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }

    fn diagram() -> String {
        let mut edges: BTreeMap<(usize, &str, &str), Vec<String>> = BTreeMap::new();
        for (index, state) in CallState::ALL.iter().copied().enumerate() {
            for role in [Role::Caller, Role::Callee] {
                for event in CallEvent::ALL {
                    let Outcome::Moved(to) = Outcome::of(state, role, event) else { continue };
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
                assert!(!matches!(Outcome::of(ended, role, event), Outcome::Moved(_)), "{event:?}");
            }
        }
    }

    #[test]
    fn a_call_is_under_way_from_the_dial_to_its_end() {
        let live: Vec<&str> =
            CallState::ALL.iter().copied().filter(|state| state.is_live()).map(CallState::as_str).collect();
        assert_eq!(live, ["dialling", "ringing", "connecting", "connected", "reconnecting"]);
    }

    #[test]
    fn every_live_state_can_be_left_by_hanging_up_and_by_a_bye() {
        for state in CallState::ALL.iter().copied().filter(|state| state.is_live()) {
            for event in [CallEvent::HangUp, CallEvent::ByeReceived(EndReason::HungUp), CallEvent::ShutDown] {
                for role in [Role::Caller, Role::Callee] {
                    if (state, role) == (CallState::Dialling, Role::Callee) {
                        continue;
                    }
                    assert!(
                        matches!(Outcome::of(state, role, event), Outcome::Moved(CallState::Ended(_))),
                        "{state} {event:?} {role:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_one_side_says_is_what_the_other_side_ends_with() {
        for reason in EndReason::ALL.iter().copied() {
            assert_eq!(reason_of_bye(&bye_for(reason)), reason);
            assert_eq!(reason_of_reject(&reject_for(reason)), reason);
        }
        assert_eq!(reason_of_bye(&ByeReason::from("moved-away")), EndReason::HungUp);
        assert_eq!(reason_of_reject(&RejectReason::from("moved-away")), EndReason::Declined);
    }
}
