//! The endpoints that candidates were signalled for, and the selected pair in their words.

use crate::{CandidateRef, Trickle};
use timeline::CandidateType;

/// The candidates that the two sides signalled, and the pair that was reported last.
#[derive(Debug, Default)]
pub(super) struct Endpoints {
    local: Vec<CandidateRef>,
    remote: Vec<CandidateRef>,
    pair: Option<(CandidateRef, CandidateRef)>,
}

/// The most endpoints that are remembered of a side; a call has a few.
const MOST: usize = 256;

impl Endpoints {
    /// Ours was found.
    pub(super) fn gathered(&mut self, candidate: &Trickle) {
        remember(&mut self.local, candidate);
    }

    /// The other side's arrived. The selected pair, where this is its remote endpoint and was not known
    /// before: a check overtook the candidate.
    pub(super) fn arrived(&mut self, candidate: &Trickle) -> Option<(CandidateRef, CandidateRef)> {
        remember(&mut self.remote, candidate);
        self.pair.clone().and_then(|(local, remote)| self.selected(local, remote))
    }

    /// ICE selected this pair: how it is to be reported, if it was not reported so before. A peer-reflexive
    /// candidate is what its endpoint was signalled as, where it was (RFC 8445 §7.3.1.3); `webrtc` 0.21.1
    /// goes on calling it peer-reflexive.
    pub(super) fn selected(
        &mut self,
        local: CandidateRef,
        remote: CandidateRef,
    ) -> Option<(CandidateRef, CandidateRef)> {
        let pair = (as_signalled(&self.local, local), as_signalled(&self.remote, remote));
        (self.pair.replace(pair.clone()).as_ref() != Some(&pair)).then_some(pair)
    }
}

fn remember(known: &mut Vec<CandidateRef>, candidate: &Trickle) {
    if let Trickle::Candidate(candidate) = candidate
        && known.len() < MOST
        && !known.contains(candidate)
    {
        known.push(candidate.clone());
    }
}

fn as_signalled(known: &[CandidateRef], candidate: CandidateRef) -> CandidateRef {
    let is_same =
        |other: &&CandidateRef| (&other.address, other.protocol) == (&candidate.address, candidate.protocol);
    let kind = match candidate.kind {
        CandidateType::PeerReflexive => {
            known.iter().filter(is_same).map(|other| other.kind).min().unwrap_or(candidate.kind)
        }
        kind => kind,
    };
    CandidateRef { kind, ..candidate }
}

#[cfg(test)]
mod tests {
    use timeline::{CandidateAddress, IceProtocol};

    use super::*;

    fn candidate(kind: CandidateType, host: &str) -> CandidateRef {
        CandidateRef { kind, protocol: IceProtocol::Udp, address: CandidateAddress::new(host, 50_000) }
    }

    const HOST: CandidateType = CandidateType::Host;
    const PRFLX: CandidateType = CandidateType::PeerReflexive;

    #[test]
    fn a_peer_reflexive_endpoint_is_what_it_was_signalled_as() {
        let mut endpoints = Endpoints::default();
        endpoints.arrived(&Trickle::Candidate(candidate(HOST, "10.0.0.2")));
        let (local, remote) = (candidate(HOST, "10.0.0.1"), candidate(PRFLX, "10.0.0.2"));
        let expected = (local.clone(), candidate(HOST, "10.0.0.2"));
        assert_eq!(endpoints.selected(local.clone(), remote.clone()), Some(expected));
        assert_eq!(endpoints.selected(local, remote), None, "it was reported so");
    }

    #[test]
    fn a_candidate_that_comes_after_the_selection_renames_the_pair_once() {
        let mut endpoints = Endpoints::default();
        let (local, remote) = (candidate(HOST, "10.0.0.1"), candidate(PRFLX, "10.0.0.2"));
        assert_eq!(endpoints.selected(local.clone(), remote.clone()), Some((local.clone(), remote)));
        assert_eq!(endpoints.arrived(&Trickle::Candidate(candidate(HOST, "10.0.0.9"))), None);
        let late = Trickle::Candidate(candidate(HOST, "10.0.0.2"));
        assert_eq!(endpoints.arrived(&late), Some((local, candidate(HOST, "10.0.0.2"))));
        assert_eq!(endpoints.arrived(&late), None);
    }

    #[test]
    fn an_endpoint_that_nobody_signalled_stays_peer_reflexive() {
        let mut endpoints = Endpoints::default();
        endpoints.gathered(&Trickle::Candidate(candidate(HOST, "10.0.0.1")));
        let (local, remote) = (candidate(PRFLX, "192.0.2.7"), candidate(PRFLX, "198.51.100.3"));
        assert_eq!(endpoints.selected(local.clone(), remote.clone()), Some((local, remote)));
    }
}
