//! What one side decides, call by call of its methods.

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
    assert_eq!(negotiation.needed(), Needed::Ignored);
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
    assert_eq!(negotiation.needed(), Needed::Ignored);
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
    assert_eq!(negotiation.needed(), Needed::Ignored);
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
