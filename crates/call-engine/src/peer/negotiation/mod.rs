//! Perfect negotiation (W3C webrtc-pc §10.7) without any input or output: when to make an offer, and
//! what to do with one that arrives.
//!
//! The two sides play fixed roles: **the callee is polite, the caller is impolite**. When offers
//! cross, the polite side rolls its own back and answers, and offers again afterwards; the impolite
//! side ignores the other's offer.
//!
//! Every exchange of offer and answer has a *round*, a number that both sides count together: an offer
//! has one more than the highest round that its maker knows. It tells a late or repeated description
//! from a current one, in whatever order they arrive:
//!
//! | an offer of round *n* arrives at a side that knows round *r* | while its own offer is in flight | in `stable` |
//! |---|---|---|
//! | *n* < *r* | stale | stale |
//! | *n* = *r* | glare: politeness decides | stale: repeated, or rolled back by its maker |
//! | *n* = *r* + 1 or more | it overtook the answer to ours: it waits for that one | accepted |
//!
//! An offer that comes from a new peer connection of the other side (a rebuild) never waits: nobody is
//! left to answer ours.
//!
//! What there is to negotiate is counted as a *revision*, which grows with each change of tracks or
//! directions; an event that finds nothing new is spurious. A wish to restart ICE is kept until an
//! exchange that restarts it is complete, through any rollback (W3C webrtc-pc §4.4.1.6).

#[cfg(test)]
mod convergence;
mod decision;
#[cfg(test)]
mod tests;

pub(crate) use decision::{Answered, Covers, Next, OnAnswer, OnOffer};

use crate::{Guards, Needed};

/// Which side yields when offers cross.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Politeness {
    /// Rolls back: the callee.
    Polite,
    /// Ignores the other's offer: the caller.
    Impolite,
}

/// Which peer connection of the other side an offer comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The one whose descriptions are in place, or the first one.
    Known,
    /// One that replaces it.
    Rebuilt,
}

/// The state of offer and answer for one side of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Negotiation {
    politeness: Politeness,
    guards: Guards,
    phase: Phase,
    /// What there is to negotiate.
    revision: u64,
    /// What the newest complete exchange covered.
    covered: u64,
    /// The highest round that was offered or accepted.
    round: u64,
    /// ICE is to be restarted by the next offer.
    restart: bool,
    /// An offer that waits for the answer to ours.
    waiting: Option<Offer>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The other side makes the first offer.
    AwaitsFirstOffer,
    /// Nothing is in flight.
    Stable,
    /// Our offer of the newest round is in flight.
    OfferInFlight {
        /// The revision that it covers.
        covers: u64,
        /// Whether it restarts ICE.
        restarts: bool,
    },
}

/// An offer of the other side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) sdp: String,
    pub(crate) round: u64,
}

impl Negotiation {
    /// The caller's: impolite, and the one who makes the first offer.
    pub(crate) fn caller(guards: Guards) -> Self {
        Self {
            politeness: Politeness::Impolite,
            guards,
            phase: Phase::Stable,
            revision: 0,
            covered: 0,
            round: 0,
            restart: false,
            waiting: None,
        }
    }

    /// The callee's: polite, and waiting for the first offer.
    pub(crate) fn callee(guards: Guards) -> Self {
        Self { politeness: Politeness::Polite, phase: Phase::AwaitsFirstOffer, ..Self::caller(guards) }
    }

    /// The same side's for a new peer connection of the same call: rounds go on, so that what belongs
    /// to the old connection is stale.
    pub(crate) fn rebuilt(&self) -> Self {
        let fresh = match self.politeness {
            Politeness::Impolite => Self::caller(self.guards),
            Politeness::Polite => Self::callee(self.guards),
        };
        Self { round: self.round, ..fresh }
    }

    /// The highest round that this side knows.
    pub(crate) const fn round(&self) -> u64 {
        self.round
    }

    /// A track, a transceiver or a direction changed.
    pub(crate) const fn changed(&mut self) {
        self.revision += 1;
    }

