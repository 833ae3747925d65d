use std::fmt;

use serde::{Serialize, Serializer};

/// A step of a recovery, as an application is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RecoveryStep {
    /// The connection may heal by itself.
    Wait,
    /// ICE is restarted.
    IceRestart,
    /// ICE is restarted, with relayed candidates only.
    RelayRestart,
    /// The peer connection is replaced.
    Rebuild,
    /// The other side, which leads, is asked to replace the peer connection.
    AskForRebuild,
    /// The other side restarts ICE.
    FollowRestart,
    /// The other side replaced its peer connection, and so does this one.
    FollowRebuild,
    /// The next step waits for signalling.
    AwaitSignaling,
    /// Connected again.
    Recovered,
    /// Nothing is left to try: the call ends.
    GiveUp,
}

/// What led to a step of a recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RecoveryCause {
    /// The connection is `disconnected`, or stayed so for too long.
    Disconnected,
    /// ICE failed.
    IceFailed,
    /// DTLS failed.
    DtlsFailed,
    /// ICE stayed in `checking` for too long.
    CheckingTimeout,
    /// The DTLS handshake took too long.
    DtlsTimeout,
    /// The step before took too long.
    StepTimeout,
    /// Our offer, or our wish for one, was not answered.
    Unanswered,
    /// The other side, which leads, did not rebuild when it was asked to.
    NotRebuilt,
    /// A description could not be made or applied.
    NegotiationFailed,
    /// The application says that the network changed.
    NetworkChanged,
    /// The other side acts, or asks for it.
    OtherSide,
    /// The other side's connection to the relay ended, and it did not come back.
    Absent,
    /// Signalling is back.
    SignalingBack,
    /// `connectionState` is `connected`.
    Connected,
    /// No rung is left.
    OutOfSteps,
    /// [`Recovery::give_up`](crate::Recovery::give_up) is over.
    OutOfTime,
}

impl RecoveryStep {
    /// The step's name, as timelines have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::IceRestart => "ice restart",
            Self::RelayRestart => "ice restart, relay only",
            Self::Rebuild => "rebuild",
            Self::AskForRebuild => "ask for a rebuild",
            Self::FollowRestart => "follow an ice restart",
            Self::FollowRebuild => "follow a rebuild",
            Self::AwaitSignaling => "await signaling",
            Self::Recovered => "recovered",
            Self::GiveUp => "give up",
        }
    }
}

impl RecoveryCause {
    /// The cause in words, as timelines have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disconnected => "disconnected",
            Self::IceFailed => "ice failed",
            Self::DtlsFailed => "dtls failed",
            Self::CheckingTimeout => "ice checks for too long",
            Self::DtlsTimeout => "dtls takes too long",
            Self::StepTimeout => "the step before did not help",
            Self::Unanswered => "no answer comes",
            Self::NotRebuilt => "the other side does not rebuild",
            Self::NegotiationFailed => "negotiation failed",
            Self::NetworkChanged => "the network changed",
            Self::OtherSide => "the other side",
            Self::Absent => "the other side is gone",
            Self::SignalingBack => "signaling is back",
            Self::Connected => "connected",
            Self::OutOfSteps => "nothing is left to try",
            Self::OutOfTime => "out of time",
        }
    }
}

impl fmt::Display for RecoveryStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for RecoveryCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for RecoveryStep {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for RecoveryCause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
