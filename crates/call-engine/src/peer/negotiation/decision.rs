//! What a side is told to do, and what it tells in turn.

use super::Offer;

/// What to do with a remote offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnOffer {
    /// Apply and answer it.
    Accept,
    /// Roll our own offer back first.
    RollBackAndAccept,
    /// Keep it until ours is answered.
    Wait,
    /// It crosses ours, and we are impolite.
    IgnoreGlare,
    /// It is old, or was seen before.
    IgnoreStale,
}

/// What to do with a remote answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnAnswer {
    /// Apply it.
    Apply,
    /// No offer of that round is in flight.
    IgnoreStale,
}

/// What follows a complete exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// An offer that waited is handled now.
    Handle(Offer),
    /// Something changed meanwhile: time for an offer.
    Offer,
    /// All is negotiated.
    Nothing,
}

/// What answering a remote offer did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) covers: Covers,
    /// Whether the offer restarted ICE: then there is no need for a restart of our own.
    pub(crate) restarted: bool,
}

/// How much of what this side has to negotiate an answer could cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Covers {
    /// All of it.
    Everything,
    /// A track of ours found no media section in the offer.
    NotEverything,
}