    /// ICE is to be restarted by the next offer.
    pub(crate) const fn want_restart(&mut self) {
        self.restart = true;
    }

    /// Whether the next offer restarts ICE.
    pub(crate) const fn wants_restart(&self) -> bool {
        self.restart
    }

    /// `negotiationneeded` fired, or something changed.
    pub(crate) const fn needed(&self) -> Needed {
        match self.phase {
            Phase::AwaitsFirstOffer => Needed::Deferred,
            _ if !self.guards.offer_only_in_stable => Needed::Offer,
            Phase::OfferInFlight { .. } => Needed::Coalesced,
            Phase::Stable if self.revision == self.covered && !self.restart => Needed::Ignored,
            Phase::Stable => Needed::Offer,
        }
    }

    /// An offer was made and applied: its round.
    pub(crate) const fn offered(&mut self) -> u64 {
        self.phase = Phase::OfferInFlight { covers: self.revision, restarts: self.restart };
        self.restart = false;
        self.round += 1;
        self.round
    }

    /// An offer of `round` arrived.
    pub(crate) fn on_offer(&self, round: u64, origin: Origin) -> OnOffer {
        let in_flight = matches!(self.phase, Phase::OfferInFlight { .. });
        if !self.guards.ignore_stale_descriptions && !in_flight {
            return OnOffer::Accept;
        }
        match (round.cmp(&self.round), in_flight) {
            (std::cmp::Ordering::Less, _) | (std::cmp::Ordering::Equal, false) => OnOffer::IgnoreStale,
            (std::cmp::Ordering::Greater, false) => OnOffer::Accept,
            (std::cmp::Ordering::Greater, true) if origin == Origin::Rebuilt => OnOffer::RollBackAndAccept,
            (std::cmp::Ordering::Greater, true) => OnOffer::Wait,
            (std::cmp::Ordering::Equal, true) => match self.politeness {
                Politeness::Polite if self.guards.roll_back_on_glare => OnOffer::RollBackAndAccept,
                _ => OnOffer::IgnoreGlare,
            },
        }
    }

    /// Keeps an offer for which [`OnOffer::Wait`] was said. A newer one takes the place of an older.
    pub(crate) fn keep(&mut self, offer: Offer) {
        if self.waiting.as_ref().is_none_or(|waiting| waiting.round < offer.round) {
            self.waiting = Some(offer);
        }
    }

    /// Our offer was rolled back: what it covered is to be negotiated again.
    pub(crate) const fn rolled_back(&mut self) {
        if let Phase::OfferInFlight { restarts, .. } = self.phase {
            self.phase = Phase::Stable;
            self.restart |= restarts;
        }
    }

    /// A remote offer of `round` was answered. What follows: the answer may not have covered
    /// everything.
    pub(crate) fn accepted(&mut self, round: u64, answer: Answered) -> Next {
        self.phase = Phase::Stable;
        self.round = self.round.max(round);
        if answer.covers == Covers::Everything {
            self.covered = self.revision;
        }
        if answer.restarted {
            self.restart = false;
        }
        self.next()
    }

    /// An answer to our offer of `round` arrived.
    pub(crate) const fn on_answer(&self, round: u64) -> OnAnswer {
        let in_flight = matches!(self.phase, Phase::OfferInFlight { .. });
        if !self.guards.ignore_stale_descriptions || (in_flight && self.round == round) {
            OnAnswer::Apply
        } else {
            OnAnswer::IgnoreStale
        }
    }

    /// The answer was applied.
    pub(crate) fn answered(&mut self) -> Next {
        if let Phase::OfferInFlight { covers, .. } = self.phase {
            self.covered = covers;
        }
        self.phase = Phase::Stable;
        self.next()
    }

    fn next(&mut self) -> Next {
        match self.waiting.take().filter(|offer| offer.round > self.round) {
            Some(offer) => Next::Handle(offer),
            None if self.revision != self.covered || self.restart => Next::Offer,
            None => Next::Nothing,
        }
    }
}
