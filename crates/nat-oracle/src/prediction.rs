//! The verdict about a situation.

use crate::{
    CandidateType, Situation,
    candidates::{Candidate, gather, kind_of},
    checks::{ROUNDS, Valid, carry_on, valid_pairs},
    endpoint::{Base, Party},
    reasons,
    selection::nominate,
    terrain::{Openings, Terrain},
};

/// What becomes of a call, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prediction {
    /// The selected pair in one word.
    pub path: Path,
    /// The selected pair as the caller sees it; `None` where there is none.
    pub caller: Option<View>,
    /// The selected pair as the callee sees it.
    pub callee: Option<View>,
    /// Whether there is no direct path, known servers or not. Whether TURN then helps, `path` says in a
    /// situation with TURN: behind a firewall that blocks UDP it does not.
    pub turn_required: bool,
    /// The reasoning, a sentence for each step, with the sections of the RFCs.
    pub because: Vec<String>,
}

/// The selected pair, seen from one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// What it sends from: its own socket or its relayed address. What `rtc-ice` names as the local candidate.
    pub base: CandidateType,
    /// What the other side knows that by: the local candidate of the valid pair (RFC 8445 §7.2.5.3.2).
    pub local: CandidateType,
    /// What it knows the other side by.
    pub remote: CandidateType,
}

timeline::words! {
    /// A selected pair in one word: of the two types by which the sides know each other, the one that needs more
    /// help, in the order host, srflx, prflx, relay.
    pub enum Path {
        /// Both know each other's own address.
        Host = "host",
        /// At least one is known by what a STUN server saw.
        ServerReflexive = "srflx",
        /// At least one is known only by its checks.
        PeerReflexive = "prflx",
        /// At least one is known by a relayed address.
        Relay = "relay",
        /// There is none.
        None = "none",
    }
}

impl Path {
    /// The word for a selected pair whose caller and callee know each other by these types.
    pub fn of(caller_is: CandidateType, callee_is: CandidateType) -> Self {
        match caller_is.max(callee_is) {
            CandidateType::Host => Self::Host,
            CandidateType::ServerReflexive => Self::ServerReflexive,
            CandidateType::PeerReflexive => Self::PeerReflexive,
            CandidateType::Relay => Self::Relay,
        }
    }

    /// Whether it goes through no server.
    pub const fn is_direct(self) -> bool {
        matches!(self, Self::Host | Self::ServerReflexive | Self::PeerReflexive)
    }
}

/// Predicts what becomes of a call.
pub fn predict(situation: &Situation) -> Prediction {
    predict_in(situation, ROUNDS)
}

fn predict_in(situation: &Situation, rounds: usize) -> Prediction {
    let terrain = Terrain::new(situation);
    let mut openings = Openings::default();
    let candidates = gather(situation, &terrain, &mut openings);
    let fates = carry_on(&terrain, &mut openings, &candidates, rounds);
    let valid = valid_pairs(&fates);
    let selected = nominate(&valid, |pair| kind_of(&candidates, Party::Callee, &pair.callee_as));
    let views = selected.map(|pair| views(&candidates, pair));
    Prediction {
        path: views.map_or(Path::None, |[caller, callee]| Path::of(callee.remote, caller.remote)),
        caller: views.map(|[caller, _]| caller),
        callee: views.map(|[_, callee]| callee),
        turn_required: !valid.iter().any(is_direct),
        because: reasons::explain(situation, &candidates, &fates, &valid, selected),
    }
}

fn views(candidates: &[Candidate], pair: &Valid) -> [View; 2] {
    let caller = kind_of(candidates, Party::Caller, &pair.caller_as);
    let callee = kind_of(candidates, Party::Callee, &pair.callee_as);
    [
        View { base: pair.caller.kind(), local: caller, remote: callee },
        View { base: pair.callee.kind(), local: callee, remote: caller },
    ]
}

fn is_direct(pair: &Valid) -> bool {
    matches!((pair.caller, pair.callee), (Base::Host(..), Base::Host(..)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Dependence, Firewall, Gateway, Hairpinning, Machines, Nat, Servers, Site};

    fn any_dependence() -> impl Strategy<Value = Dependence> {
        prop::sample::select(&Dependence::ALL[..])
    }

    fn any_gateway() -> impl Strategy<Value = Gateway> {
        let hairpinning = prop::sample::select(&[Hairpinning::On, Hairpinning::Off][..]);
        let nat = (any_dependence(), any_dependence(), hairpinning)
            .prop_map(|(mapping, filtering, hairpinning)| Nat { mapping, filtering, hairpinning });
        let firewall = prop::sample::select(&[Firewall::Stateful, Firewall::UdpOnlyTo(3478)][..]);
        (prop::option::weighted(0.9, nat), prop::option::weighted(0.1, firewall))
            .prop_map(|(nat, firewall)| Gateway { nat, firewall })
    }

    fn any_site() -> impl Strategy<Value = Site> {
        prop::collection::vec(any_gateway(), 0..3).prop_map(Site::behind)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

        #[test]
        fn twice_as_many_rounds_change_nothing(
            caller in any_site(), callee in any_site(), shared in prop::collection::vec(any_gateway(), 0..2),
            machines in prop::sample::select(&[Machines::One, Machines::Two][..]),
            servers in prop::sample::select(&[Servers::STUN, Servers::STUN_AND_TURN, Servers::NONE][..]),
        ) {
            let [caller, callee] = [caller, callee].map(|site| {
                Site::behind(site.gateways.into_iter().chain(shared.iter().copied()))
            });
            let servers = Servers { machines, ..servers };
            let situation = Situation::sharing(caller, callee, shared.len(), servers).unwrap();
            let [once, twice] = [ROUNDS, 2 * ROUNDS].map(|rounds| predict_in(&situation, rounds));
            prop_assert_eq!((once.path, once.caller, once.callee), (twice.path, twice.caller, twice.callee));
            prop_assert_eq!(once.turn_required, twice.turn_required);
        }
    }
}
