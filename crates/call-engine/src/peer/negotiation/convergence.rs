//! Two sides, each with changes to negotiate at any moment, over signalling that reorders and repeats:
//! whatever the interleaving, both come to rest in `stable` with the same description.

use proptest::prelude::*;

use super::{Answered, Covers, Negotiation, Next, Offer, OnAnswer, OnOffer, Origin};
use crate::{Guards, Needed};

/// One side: its negotiation, and the exchange that its descriptions come from.
struct Side {
    negotiation: Negotiation,
    /// The round and the maker of the exchange that is in place.
    described: Option<(u64, usize)>,
    /// Media sections that this side wants and that no exchange has carried yet.
    unplaced: u64,
    in_flight: u64,
}

#[derive(Clone, Debug)]
enum Message {
    Offer(u64),
    Answer(u64),
}

/// What the test does next.
#[derive(Clone, Debug)]
enum Move {
    /// A side has something new to negotiate.
    Change(usize),
    /// A side wants an ICE restart.
    Restart(usize),
    /// `negotiationneeded` fires for no reason.
    Spurious(usize),
    /// The message at this place of those under way arrives.
    Deliver(usize),
    /// The message at this place arrives, and is still under way.
    Repeat(usize),
}

fn any_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        (0..2_usize).prop_map(Move::Change),
        (0..2_usize).prop_map(Move::Restart),
        (0..2_usize).prop_map(Move::Spurious),
        any::<usize>().prop_map(Move::Deliver),
        any::<usize>().prop_map(Move::Deliver),
        any::<usize>().prop_map(Move::Deliver),
        any::<usize>().prop_map(Move::Repeat),
    ]
}

struct Pair {
    sides: [Side; 2],
    /// Messages under way, with the side they are for.
    under_way: Vec<(usize, Message)>,
    delivered: usize,
}

impl Pair {
    fn new() -> Self {
        let side = |negotiation| Side { negotiation, described: None, unplaced: 1, in_flight: 0 };
        let mut pair = Self {
            sides: [side(Negotiation::caller(Guards::ALL_ON)), side(Negotiation::callee(Guards::ALL_ON))],
            under_way: Vec::new(),
            delivered: 0,
        };
        for side in 0..2 {
            pair.sides[side].negotiation.changed();
            pair.needed(side);
        }
        pair
    }

    fn needed(&mut self, side: usize) {
        if self.sides[side].negotiation.needed() == Needed::Offer {
            self.offer(side);
        }
    }

    fn offer(&mut self, side: usize) {
        let this = &mut self.sides[side];
        this.in_flight = this.unplaced;
        let round = this.negotiation.offered();
        self.under_way.push((1 - side, Message::Offer(round)));
    }

    fn play(&mut self, step: &Move) {
        match *step {
            Move::Change(side) => {
                self.sides[side].unplaced += 1;
                self.sides[side].negotiation.changed();
                self.needed(side);
            }
            Move::Restart(side) => {
                self.sides[side].negotiation.want_restart();
                self.needed(side);
            }
            Move::Spurious(side) => self.needed(side),
            Move::Deliver(at) if !self.under_way.is_empty() => {
                let (side, message) = self.under_way.remove(at % self.under_way.len());
                self.deliver(side, &message);
            }
            Move::Repeat(at) if !self.under_way.is_empty() => {
                let (side, message) = self.under_way[at % self.under_way.len()].clone();
                self.deliver(side, &message);
            }
            Move::Deliver(_) | Move::Repeat(_) => {}
        }
    }

    fn deliver(&mut self, side: usize, message: &Message) {
        self.delivered += 1;
        match *message {
            Message::Offer(round) => self.on_offer(side, round),
            Message::Answer(round) => {
                let this = &mut self.sides[side];
                if this.negotiation.on_answer(round) == OnAnswer::Apply {
                    this.described = Some((round, side));
                    this.unplaced -= this.in_flight;
                    let next = this.negotiation.answered();
                    self.follow(side, next);
                }
            }
        }
    }

    fn on_offer(&mut self, side: usize, round: u64) {
        let this = &mut self.sides[side];
        match this.negotiation.on_offer(round, Origin::Known) {
            OnOffer::RollBackAndAccept => {
                this.negotiation.rolled_back();
                self.accept(side, round);
            }
            OnOffer::Accept => self.accept(side, round),
            OnOffer::Wait => this.negotiation.keep(Offer { sdp: String::new(), round }),
            OnOffer::IgnoreGlare | OnOffer::IgnoreStale => {}
        }
    }

    fn accept(&mut self, side: usize, round: u64) {
        let this = &mut self.sides[side];
        // The first offer has a place for the first track of the other side; later ones have none.
        if this.described.is_none() {
            this.unplaced -= 1;
        }
        let covers = if this.unplaced == 0 { Covers::Everything } else { Covers::NotEverything };
        this.described = Some((round, 1 - side));
        let next = this.negotiation.accepted(round, Answered { covers, restarted: false });
        self.under_way.push((1 - side, Message::Answer(round)));
        self.follow(side, next);
    }

    fn follow(&mut self, side: usize, next: Next) {
        match next {
            Next::Handle(offer) => self.on_offer(side, offer.round),
            Next::Offer => self.offer(side),
            Next::Nothing => {}
        }
    }

    /// Delivers what is under way, in an order that `choices` draws, until nothing is.
    fn settle(&mut self, choices: &[usize]) {
        let mut choices = choices.iter().cycle();
        while !self.under_way.is_empty() {
            let at = choices.next().copied().unwrap_or_default() % self.under_way.len();
            let (side, message) = self.under_way.remove(at);
            self.deliver(side, &message);
            assert!(self.delivered < 10_000, "the two never come to rest");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3_000) })]

    #[test]
    fn two_negotiations_converge_whatever_the_interleaving(
        moves in proptest::collection::vec(any_move(), 0..60),
        order in proptest::collection::vec(any::<usize>(), 1..40),
    ) {
        let mut pair = Pair::new();
        for step in &moves {
            pair.play(step);
        }
        pair.settle(&order);
        let [caller, callee] = &pair.sides;
        prop_assert_eq!(caller.described, callee.described, "the same exchange is in place at both");
        prop_assert!(caller.described.is_some());
        for side in &pair.sides {
            prop_assert_eq!(side.negotiation.needed(), Needed::Ignored, "stable, and nothing is left");
            prop_assert_eq!(side.unplaced, 0);
            prop_assert!(!side.negotiation.wants_restart());
        }
    }

    /// What was rolled back or ignored never leaves the two sides with answers to different offers.
    #[test]
    fn no_side_is_ever_ahead_by_more_than_one_exchange(
        moves in proptest::collection::vec(any_move(), 0..80),
    ) {
        let mut pair = Pair::new();
        for step in &moves {
            pair.play(step);
            let [caller, callee] = &pair.sides;
            let (caller, callee) = (caller.negotiation.round(), callee.negotiation.round());
            prop_assert!(caller.abs_diff(callee) <= 1, "caller {caller}, callee {callee}");
        }
    }
}
