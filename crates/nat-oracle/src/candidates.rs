//! What each agent gathers and signals (RFC 8445 §5.1.1).

use crate::{
    CandidateType, Machines, Offer, Situation,
    endpoint::{Base, Endpoint, Family, Machine, Party},
    terrain::{Openings, Terrain},
};

/// A candidate that its agent signals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) endpoint: Endpoint,
    pub(crate) kind: CandidateType,
    pub(crate) base: Base,
}

/// Gathers for both; what gathering opens in gateways stays open.
pub(crate) fn gather(situation: &Situation, terrain: &Terrain, openings: &mut Openings) -> Vec<Candidate> {
    Party::BOTH
        .into_iter()
        .flat_map(|party| {
            let mut own = hosts(situation, party);
            let relay = relay(situation, terrain, party, openings);
            own.extend(server_reflexive(situation, terrain, party, openings));
            own.extend(relay);
            own
        })
        .collect()
}

/// What `party` is known by to `kind`: the type under which an endpoint was signalled, peer-reflexive if it was
/// not (RFC 8445 §7.2.5.3.1, §7.3.1.3).
pub(crate) fn kind_of(candidates: &[Candidate], party: Party, endpoint: &Endpoint) -> CandidateType {
    candidates
        .iter()
        .find(|candidate| candidate.base.party() == party && candidate.endpoint == *endpoint)
        .map_or(CandidateType::PeerReflexive, |candidate| candidate.kind)
}

fn hosts(situation: &Situation, party: Party) -> Vec<Candidate> {
    let families = situation.site(party).families;
    let own = Family::BOTH.into_iter().filter(|&family| families.has(family));
    own.map(|family| Base::Host(party, family))
        .map(|base| Candidate { endpoint: base.endpoint(), kind: CandidateType::Host, base })
        .collect()
}

/// RFC 8445 §5.1.1.2: the endpoint that a STUN server sees. It is no candidate of its own where it is the host's
/// (§5.1.3), so there is none for IPv6.
fn server_reflexive(
    situation: &Situation,
    terrain: &Terrain,
    party: Party,
    openings: &mut Openings,
) -> Option<Candidate> {
    if situation.servers.offer < Offer::Stun {
        return None;
    }
    let base = Base::Host(party, Family::V4);
    let endpoint = asks(situation, terrain, base, Machine::First, openings)?;
    let is_redundant = endpoint == base.endpoint();
    (!is_redundant).then_some(Candidate { endpoint, kind: CandidateType::ServerReflexive, base })
}

/// RFC 8656 §7: an allocation, over the first family that gets there.
fn relay(
    situation: &Situation,
    terrain: &Terrain,
    party: Party,
    openings: &mut Openings,
) -> Option<Candidate> {
    if situation.servers.offer < Offer::StunAndTurn {
        return None;
    }
    let machine = match situation.servers.machines {
        Machines::One => Machine::First,
        Machines::Two => Machine::Second,
    };
    Family::BOTH
        .into_iter()
        .find_map(|family| asks(situation, terrain, Base::Host(party, family), machine, openings))?;
    let base = Base::Relay(party, machine);
    Some(Candidate { endpoint: base.endpoint(), kind: CandidateType::Relay, base })
}

/// Sends a request to a server: where it appears from, if it gets there. Its answer always comes back: every
/// filter has just been opened to it.
fn asks(
    situation: &Situation,
    terrain: &Terrain,
    base: Base,
    machine: Machine,
    openings: &mut Openings,
) -> Option<Endpoint> {
    let families = [situation.site(base.party()).families, situation.servers.families];
    if !families.into_iter().all(|families| families.has(base.family())) {
        return None;
    }
    let server = Endpoint::Server(machine, base.family());
    let (crossings, parcel) = terrain.outward(base, &server);
    openings.crossings.extend(crossings);
    parcel.ok().map(|parcel| parcel.from)
}

impl Situation {
    pub(crate) const fn site(&self, party: Party) -> &crate::Site {
        match party {
            Party::Caller => &self.caller,
            Party::Callee => &self.callee,
        }
    }
}
