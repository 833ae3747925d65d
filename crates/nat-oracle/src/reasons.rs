//! The reasoning in sentences.

use crate::{
    CandidateType, Dependence, Situation,
    candidates::{Candidate, kind_of},
    checks::{Fates, Sending, Valid},
    endpoint::{Base, Endpoint, GatewayIndex, Party},
    terrain::Obstacle,
};

/// What was signalled, how every check between the peers' own sockets fared, and what was selected.
pub(crate) fn explain(
    situation: &Situation,
    candidates: &[Candidate],
    fates: &Fates,
    valid: &[Valid],
    selected: Option<&Valid>,
) -> Vec<String> {
    let teller = Teller { situation, candidates, fates };
    let signalled = Party::BOTH.into_iter().map(|party| teller.signalled(party));
    let checks = fates.keys().filter(|sending| teller.is_worth_telling(sending, valid));
    let checks = checks.map(|sending| teller.check(sending));
    signalled.chain(checks).chain([teller.selected(selected)]).collect()
}

struct Teller<'a> {
    situation: &'a Situation,
    candidates: &'a [Candidate],
    fates: &'a Fates,
}

impl Teller<'_> {
    fn signalled(&self, party: Party) -> String {
        let own = self.candidates.iter().filter(|candidate| candidate.base.party() == party);
        let kinds: Vec<_> = own.map(|candidate| candidate.kind.as_str()).collect();
        let kinds = if kinds.is_empty() { "nothing".to_owned() } else { kinds.join(", ") };
        format!("the {} signals {kinds} (RFC 8445 §5.1.1)", name(party))
    }

    /// Checks from a peer's own socket to what the other signalled, and to whatever proved valid. A check to an
    /// endpoint that came to light on the way to nowhere is one of many like it.
    fn is_worth_telling(&self, sending: &Sending, valid: &[Valid]) -> bool {
        let is_valid = valid.iter().any(|pair| {
            let ways = [(pair.caller, &pair.callee_as), (pair.callee, &pair.caller_as)];
            ways.contains(&(sending.base, &sending.to))
        });
        is_valid || self.kind_of_target(sending) != CandidateType::PeerReflexive
    }

    fn check(&self, sending: &Sending) -> String {
        let (from, to) = (sending.base.party(), sending.base.party().other());
        let what = format!(
            "from the {}'s {} to the {}'s {}: ",
            name(from),
            sending.base.kind(),
            name(to),
            self.kind_of_target(sending)
        );
        what + &match &self.fates[sending] {
            Err(obstacle) => self.obstacle(*obstacle),
            Ok((reached, seen_as)) => {
                let seen = kind_of(self.candidates, from, seen_as);
                format!(
                    "arrives, from its {seen} (RFC 4787 §4.1), {}",
                    self.answer(sending, *reached, seen_as)
                )
            }
        }
    }

    fn answer(&self, sending: &Sending, reached: Base, seen_as: &Endpoint) -> String {
        match self.fates.get(&Sending { base: reached, to: seen_as.clone() }) {
            Some(Ok((_, answered_from))) if *answered_from == sending.to => {
                "and is answered from there: a valid pair (RFC 8445 §7.2.5.3.2)".to_owned()
            }
            Some(Ok(_)) => {
                "but is answered from another endpoint, since that mapping is not for this remote: not \
                            valid (RFC 8445 §7.2.5.2.1)"
                    .to_owned()
            }
            Some(Err(obstacle)) => format!("but its answer does not: {}", self.obstacle(*obstacle)),
            None => "too late to be answered: each answer makes a new endpoint".to_owned(),
        }
    }

    fn obstacle(&self, obstacle: Obstacle) -> String {
        match obstacle {
            Obstacle::Forbidden(at) => format!("{} lets no such UDP out", self.gateway(at)),
            Obstacle::NoHairpinning(at) => {
                format!("{} does not turn round what is for itself (RFC 4787 §6)", self.gateway(at))
            }
            Obstacle::NoRoute => "a private address of another network (RFC 1918)".to_owned(),
            Obstacle::Filtered(at, filtering) => format!(
                "{} filters it: nothing was sent through that mapping to this {} (RFC 4787 §5)",
                self.gateway(at),
                if filtering == Dependence::AddressDependent { "address" } else { "address and port" },
            ),
            Obstacle::Unsolicited(at) => {
                format!("{} lets in answers only, and this is none (RFC 6092 §3.2.3)", self.gateway(at))
            }
            Obstacle::NoPermission => "there is no permission for its sender (RFC 8656 §9)".to_owned(),
        }
    }

    fn selected(&self, selected: Option<&Valid>) -> String {
        let Some(pair) = selected else {
            return "no valid pair: the checklist fails (RFC 8445 §6.1.2.1)".to_owned();
        };
        let remote = kind_of(self.candidates, Party::Callee, &pair.callee_as);
        format!(
            "nominated, for the greatest priority among valid pairs: from the caller's {} to the callee's {remote} \
             (RFC 8445 §6.1.2.3, §8.1.1)",
            pair.caller.kind()
        )
    }

    fn kind_of_target(&self, sending: &Sending) -> CandidateType {
        kind_of(self.candidates, sending.base.party().other(), &sending.to)
    }

    /// By the order of [`crate::terrain::Terrain`]: the shared gateways, then each party's, all from the outside.
    fn gateway(&self, index: GatewayIndex) -> String {
        let shared = self.situation.shared;
        let own = |party| self.situation.site(party).gateways.len() - shared;
        let (whose, place, of) = match index.checked_sub(shared) {
            None => ("shared", shared - index, shared),
            Some(next) if next < own(Party::Caller) => {
                ("caller's", own(Party::Caller) - next, own(Party::Caller))
            }
            Some(next) => {
                let next = next - own(Party::Caller);
                ("callee's", own(Party::Callee) - next, own(Party::Callee))
            }
        };
        if of == 1 { format!("the {whose} gateway") } else { format!("the {whose} gateway {place} of {of}") }
    }
}

const fn name(party: Party) -> &'static str {
    match party {
        Party::Caller => "caller",
        Party::Callee => "callee",
    }
}
