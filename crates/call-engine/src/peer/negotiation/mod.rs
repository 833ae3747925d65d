//! When to make an offer: the answer to `negotiationneeded`, which may fire any number of times.

/// The state of offer and answer for one peer, without any input or output.
///
/// One offer is in flight at a time. What the peer has to negotiate is counted as a *revision*, which
/// grows with each change of tracks; an event that finds nothing new since the last offer is spurious
/// and changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Negotiation {
    phase: Phase,
    /// What there is to negotiate.
    revision: u64,
    /// What the newest offer or answer covered.
    covered: u64,
    /// The round of the newest offer that was sent or accepted.
    round: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The other side makes the first offer.
    AwaitsFirstOffer,
    /// Nothing is in flight.
    Stable,
    /// Our offer of this round is in flight.
    OfferInFlight,
}

/// What `negotiationneeded` leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needed {
    /// Make an offer now.
    Offer,
    /// An offer is in flight; what it does not cover is offered after its answer.
    Coalesced,
    /// The other side makes the first offer.
    Deferred,
    /// Nothing changed since the last offer.
    Spurious,
}

impl Negotiation {
    /// The side that makes the first offer.
    pub(crate) const fn offerer() -> Self {
        Self { phase: Phase::Stable, revision: 0, covered: 0, round: 0 }
    }

    /// The side that waits for it.
    pub(crate) const fn answerer() -> Self {
        Self { phase: Phase::AwaitsFirstOffer, ..Self::offerer() }
    }

    /// A track, a transceiver or a direction changed.
    pub(crate) const fn changed(&mut self) {
        self.revision += 1;
    }

    /// `negotiationneeded` fired.
    pub(crate) const fn needed(&self) -> Needed {
        match self.phase {
            Phase::AwaitsFirstOffer => Needed::Deferred,
            Phase::OfferInFlight => Needed::Coalesced,
            Phase::Stable if self.revision == self.covered => Needed::Spurious,
            Phase::Stable => Needed::Offer,
        }
    }

    /// An offer was made and sent: its round.
    pub(crate) const fn offered(&mut self) -> u64 {
        self.phase = Phase::OfferInFlight;
        self.covered = self.revision;
        self.round += 1;
        self.round
    }

    /// Whether an answer of `round` answers the offer that is in flight.
    pub(crate) const fn awaits_answer(&self, round: u64) -> bool {
        matches!(self.phase, Phase::OfferInFlight) && self.round == round
    }

    /// The answer was applied. True where something changed since the offer: then it is time for the
    /// next one.
    pub(crate) const fn answered(&mut self) -> bool {
        self.phase = Phase::Stable;
        self.revision != self.covered
    }

    /// Whether a remote offer of `round` can be applied now: none of ours is in flight, and it is not
    /// an old one that comes late.
    pub(crate) const fn can_accept_offer(&self, round: u64) -> bool {
        !matches!(self.phase, Phase::OfferInFlight) && round > self.round
    }

    /// A remote offer of `round` was answered; it covered our tracks too.
    pub(crate) const fn accepted_offer(&mut self, round: u64) {
        self.phase = Phase::Stable;
        self.covered = self.revision;
        self.round = round;
    }
}

impl Needed {
    /// The word that a timeline shows.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Offer => "offer",
            Self::Coalesced => "coalesced: an offer is in flight",
            Self::Deferred => "deferred: the caller offers first",
            Self::Spurious => "ignored: nothing changed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_events_make_one_offer() {
        let mut negotiation = Negotiation::offerer();
        negotiation.changed();
        assert_eq!(negotiation.needed(), Needed::Offer);
        let round = negotiation.offered();
        for _ in 0..4 {
            assert_eq!(negotiation.needed(), Needed::Coalesced);
        }
        assert!(negotiation.awaits_answer(round));
        assert!(!negotiation.answered(), "nothing changed since the offer");
        assert_eq!(negotiation.needed(), Needed::Spurious);
    }

    #[test]
    fn a_change_during_an_offer_is_offered_after_its_answer() {
        let mut negotiation = Negotiation::offerer();
        negotiation.changed();
        negotiation.offered();
        negotiation.changed();
        assert_eq!(negotiation.needed(), Needed::Coalesced);
        assert!(negotiation.answered());
        assert_eq!(negotiation.needed(), Needed::Offer);
    }

    #[test]
    fn the_callee_waits_for_the_first_offer_and_its_answer_covers_its_tracks() {
        let mut negotiation = Negotiation::answerer();
        negotiation.changed();
        assert_eq!(negotiation.needed(), Needed::Deferred);
        assert!(negotiation.can_accept_offer(1));
        negotiation.accepted_offer(1);
        assert_eq!(negotiation.needed(), Needed::Spurious);
    }

    #[test]
    fn old_rounds_and_crossing_offers_are_refused() {
        let mut negotiation = Negotiation::answerer();
        negotiation.accepted_offer(1);
        assert!(!negotiation.can_accept_offer(1), "a duplicate");
        negotiation.changed();
        assert_eq!(negotiation.offered(), 2);
        assert!(!negotiation.can_accept_offer(2), "glare");
        assert!(!negotiation.awaits_answer(1), "a stale answer");
    }
}
