//! Connectivity checks, carried on until nothing new comes of them.

use std::collections::BTreeMap;

use crate::{
    candidates::Candidate,
    endpoint::{Base, Endpoint},
    terrain::{Obstacle, Openings, Terrain},
};

/// How often agents answer what reached them with checks of their own.
///
/// A valid pair *(x, y)* means that x is what the caller's packets to y appear from, and y what the callee's
/// packets to x appear from. If either mapping depends on less than the remote endpoint, both are fixed after
/// two answers. If neither does, each answer makes a new endpoint for ever and none is ever valid. The rest
/// is room for filters that open late; a property test holds that twice as many change nothing.
pub(crate) const ROUNDS: usize = 6;

/// A check, or its answer: all that counts is where it comes from and where it goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sending {
    pub(crate) base: Base,
    pub(crate) to: Endpoint,
}

/// What becomes of a sending in the end: whom it reaches, and what it appears from.
pub(crate) type Fate = Result<(Base, Endpoint), Obstacle>;

/// What becomes of all of them.
pub(crate) type Fates = BTreeMap<Sending, Fate>;

/// Two bases that reach each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Valid {
    pub(crate) caller: Base,
    /// What the callee sees the caller's packets come from.
    pub(crate) caller_as: Endpoint,
    pub(crate) callee: Base,
    pub(crate) callee_as: Endpoint,
}

/// All checks that follow from `candidates`, and from the checks that arrive.
pub(crate) fn carry_on(
    terrain: &Terrain,
    openings: &mut Openings,
    candidates: &[Candidate],
    rounds: usize,
) -> Fates {
    let mut sendings = ordinary_checks(candidates);
    let mut fates = Fates::new();
    for _ in 0..rounds {
        let parcels: Vec<_> = sendings
            .into_iter()
            .map(|sending| {
                let (crossings, parcel) = terrain.outward(sending.base, &sending.to);
                openings.crossings.extend(crossings);
                if let Base::Relay(..) = sending.base {
                    openings.permissions.insert((sending.base.endpoint(), sending.to.address()));
                }
                (sending, parcel)
            })
            .collect();
        let arrive = |(sending, parcel): (Sending, Result<_, _>)| {
            let fate = parcel.and_then(|parcel| {
                let reached = terrain.inward(openings, &parcel)?;
                Ok((base_at(&reached).ok_or(Obstacle::NoRoute)?, parcel.from))
            });
            (sending, fate)
        };
        let next: Fates = parcels.into_iter().map(arrive).collect();
        let is_settled = next == fates;
        fates = next;
        if is_settled {
            break;
        }
        sendings = fates.keys().cloned().chain(triggered_checks(&fates)).collect();
        sendings.sort();
        sendings.dedup();
    }
    fates
}

/// The pairs whose checks and answers match (RFC 8445 §7.2.5.2.1): what goes to an endpoint is answered from it.
pub(crate) fn valid_pairs(fates: &Fates) -> Vec<Valid> {
    fates
        .iter()
        .filter(|(sending, _)| sending.base.party() == crate::endpoint::Party::Caller)
        .filter_map(|(sending, fate)| {
            let (callee, caller_as) = fate.clone().ok()?;
            let back = fates.get(&Sending { base: callee, to: caller_as.clone() })?;
            let (caller, callee_as) = back.clone().ok()?;
            let is_symmetric = caller == sending.base && callee_as == sending.to;
            is_symmetric.then_some(Valid { caller, caller_as, callee, callee_as })
        })
        .collect()
}

/// RFC 8445 §6.1.2.2: each base checks each candidate of its family. A server-reflexive candidate's checks are
/// those of its base (§6.1.2.4).
fn ordinary_checks(candidates: &[Candidate]) -> Vec<Sending> {
    let bases = candidates.iter().map(|candidate| candidate.base);
    let mut checks: Vec<_> = bases
        .flat_map(|base| {
            let remote = candidates.iter().filter(move |remote| {
                remote.base.party() != base.party() && remote.base.family() == base.family()
            });
            remote.map(move |remote| Sending { base, to: remote.endpoint.clone() })
        })
        .collect();
    checks.sort();
    checks.dedup();
    checks
}

/// RFC 8445 §7.3.1.3 and §7.3.1.4: who gets a check answers it, and checks back from where it arrived.
fn triggered_checks(fates: &Fates) -> impl Iterator<Item = Sending> {
    fates.values().flatten().map(|(base, from)| Sending { base: *base, to: from.clone() })
}

/// The base that receives at an endpoint of the last network.
fn base_at(endpoint: &Endpoint) -> Option<Base> {
    match endpoint {
        Endpoint::Host(party, family) => Some(Base::Host(*party, *family)),
        Endpoint::Relayed(party, machine) => Some(Base::Relay(*party, *machine)),
        Endpoint::Mapped(_) | Endpoint::Server(..) => None,
    }
}
