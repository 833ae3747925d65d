use std::fmt;

use serde::{Serialize, Serializer};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal,)+) => {
        /// What a finding is about. The words are stable: scripts may rely on them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* $variant,)+
        }

        impl Code {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The stable word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

codes! {
    /// A candidate was applied, or thrown away, before there was a remote description.
    CandidateBeforeRemoteDescription = "candidate-before-remote-description",
    /// `addIceCandidate` refused a candidate for another reason.
    CandidateRejected = "candidate-rejected",
    /// Candidates were gathered and did not reach the other side.
    CandidatesNeverRelayed = "candidates-never-relayed",
    /// Candidates arrived, and the application did not pass them to `addIceCandidate`.
    CandidatesNeverApplied = "candidates-never-applied",
    /// Candidates came before their description, and the application held them back, as it should.
    EarlyCandidatesHeld = "early-candidates-held",
    /// Both sides made an offer at once.
    Glare = "glare",
    /// Glare, and one side rolled back.
    GlareRolledBack = "glare-rolled-back",
    /// Glare, and neither offer was brought to an end.
    GlareUnresolved = "glare-unresolved",
    /// A description was set in a state that does not allow it (RFC 8829 §5.5, §5.6).
    DescriptionInWrongState = "description-in-wrong-state",
    /// A description was refused for what it says.
    DescriptionRefused = "description-refused",
    /// An offer got no answer.
    OfferUnanswered = "offer-unanswered",
    /// The callee did not take the call.
    CallRejected = "call-rejected",
    /// One offer came twice.
    DuplicateOffer = "duplicate-offer",
    /// An answer came when its offer was no longer open.
    StaleAnswer = "stale-answer",
    /// New ICE credentials in a running call (RFC 8839 §4.4.1.1.1).
    IceRestart = "ice-restart",
    /// Another negotiation in a running call.
    Renegotiation = "renegotiation",
    /// A peer began to send something more.
    TrackAdded = "track-added",
    /// A peer ceased to send something.
    TrackRemoved = "track-removed",
    /// A peer found no candidate at all.
    NoCandidates = "no-candidates",
    /// A peer had host candidates only.
    OnlyHostCandidates = "only-host-candidates",
    /// A peer had host candidates behind mDNS names only.
    MdnsOnly = "mdns-only",
    /// A peer had relay candidates only.
    RelayOnly = "relay-only",
    /// The TURN server refused the credentials.
    TurnUnauthorized = "turn-unauthorized",
    /// A STUN or TURN server could not be used for another reason.
    IceServerError = "ice-server-error",
    /// Gathering did not come to its end.
    GatheringNeverCompleted = "gathering-never-completed",
    /// Both descriptions were set, and ICE found no pair that works.
    IceNeverConnected = "ice-never-connected",
    /// ICE connected, and DTLS did not.
    DtlsNeverConnected = "dtls-never-connected",
    /// The other side was gone without the survivor being told, or without it acting upon that.
    RemoteVanished = "remote-vanished",
    /// The connection was interrupted for a while.
    ConnectionLostAndRecovered = "connection-lost-and-recovered",
    /// The connection was lost for good.
    ConnectionLost = "connection-lost",
    /// A camera was switched on or off.
    VideoToggled = "video-toggled",
    /// Microphone or camera could not be had.
    MediaDenied = "media-denied",
    /// The longest wait on the way to `connected`.
    SlowStep = "slow-step",
    /// The clocks of two files differ.
    ClockSkew = "clock-skew",
    /// A part of the capture is missing.
    PartialCapture = "partial-capture",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
