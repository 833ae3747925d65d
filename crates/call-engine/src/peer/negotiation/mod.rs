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

use crate::Guards;

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
            Phase::Stable if self.revision == self.covered && !self.restart => Needed::Spurious,
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

    const ALL: Answered = Answered { covers: Covers::Everything, restarted: false };

    fn caller() -> Negotiation {
        Negotiation::caller(Guards::ALL_ON)
    }

    fn callee() -> Negotiation {
        Negotiation::callee(Guards::ALL_ON)
    }

    #[test]
    fn five_events_make_one_offer() {
        let mut negotiation = caller();
        negotiation.changed();
        assert_eq!(negotiation.needed(), Needed::Offer);
        let round = negotiation.offered();
        for _ in 0..4 {
            assert_eq!(negotiation.needed(), Needed::Coalesced);
        }
        assert_eq!(negotiation.on_answer(round), OnAnswer::Apply);
        assert_eq!(negotiation.answered(), Next::Nothing, "nothing changed since the offer");
        assert_eq!(negotiation.needed(), Needed::Spurious);
    }

    #[test]
    fn a_change_during_an_offer_is_offered_after_its_answer() {
        let mut negotiation = caller();
        negotiation.changed();
        negotiation.offered();
        negotiation.changed();
        assert_eq!(negotiation.needed(), Needed::Coalesced);
        assert_eq!(negotiation.answered(), Next::Offer);
        assert_eq!(negotiation.needed(), Needed::Offer);
    }

    #[test]
    fn the_callee_waits_for_the_first_offer_and_its_answer_covers_its_tracks() {
        let mut negotiation = callee();
        negotiation.changed();
        assert_eq!(negotiation.needed(), Needed::Deferred);
        assert_eq!(negotiation.on_offer(1, Origin::Known), OnOffer::Accept);
        assert_eq!(negotiation.accepted(1, ALL), Next::Nothing);
        assert_eq!(negotiation.needed(), Needed::Spurious);
    }

    #[test]
    fn a_track_that_the_offer_has_no_place_for_is_offered_after_the_answer() {
        let mut negotiation = callee();
        negotiation.changed();
        let partly = Answered { covers: Covers::NotEverything, restarted: false };
        assert_eq!(negotiation.accepted(1, partly), Next::Offer);
    }

    #[test]
    fn repeated_and_old_descriptions_are_stale() {
        let mut negotiation = callee();
        negotiation.accepted(1, ALL);
        assert_eq!(negotiation.on_offer(1, Origin::Known), OnOffer::IgnoreStale, "a duplicate");
        assert_eq!(negotiation.on_offer(0, Origin::Known), OnOffer::IgnoreStale);
        negotiation.changed();
        assert_eq!(negotiation.offered(), 2);
        assert_eq!(negotiation.on_answer(1), OnAnswer::IgnoreStale);
        assert_eq!(negotiation.on_offer(1, Origin::Known), OnOffer::IgnoreStale);
        negotiation.answered();
        assert_eq!(negotiation.on_answer(2), OnAnswer::IgnoreStale, "an answer repeated");
    }

    #[test]
    fn when_offers_cross_the_callee_yields() {
        let mut polite = callee();
        polite.accepted(1, ALL);
        polite.changed();
        polite.want_restart();
        assert_eq!(polite.offered(), 2);
        assert_eq!(polite.on_offer(2, Origin::Known), OnOffer::RollBackAndAccept);
        polite.rolled_back();
        assert!(polite.wants_restart(), "the restart survives the rollback");
        assert_eq!(polite.accepted(2, Answered { covers: Covers::NotEverything, ..ALL }), Next::Offer);

        let mut impolite = caller();
        impolite.changed();
        impolite.offered();
        assert_eq!(impolite.on_offer(1, Origin::Known), OnOffer::IgnoreGlare);
    }

    #[test]
    fn an_offer_that_overtakes_the_answer_waits_for_it() {
        let mut negotiation = caller();
        negotiation.changed();
        negotiation.offered();
        assert_eq!(negotiation.on_offer(2, Origin::Known), OnOffer::Wait);
        let offer = Offer { sdp: "second".to_owned(), round: 2 };
        negotiation.keep(offer.clone());
        assert_eq!(negotiation.answered(), Next::Handle(offer));
    }

    #[test]
    fn of_offers_that_wait_the_newest_is_handled_and_a_repeated_one_changes_nothing() {
        let offer = |sdp: &str, round| Offer { sdp: sdp.to_owned(), round };
        let mut negotiation = caller();
        negotiation.changed();
        negotiation.offered();
        for (sdp, round) in [("second", 2), ("third", 3), ("second again", 2), ("third again", 3)] {
            negotiation.keep(offer(sdp, round));
        }
        assert_eq!(negotiation.answered(), Next::Handle(offer("third", 3)));
    }

    #[test]
    fn an_offer_that_waited_for_a_round_that_was_accepted_meanwhile_is_stale() {
        let mut negotiation = callee();
        negotiation.accepted(1, ALL);
        negotiation.offered();
        negotiation.keep(Offer { sdp: "third".to_owned(), round: 3 });
        assert_eq!(negotiation.on_offer(3, Origin::Rebuilt), OnOffer::RollBackAndAccept);
        negotiation.rolled_back();
        assert_eq!(negotiation.accepted(3, ALL), Next::Nothing);
    }

    #[test]
    fn what_is_made_of_a_wish_to_negotiate_has_a_word() {
        let words =
            [Needed::Offer, Needed::Coalesced, Needed::Deferred, Needed::Spurious].map(Needed::as_str);
        let expect = ["offer", "coalesced: an offer is in flight", "deferred: the caller offers first"];
        assert_eq!(words[..3], expect);
        assert_eq!(words[3], "ignored: nothing changed");
    }

    #[test]
    fn the_offer_of_a_new_peer_connection_never_waits() {
        let mut negotiation = callee();
        negotiation.accepted(1, ALL);
        negotiation.changed();
        negotiation.offered();
        assert_eq!(negotiation.on_offer(3, Origin::Known), OnOffer::Wait);
        assert_eq!(negotiation.on_offer(3, Origin::Rebuilt), OnOffer::RollBackAndAccept);
    }

    #[test]
    fn a_remote_restart_satisfies_our_wish() {
        let mut negotiation = callee();
        negotiation.want_restart();
        assert_eq!(negotiation.accepted(1, Answered { restarted: true, ..ALL }), Next::Nothing);
        assert_eq!(negotiation.needed(), Needed::Spurious);
    }

    #[test]
    fn a_side_knows_the_highest_round_that_was_offered_or_accepted() {
        let mut negotiation = callee();
        assert_eq!(negotiation.round(), 0);
        negotiation.accepted(3, ALL);
        negotiation.accepted(2, ALL);
        assert_eq!(negotiation.round(), 3);
        assert_eq!((negotiation.offered(), negotiation.round()), (4, 4));
        assert_eq!(negotiation.rebuilt().round(), 4);
    }

    #[test]
    fn rounds_go_on_through_a_rebuild() {
        let mut negotiation = caller();
        negotiation.changed();
        negotiation.offered();
        let mut rebuilt = negotiation.rebuilt();
        assert_eq!(rebuilt.on_answer(1), OnAnswer::IgnoreStale, "the answer to the old connection's offer");
        assert_eq!(rebuilt.offered(), 2);
    }

    #[track_caller]
    fn check_guard(name: &str, found: impl Fn(Guards) -> bool) {
        let mut guards = Guards::ALL_ON;
        assert!(!found(guards), "{name} is on, and its failure comes all the same");
        guards.set(name, false).unwrap();
        assert!(found(guards), "{name} is off, and nothing changes");
    }

    #[test]
    fn without_its_guard_each_failure_of_negotiation_is_back() {
        check_guard("offer_only_in_stable", |guards| {
            let mut negotiation = Negotiation::caller(guards);
            negotiation.offered();
            negotiation.needed() == Needed::Offer
        });
        check_guard("roll_back_on_glare", |guards| {
            let mut negotiation = Negotiation::callee(guards);
            negotiation.accepted(1, ALL);
            negotiation.offered();
            negotiation.on_offer(2, Origin::Known) == OnOffer::IgnoreGlare
        });
        check_guard("ignore_stale_descriptions", |guards| {
            let mut negotiation = Negotiation::callee(guards);
            negotiation.accepted(1, ALL);
            negotiation.on_offer(1, Origin::Known) == OnOffer::Accept
        });
    }
}
