//! Words that travel in messages. A word that this version does not know is kept, not refused: a newer
//! peer may have more reasons to hang up than we do.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! words {
    ($(#[$of_enum:meta])* $name:ident { $($(#[$of_word:meta])* $variant:ident => $word:literal,)+ }) => {
        $(#[$of_enum])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$of_word])* $variant,)+
            /// A word that this version does not know. To make one from text use `From<&str>`, which
            /// finds the known words.
            Other(String),
        }

        impl $name {
            /// All words that this version knows.
            pub const KNOWN: &[Self] = &[$(Self::$variant),+];

            /// The word as it is written in messages.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)+
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(|word| Self::from(word.as_str()))
            }
        }
    };
}

words! {
    /// Why a callee did not take a call.
    RejectReason {
        /// The user said no.
        Declined => "declined",
        /// The callee is in another call.
        Busy => "busy",
        /// The user or the system denied microphone or camera (W3C mediacapture-main §10.2,
        /// `NotAllowedError`).
        PermissionDenied => "permission-denied",
        /// There is no microphone or camera (`NotFoundError`).
        DeviceMissing => "device-missing",
        /// The callee could not build its side of the call.
        Failed => "failed",
    }
}

words! {
    /// Why a participant left a call, or gave it up before it was taken.
    ByeReason {
        /// The user hung up.
        HungUp => "hung-up",
        /// The caller hung up before the callee answered.
        Cancelled => "cancelled",
        /// The callee did not answer in time.
        NoAnswer => "no-answer",
        /// The user or the system denied microphone or camera to the caller.
        PermissionDenied => "permission-denied",
        /// The caller has no microphone or camera.
        DeviceMissing => "device-missing",
        /// Accepted, but not connected in time.
        ConnectTimeout => "connect-timeout",
        /// The connection failed before it stood.
        ConnectionFailed => "connection-failed",
        /// The connection stood, failed, and could not be restored.
        ConnectionLost => "connection-lost",
        /// The call could not be negotiated: an offer or an answer was refused.
        NegotiationFailed => "negotiation-failed",
        /// The application was shut down.
        ShutDown => "shut-down",
    }
}

words! {
    /// Why a relay refused something.
    ErrorCode {
        /// The bytes are not a message.
        Malformed => "malformed",
        /// The message has another version of the wire format.
        UnsupportedVersion => "unsupported-version",
        /// The message has a type that the relay does not know.
        UnknownType => "unknown-type",
        /// The message is longer than the relay accepts. Where it came in a frame that is too long, the
        /// connection is closed as well.
        TooLarge => "too-large",
        /// Only a joined connection may send; this one has not sent `join`.
        NotJoined => "not-joined",
        /// The connection joined as somebody else, or under a reserved name.
        WrongSender => "wrong-sender",
        /// The relay keeps no further participants; a later attempt may succeed.
        RelayFull => "relay-full",
        /// The relay neither knows the addressee nor has room to wait for it.
        UnknownParticipant => "unknown-participant",
        /// Too many messages wait for the addressee.
        QueueFull => "queue-full",
        /// A message that only the relay may send, or that the relay alone may get.
        NotAllowed => "not-allowed",
        /// Another connection joined as the same participant; this one is closed. Its client must not
        /// reconnect: two of them would throw each other out for ever.
        Replaced => "replaced",
        /// A later connection of the same client has begun to read; this request came too late.
        Stale => "stale",
        /// No token, or one that is not valid (any more).
        Unauthorized => "unauthorized",
        /// The token is valid, but for another call or participant.
        Forbidden => "forbidden",
        /// There is no such resource.
        NotFound => "not-found",
        /// The request was not carried out; the same one may work later.
        Unavailable => "unavailable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_words_are_found_and_others_kept() {
        for reason in RejectReason::KNOWN {
            assert_eq!(RejectReason::from(reason.as_str()), *reason);
        }
        assert_eq!(ByeReason::from("moved-away"), ByeReason::Other("moved-away".to_owned()));
        assert_eq!(serde_json::to_string(&ErrorCode::QueueFull).unwrap(), "\"queue-full\"");
    }
}
