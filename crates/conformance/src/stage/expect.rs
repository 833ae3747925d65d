//! What was wanted, and what was found.

use std::fmt::{self, Debug};

use webrtc::error::{Error, Result};

/// What a try found that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Deviation(String);

/// Whether what should hold does.
pub(crate) type Shown = std::result::Result<(), Deviation>;

/// The names of errors that webrtc-pc uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    InvalidState,
    InvalidModification,
    InvalidAccess,
    Operation,
    Type,
    /// `RTCError` with the detail `sdp-syntax-error`.
    Syntax,
}

impl Deviation {
    pub(crate) fn new(found: impl Into<String>) -> Self {
        Self(found.into())
    }

    /// With what it is about.
    pub(crate) fn about(self, what: &str) -> Self {
        Self(format!("{what}: {}", self.0))
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An error where none was expected.
impl From<Error> for Deviation {
    fn from(error: Error) -> Self {
        Self(format!("refused: {}", text(&error)))
    }
}

/// `what` is `wanted`.
pub(crate) fn expect<T, U>(what: &str, found: T, wanted: U) -> Shown
where
    T: Debug + PartialEq<U>,
    U: Debug,
{
    if found == wanted {
        return Ok(());
    }
    Err(Deviation(format!("{what}: {found:?} instead of {wanted:?}")))
}

/// `is_so`, or else `found` is what there is.
pub(crate) fn expect_that(is_so: bool, found: &str) -> Shown {
    if is_so { Ok(()) } else { Err(Deviation::new(found)) }
}

/// `what` succeeds.
pub(crate) fn accepted<T>(what: &str, result: Result<T>) -> std::result::Result<T, Deviation> {
    result.map_err(|error| Deviation::from(error).about(what))
}

/// `what` is refused with an error of one of these `names`.
pub(crate) fn refused<T>(what: &str, result: Result<T>, names: &[Name]) -> Shown {
    match result {
        Ok(_) => Err(Deviation(format!("{what}: accepted"))),
        Err(error) if names.iter().any(|name| name.is_of(&error)) => Ok(()),
        Err(error) => Err(Deviation(format!("{what}: refused as `{}`", text(&error)))),
    }
}

/// The error without what varies: addresses and the like stand behind a line break there.
fn text(error: &Error) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().trim_end_matches([':', ' ']).to_owned()
}

impl Name {
    /// Whether an error of `webrtc` says what this name says. It has names of its own, so that this is a
    /// reading; an error that fits no name (a string) counts as the two that webrtc-pc gives to "could not
    /// be applied".
    fn is_of(self, error: &Error) -> bool {
        match error {
            Error::ErrConnectionClosed
            | Error::ErrNoRemoteDescription
            | Error::ErrIncorrectSignalingState
            | Error::ErrSignalingStateProposedTransitionInvalid(_)
            | Error::ErrSignalingStateCannotRollback
            | Error::InvalidStateError => self == Self::InvalidState,
            Error::ErrSDPDoesNotMatchOffer
            | Error::ErrSDPDoesNotMatchAnswer
            | Error::InvalidModificationError => self == Self::InvalidModification,
            Error::ErrSessionDescriptionNoFingerprint
            | Error::ErrSessionDescriptionInvalidFingerprint
            | Error::ErrSessionDescriptionConflictingFingerprints
            | Error::ErrSessionDescriptionMissingIceUfrag
            | Error::ErrSessionDescriptionMissingIcePwd
            | Error::ErrSessionDescriptionConflictingIceUfrag
            | Error::ErrSessionDescriptionConflictingIcePwd => {
                matches!(self, Self::InvalidAccess | Self::Operation | Self::Syntax)
            }
            _ => matches!(self, Self::Operation | Self::Syntax),
        }
    }
}
